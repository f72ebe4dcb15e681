"""Files of marketplaces and the orders booked from one, paged by key."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from storefront.keyset import FIRST, Keyed, Order, Paged, Turn


@dataclass(frozen=True)
class FileRow:
    """A file that was uploaded; `orders` were booked from it."""

    id: int
    name: str
    month: datetime.date
    state: str
    uploaded_at: datetime.datetime
    market: str
    orders: int


@dataclass(frozen=True)
class BookedRow:
    """An order of a file, under our number and under theirs; rupiah."""

    number: str
    total: int
    theirs: str
    sold_on: datetime.date


FILES = Paged(
    FileRow,
    """SELECT f.id, f.name, f.month, f.state, f.uploaded_at, m.name AS market,
              (SELECT count(*) FROM marketplace_orders o WHERE o.file_id = f.id) AS orders, {keys}
         FROM marketplace_files f JOIN marketplaces m ON m.id = f.marketplace_id""",
    "SELECT count(*), 0 FROM marketplace_files f",
    {"": Order((("f.id", "bigint"),))},
)
BOOKED = Paged(
    BookedRow,
    """SELECT o.number, o.total, x.number AS theirs, x.sold_on, {keys}
         FROM marketplace_orders x JOIN orders o ON o.id = x.order_id""",
    "SELECT count(*), sum(o.total)::bigint FROM marketplace_orders x JOIN orders o ON o.id = x.order_id",
    {"": Order((("x.sold_on", "date"), ("x.order_id", "bigint")), descending=False)},
    {"file": "x.file_id = :file"},
)


def files(turn: Turn = FIRST) -> Keyed[FileRow]:
    """A page of all files, the latest first."""
    return FILES.page({}, turn)


def booked(file_id: int, turn: Turn = FIRST) -> Keyed[BookedRow]:
    """A page of the orders booked from a file, by their days; `amount` is what all of them come to."""
    return BOOKED.page({"file": file_id}, turn)
