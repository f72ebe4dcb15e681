"""Stock-takes: the frozen list, what was counted in it, and what it was settled with."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import BigInteger, FetchedValue, ForeignKey, ForeignKeyConstraint, Integer, column, table
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class TakeState(enum.StrEnum):
    COUNTING = "counting"
    FINISHED = "finished"
    CALLED_OFF = "called_off"


class StockTake(db.Model):  # type: ignore[name-defined]
    """One stock-take of a store, or of one workshop's or category's pieces in it."""

    __tablename__ = "stock_takes"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_locations.id"))
    #: 1, 2 … within the facility; it stands on the sheet.
    number: Mapped[int] = mapped_column(Integer)
    workshop_id: Mapped[int | None] = mapped_column(ForeignKey("workshops.id"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    state: Mapped[str] = mapped_column(default="counting")
    request_key: Mapped[str]
    begun_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    begun_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Who finished it or called it off.
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime.datetime | None]


class StockTakeRow(db.Model):  # type: ignore[name-defined]
    """A row of the frozen list. What follows `variant_id` is written once, when it is settled."""

    __tablename__ = "stock_take_rows"

    stock_take_id: Mapped[int] = mapped_column(ForeignKey("stock_takes.id"), primary_key=True)
    #: Its number on the sheet, from 1.
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    count_id: Mapped[int | None] = mapped_column(ForeignKey("stock_counts.id", use_alter=True))
    expected: Mapped[int | None] = mapped_column(Integer)
    counted: Mapped[int | None] = mapped_column(Integer)
    #: Whole rupiah for one piece, as they were.
    price: Mapped[int | None] = mapped_column(BigInteger)
    material_cost: Mapped[int | None] = mapped_column(BigInteger)
    settled_at: Mapped[datetime.datetime | None]


class StockCount(db.Model):  # type: ignore[name-defined]
    """What a person counted in a row, and what was on hand then. Append-only."""

    __tablename__ = "stock_counts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["stock_take_id", "position"], ["stock_take_rows.stock_take_id", "stock_take_rows.position"]
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stock_take_id: Mapped[int]
    position: Mapped[int] = mapped_column(Integer)
    #: None: taken back.
    counted: Mapped[int | None] = mapped_column(Integer)
    #: On hand at `counted_at`.
    expected: Mapped[int] = mapped_column(Integer)
    #: The last movement that `expected` knows; 0: none.
    after_move: Mapped[int]
    #: Chosen among several counts, which it ends.
    is_decision: Mapped[bool] = mapped_column(default=False)
    request_key: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    counted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    saved_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


#: A view: which count of a row holds (the last one), by how many people, and whether they say different things.
ROW_COUNTS = table(
    "stock_row_counts",
    column("stock_take_id"),
    column("position"),
    column("count_id"),
    column("people"),
    column("differ"),
)
