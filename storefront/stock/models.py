"""Stock locations, levels, movements, reservations."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.stock.batch_models import Batch, BatchPieces  # noqa: F401 - the room's models come together


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
    moved_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class Reservation(db.Model):  # type: ignore[name-defined]
    """Pieces held for one order line: `held` while unpaid, then `sold` or `released`."""

    __tablename__ = "reservations"

    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    variant_id: Mapped[int]
    location_id: Mapped[int]
    quantity: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(default="held")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
