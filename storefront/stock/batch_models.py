"""Batches of food: made on a day, good until another, held or recalled when something is wrong with them."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class BatchState(enum.StrEnum):
    """`HELD`: somebody doubts it, nothing of it is sold or sent, and the office has not decided."""

    ON_SALE = "on_sale"
    HELD = "held"
    RECALLED = "recalled"


class Batch(db.Model):  # type: ignore[name-defined]
    """What was made of a product at one time."""

    __tablename__ = "batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    #: As it stands on the pack.
    code: Mapped[str]
    made_on: Mapped[datetime.date]
    best_before: Mapped[datetime.date]
    state: Mapped[str] = mapped_column(default=BatchState.ON_SALE.value)
    #: Why it is held or recalled, for buyers.
    reason: Mapped[str] = mapped_column(default="")
    #: Empty: as in Indonesian.
    reason_en: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime.datetime | None]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class BatchPieces(db.Model):  # type: ignore[name-defined]
    """How many pieces of a variant a batch gave, and what became of those that were not packed."""

    __tablename__ = "batch_pieces"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    made: Mapped[int] = mapped_column(Integer)
    #: Damaged, given away or sold elsewhere.
    gone: Mapped[int] = mapped_column(Integer, default=0)
    #: Put aside since it is held.
    withdrawn: Mapped[int] = mapped_column(Integer, default=0)
    #: Of those, how many have left the shelf's books; the others lie in orders that are not packed yet.
    taken: Mapped[int] = mapped_column(Integer, default=0)
