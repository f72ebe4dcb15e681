"""Deposits as pages show them: what waits and until when, what was proposed and paid, what each carries."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from storefront import days
from storefront.books.deposit import UNDEPOSITED
from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn

#: In the order of their lives; `late` is no state of its own but what is past its day and not paid.
STATES = ("late", "proposed", "approved", "paid", "rejected", "reversed")

WAITING = text(
    f"""
    SELECT f.id AS facility_id, f.code AS facility_code, f.name AS facility_name, w.amount, w.lines, w.oldest,
           w.oldest + COALESCE((SELECT days FROM deposit_deadlines WHERE valid_from <= w.oldest
                                 ORDER BY valid_from DESC LIMIT 1), 0) AS due_on,
           EXISTS (SELECT FROM satkers s WHERE s.facility_id = f.id AND s.valid_from <= :until
                      AND COALESCE(s.valid_to, :until) >= :until) AS has_satker
      FROM (SELECT a.facility_id, -sum(p.amount)::bigint AS amount, count(*) AS lines,
                   min(e.effective_date) FILTER (WHERE p.amount < 0) AS oldest {UNDEPOSITED}
               AND (CAST(:ids AS bigint[]) IS NULL OR a.facility_id = ANY (CAST(:ids AS bigint[])))
             GROUP BY a.facility_id HAVING sum(p.amount) < 0) w
      JOIN facilities f ON f.id = w.facility_id
     ORDER BY due_on, f.name"""  # noqa: S608
)
ROWS = """
    SELECT d.id, d.facility_id, f.code AS facility_code, f.name AS facility_name, d.amount, d.due_on, d.state,
           d.billing_code, d.billing_expires_at, d.ntb, d.ntpn, d.paid_on, d.booked_on, d.proof_key,
           k.ministry_code, k.unit_code, k.office_code, k.tax_number, k.treasurer, k.revenue_account,
           d.proposed_by, p.name AS proposed_by_name, d.proposed_at, q.name AS approved_by_name, d.approved_at,
           r.name AS rejected_by_name, d.rejected_at,
           d.paid_by, w.name AS paid_by_name, d.reversed_on, v.name AS reversed_by_name, d.reversal_reason, {keys}
      FROM deposits d
      JOIN facilities f ON f.id = d.facility_id
      JOIN satkers k ON k.id = d.satker_id
      JOIN people p ON p.id = d.proposed_by
      LEFT JOIN people q ON q.id = d.approved_by
      LEFT JOIN people w ON w.id = d.paid_by
      LEFT JOIN people r ON r.id = d.rejected_by
      LEFT JOIN people v ON v.id = d.reversed_by"""
LATE = "(d.state IN ('proposed', 'approved') AND d.due_on < :today)"
#: The late ones first by their day, then the latest.
BY_DAY = Order(((LATE, "boolean"), (f"CASE WHEN {LATE} THEN date '2200-01-01' - d.due_on ELSE 0 END", "bigint"),
                ("d.id", "bigint")))  # fmt: skip
LINE_COLUMNS = """
    SELECT l.posting_id, l.amount, e.effective_date, e.kind, e.source, a.code AS account, o.number AS order_number,
           x.title, x.sku, {keys}
      FROM deposit_lines l
      JOIN postings p ON p.id = l.posting_id
      JOIN journal_entries e ON e.id = p.entry_id
      JOIN accounts a ON a.id = p.account_id
      LEFT JOIN orders o ON o.id = e.order_id
      LEFT JOIN order_lines x ON x.id = p.order_line_id"""
COUNTS = text(
    f"""SELECT CASE WHEN {LATE} THEN 'late' ELSE d.state END, d.state, count(*) FROM deposits d
         WHERE CAST(:ids AS bigint[]) IS NULL OR d.facility_id = ANY (CAST(:ids AS bigint[])) GROUP BY 1, 2"""  # noqa: S608
)


@dataclass(frozen=True)
class Waiting:
    """State revenue of a facility that no living deposit carries; in rupiah."""

    facility_id: int
    facility_code: str
    facility_name: str
    amount: int
    #: Postings.
    lines: int
    #: Day on which the oldest of it arrived, and until which it must be deposited.
    oldest: datetime.date
    due_on: datetime.date
    has_satker: bool

    @property
    def is_late(self) -> bool:
        return self.due_on < days.today()


@dataclass(frozen=True)
class DepositRow:
    """A deposit with its satker and the names that belong to it."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    amount: int
    due_on: datetime.date
    state: str
    billing_code: str | None
    billing_expires_at: datetime.datetime | None
    ntb: str | None
    ntpn: str | None
    paid_on: datetime.date | None
    booked_on: datetime.date | None
    proof_key: str | None
    ministry_code: str
    unit_code: str
    office_code: str
    tax_number: str
    treasurer: str
    revenue_account: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None
    paid_by: int | None
    paid_by_name: str | None
    reversed_on: datetime.date | None
    reversed_by_name: str | None
    reversal_reason: str | None

    @property
    def is_late(self) -> bool:
        """Past its day and not paid."""
        return self.state in ("proposed", "approved") and self.due_on < days.today()

    @property
    def is_code_expired(self) -> bool:
        """The billing code can no longer be paid."""
        if self.state != "approved" or self.billing_expires_at is None:
            return False
        return self.billing_expires_at <= datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Carried:
    """A posting that a deposit carries, in rupiah; what went back to a buyer is below zero."""

    posting_id: int
    amount: int
    effective_date: datetime.date
    kind: str
    source: str
    account: str
    order_number: str | None
    title: str | None
    sku: str | None


LISTING = Paged(
    DepositRow,
    ROWS,
    "SELECT count(*), sum(d.amount)::bigint FROM deposits d JOIN facilities f ON f.id = d.facility_id",
    {"": BY_DAY},
    {
        "ids": "d.facility_id = ANY (CAST(:ids AS bigint[]))",
        "id": "d.id = :id",
        "state": "d.state = :state",
        "late": f"{LATE} = :late",
        "code": "f.code = :code",
    },
)
LINES = Paged(
    Carried,
    LINE_COLUMNS,
    "SELECT count(*), sum(l.amount)::bigint FROM deposit_lines l",
    {"": Order((("l.posting_id", "bigint"),), descending=False)},
    {"id": "l.deposit_id = :id"},
)


def waiting(facility_ids: Iterable[int] | None) -> list[Waiting]:
    """What must still be deposited, the most urgent first; of some facilities, or (None) of all."""
    values = {"ids": as_list(facility_ids), "until": days.today()}
    return [Waiting(**row) for row in db.session.execute(WAITING, values).mappings()]


def listing(
    facility_ids: Iterable[int] | None,
    *,
    state: str | None = None,
    facility: str | None = None,
    turn: Turn = FIRST,
) -> Keyed[DepositRow]:
    """Deposits: those that are late first, then the latest; `facility` is a code."""
    wanted = {"late": True} if state == "late" else {"state": state}
    asked = {"ids": as_list(facility_ids), "code": facility, **wanted}
    return LISTING.page(asked, turn, today=days.today())


def find(deposit_id: int, facility_ids: Iterable[int] | None) -> DepositRow | None:
    """One deposit, None when it does not exist or is none of these facilities'."""
    return LISTING.one({"ids": as_list(facility_ids), "id": deposit_id}, today=days.today())


def lines(deposit_id: int, turn: Turn = FIRST) -> Keyed[Carried]:
    """What a deposit carries, in the order in which it was booked."""
    return LINES.page({"id": deposit_id}, turn)


def counts(facility_ids: Iterable[int] | None) -> dict[str, int]:
    """Number of deposits by state, and of those that are late."""
    found = dict.fromkeys(STATES, 0)
    for late, state, number in db.session.execute(
        COUNTS, {"ids": as_list(facility_ids), "today": days.today()}
    ):
        found[state] += number
        if late == "late":
            found["late"] += number
    return found
