"""Who runs the shop, revisions of its pages, and the blocks of its front page."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class OperatorRow(db.Model):  # type: ignore[name-defined]
    """Who runs the shop from a day on; of several rows with the same day, the last counts."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime.date]
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    legal_basis: Mapped[str] = mapped_column(default="")
    #: Null: shipped with the shop.
    set_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class PageRevision(db.Model):  # type: ignore[name-defined]
    """What a curator made of a page; the highest number is what the public reads."""

    __tablename__ = "page_revisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str]
    title_en: Mapped[str]
    body: Mapped[str]
    body_en: Mapped[str]
    #: The revision whose text this is again; 0 is the text that comes with the shop.
    restored_from: Mapped[int | None] = mapped_column(Integer)
    changed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class HomeBlock(db.Model):  # type: ignore[name-defined]
    """One block of the front page."""

    __tablename__ = "home_blocks"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    #: See `home_blocks.KINDS`.
    kind: Mapped[str]
    #: Empty: the kind's own words.
    title: Mapped[str] = mapped_column(default="")
    title_en: Mapped[str] = mapped_column(default="")
    #: Safe Markdown.
    body: Mapped[str] = mapped_column(default="")
    body_en: Mapped[str] = mapped_column(default="")
    #: `category` (slug), `facility` (code), `workshop` (id), `products` (ids), by kind.
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    starts_on: Mapped[datetime.date | None]
    ends_on: Mapped[datetime.date | None]
    is_published: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(Integer, default=1)
    removed_at: Mapped[datetime.datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class HomeChange(db.Model):  # type: ignore[name-defined]
    """One change of the front page, with what was before."""

    __tablename__ = "home_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    block_id: Mapped[int] = mapped_column(ForeignKey("home_blocks.id"))
    act: Mapped[str]
    #: The block's fields; for `moved` the ids of all blocks in their order; null: it was not there.
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    #: The change that this one takes back.
    undoes: Mapped[int | None] = mapped_column(ForeignKey("home_changes.id"))
    changed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
