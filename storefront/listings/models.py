"""Drafts of listings and their photos."""

from __future__ import annotations

import datetime
import enum
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.listings.review_models import ListingDecision, ListingNews  # noqa: F401 - the room's models come together


class DraftState(enum.StrEnum):
    """`APPROVED` waits for its moment; a draft that is done is gone, its product says what it said."""

    EDITING = "editing"
    IN_REVIEW = "in_review"
    SENT_BACK = "sent_back"
    APPROVED = "approved"


class ListingDraft(db.Model):  # type: ignore[name-defined]
    """What is written for a product, or of one that is not listed yet."""

    __tablename__ = "listing_drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: None: not listed yet.
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    #: What was typed; its shape stands in `typed`.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: Rises with each save.
    version: Mapped[int] = mapped_column(Integer, default=1)
    #: The version in which `content` last changed.
    content_version: Mapped[int] = mapped_column(Integer, default=1)
    #: The open page that last saved it: what it sends again is its own.
    saved_from: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=DraftState.EDITING.value)
    form_key: Mapped[str | None]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    submitted_at: Mapped[datetime.datetime | None]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: Not before; None: as soon as it is let through.
    publish_at: Mapped[datetime.datetime | None]
    #: Field → why it was sent back.
    reasons: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    note: Mapped[str] = mapped_column(default="")
    #: Why it waits for a curator: `new`, `proposal`, `faces`, `unseen`, `words`.
    waits_for: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)

    #: In their order, without those that were taken out.
    photos: Mapped[list[DraftPhoto]] = relationship(
        order_by="DraftPhoto.position",
        passive_deletes="all",
        primaryjoin="and_(DraftPhoto.draft_id == ListingDraft.id, DraftPhoto.position.is_not(None))",
    )


class DraftPhoto(db.Model):  # type: ignore[name-defined]
    """A photo of a draft: on its way, ready, or refused."""

    __tablename__ = "draft_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("listing_drafts.id"))
    #: None: taken out, and may be put back.
    position: Mapped[int | None] = mapped_column(Integer)
    #: As typed; empty: not yet.
    alt: Mapped[str] = mapped_column(default="")
    alt_en: Mapped[str] = mapped_column(default="")
    tint: Mapped[str] = mapped_column(default="c1")
    #: `waiting` for the worker, `ready` or `refused`.
    state: Mapped[str] = mapped_column(default="waiting")
    #: Why it was refused, for people.
    fault: Mapped[str] = mapped_column(default="")
    #: A private file; None: the product had it before.
    original_key: Mapped[str | None]
    #: Degrees clockwise, of the original.
    turned: Mapped[int] = mapped_column(Integer, default=0)
    #: Left, top, right, bottom in thousandths, after turning; None: all of it.
    crop: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    #: Faces that may be seen on it; None: nobody looked.
    faces: Mapped[int | None] = mapped_column(Integer)
    #: As of a product's photos, once it is ready.
    key: Mapped[str | None]
    widths: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
