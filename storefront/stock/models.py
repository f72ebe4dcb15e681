"""Stock locations, levels, movements, reservations."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.stock.batch_models import Batch, BatchPieces  # noqa: F401 - the room's models come together
from storefront.stock.take_models import (  # noqa: F401 - the room's models come together
    StockCount,
    StockTake,
    StockTakeRow,
    TakeState,
)


class MovementReason(enum.StrEnum):
    """Why pieces came or went."""

    MADE = "made"
    COUNTED = "counted"
    DAMAGED = "damaged"
    GIVEN = "given"
    CORRECTION = "correction"
    SOLD = "sold"
    RETURNED = "returned"
    TRANSFER = "transfer"


#: Why people move pieces by hand. Sales, refunds and transfers move them by themselves.
BY_HAND = (
    MovementReason.MADE,
    MovementReason.COUNTED,
    MovementReason.DAMAGED,
    MovementReason.GIVEN,
    MovementReason.CORRECTION,
)


class StockLocation(db.Model):  # type: ignore[name-defined]
    """A facility's store (sold online) or an exhibition's stand: exactly one of the two is set."""

    __tablename__ = "stock_locations"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))


class StockLevel(db.Model):  # type: ignore[name-defined]
    """Pieces of one variant at one place; available = on_hand − reserved."""

    __tablename__ = "stock_levels"

    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_locations.id"), primary_key=True)
    #: Changed by movements alone (a trigger adds them up).
    on_hand: Mapped[int] = mapped_column(Integer, default=0)
    #: Held for living unpaid orders.
    reserved: Mapped[int] = mapped_column(Integer, default=0)
    #: What cached public pages say: `ready`, `few_left` or `sold_out`.
    shown_state: Mapped[str] = mapped_column(default="sold_out")


class StockMovement(db.Model):  # type: ignore[name-defined]
    """Pieces that came (+) or went (−). Append-only; a level is the sum of its movements."""

    __tablename__ = "stock_movements"

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_locations.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    #: Business key; the same one is written once, whatever is retried.
    source: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: The movement by hand that this one takes back.
    undoes: Mapped[int | None] = mapped_column(ForeignKey("stock_movements.id"))
    moved_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class LowStockMark(db.Model):  # type: ignore[name-defined]
    """From how many free pieces down a variant counts as running out; without one, `LowStockDefault`."""

    __tablename__ = "low_stock_marks"

    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)


class LowStockDefault(db.Model):  # type: ignore[name-defined]
    """From a day on: the mark of variants that have none of their own; without a row, `levels.FEW`."""

    __tablename__ = "low_stock_defaults"

    valid_from: Mapped[datetime.date] = mapped_column(primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)
    legal_basis: Mapped[str]


class Reservation(db.Model):  # type: ignore[name-defined]
    """Pieces held for one order line: `held` while unpaid, then `sold` or `released`."""

    __tablename__ = "reservations"

    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    variant_id: Mapped[int]
    location_id: Mapped[int]
    quantity: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(default="held")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
