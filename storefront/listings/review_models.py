"""What curators decided on listings, and who is told of it."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ListingDecision(db.Model):  # type: ignore[name-defined]
    """One decision, with what takes it back."""

    __tablename__ = "listing_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the draft; once it is listed that is gone.
    draft_id: Mapped[int]
    #: As the decision left it.
    draft_version: Mapped[int] = mapped_column(Integer)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    title: Mapped[str] = mapped_column(default="")
    #: `published`, `approved` (it waits for its day) or `sent_back`.
    step: Mapped[str]
    submitted_at: Mapped[datetime.datetime]
    submitted_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    decided_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: The listing that was public before, as `{"content": …, "photos": […]}`; None: it was not public.
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    #: A photo's key → its `faces` and `original_key`.
    marks: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    undone_at: Mapped[datetime.datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ListingNews(db.Model):  # type: ignore[name-defined]
    """One letter to one person of a facility about something listed."""

    __tablename__ = "listing_news"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Business key: told once, whatever is retried.
    key: Mapped[str]
    #: Name of the template in templates/mail/.
    kind: Mapped[str]
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: What the template speaks of.
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
