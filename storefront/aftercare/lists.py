"""Problems and thanks as pages show them. What a facility reads holds nothing of the shopper but their own words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from storefront.aftercare.models import Problem, ProblemPhoto
from storefront.books.listed import as_list
from storefront.days import today
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale

PAGE = 25

TABLES = """
  FROM problems x
  JOIN orders o ON o.id = x.order_id
  JOIN parcels p ON p.id = x.parcel_id
  JOIN facilities f ON f.id = x.facility_id
  LEFT JOIN refunds r ON r.id = x.refund_id"""
FROM = f"{TABLES} WHERE (CAST(:ids AS bigint[]) IS NULL OR x.facility_id = ANY (CAST(:ids AS bigint[])))"
ROW = """
SELECT x.id, o.id AS order_id, o.number AS order_number, o.locale, p.id AS parcel_id, p.position,
       f.code AS facility_code, f.name AS facility_name, f.time_zone, x.kind, x.words, x.state, x.reported_at,
       x.answer_by, x.handed_over_at, x.answered_at, x.answer, x.refund_id, r.state AS refund_state,
       r.amount AS refund_amount, p.received_at,
       (SELECT count(*) FROM problem_photos y WHERE y.problem_id = x.id) AS photos"""
COLUMNS = f"{ROW} {FROM}"
WAITS = "(x.state IN ('open', 'handed_over'))"
#: What waits first, the earliest deadline on top; then the latest answered.
PLACE = Order(
    (
        (WAITS, "boolean"),
        (f"CASE WHEN {WAITS} THEN date '2200-01-01' - x.answer_by ELSE 0 END", "bigint"),
        ("x.id", "bigint"),
    )
)
LINES = text(
    """
    SELECT y.quantity, CASE WHEN :english AND l.title_en <> '' THEN l.title_en ELSE l.title END AS title,
           CASE WHEN :english AND l.variant_title_en <> '' THEN l.variant_title_en ELSE l.variant_title END
           AS variant_title, l.sku, l.unit_price, l.workshop_name AS workshop
      FROM problem_lines y JOIN order_lines l ON l.id = y.order_line_id
     WHERE y.problem_id = :id ORDER BY l.position"""
)
COUNTS = text(
    f"""
    SELECT count(*) FILTER (WHERE x.state = 'open') AS open, count(*) FILTER (WHERE x.state = 'handed_over') AS office,
           min(x.answer_by) FILTER (WHERE x.state = 'open') AS next {FROM}"""
)


@dataclass(frozen=True)
class ProblemRow:
    """A problem as a list or its page shows it."""

    id: int
    order_id: int
    order_number: str
    #: The order's: what language the words are likely in.
    locale: str
    parcel_id: int
    #: Parcel 1, 2 … of its order.
    position: int
    facility_code: str
    facility_name: str
    time_zone: str
    kind: str
    #: None: erased.
    words: str | None
    state: str
    reported_at: datetime.datetime
    answer_by: datetime.date
    handed_over_at: datetime.datetime | None
    answered_at: datetime.datetime | None
    answer: str
    refund_id: int | None
    refund_state: str | None
    refund_amount: int | None
    received_at: datetime.datetime | None
    #: How many.
    photos: int

    @property
    def waits(self) -> bool:
        return self.state in ("open", "handed_over")

    @property
    def is_due_today(self) -> bool:
        return self.state == "open" and self.answer_by <= today()


@dataclass(frozen=True)
class ProblemPiece:
    quantity: int
    title: str
    variant_title: str
    sku: str
    unit_price: int
    workshop: str

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class Waiting:
    """How many problems wait: for the facility, and for the office; the facility's next deadline."""

    open: int
    office: int
    next: datetime.date | None


LISTED = Paged(
    ProblemRow,
    f"{ROW}, {{keys}} {TABLES}",
    "SELECT count(*), 0 FROM problems x",
    {"": PLACE},
    {"ids": "x.facility_id = ANY (CAST(:ids AS bigint[]))", "state": "x.state = :state"},
)


def of_order(order_id: int) -> list[ProblemRow]:
    """All problems of an order, the latest first."""
    query = text(f"{COLUMNS} AND x.order_id = :order ORDER BY x.id DESC")
    return _rows(query, {"ids": None, "order": order_id})


def listed(
    facility_ids: Iterable[int] | None, turn: Turn = FIRST, state: str | None = None
) -> Keyed[ProblemRow]:
    """A page of the problems of some facilities (None: of all)."""
    return LISTED.page({"ids": as_list(facility_ids), "state": state}, turn, size=PAGE)


def one(problem_id: int, facility_ids: Iterable[int] | None) -> ProblemRow:
    """One problem of some facilities. Raises NotFound for another's."""
    rows = _rows(text(f"{COLUMNS} AND x.id = :id"), {"ids": as_list(facility_ids), "id": problem_id})
    if not rows:
        raise NotFound()
    return rows[0]


def pieces(problem_id: int) -> list[ProblemPiece]:
    """What it concerns, as sold."""
    values = {"id": problem_id, "english": locale() == "en"}
    return [ProblemPiece(**row) for row in db.session.execute(LINES, values).mappings()]


def waiting(facility_ids: Iterable[int] | None) -> Waiting:
    """What waits in some facilities (None: in all)."""
    row = db.session.execute(COUNTS, {"ids": as_list(facility_ids)}).mappings().one()
    return Waiting(**row)


def photo_key(problem_id: int, position: int) -> str:
    """Where a photo lies in private storage. Raises NotFound."""
    query = select(ProblemPhoto.key).where(
        ProblemPhoto.problem_id == problem_id, ProblemPhoto.position == position
    )
    key = db.session.scalar(query)
    if key is None:
        raise NotFound()
    return key


def of_shopper(problem_id: int, order_id: int) -> Problem:
    """A problem of this very order. Raises NotFound."""
    found = db.session.get(Problem, problem_id)
    if found is None or found.order_id != order_id:
        raise NotFound()
    return found


def _rows(query: Any, values: dict[str, Any]) -> list[ProblemRow]:
    rows: Sequence[Any] = db.session.execute(query, values).mappings().all()
    return [ProblemRow(**row) for row in rows]
