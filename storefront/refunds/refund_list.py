"""Refunds as pages list them: what waits for a person first, then the latest.

Whoever sees some facilities alone is shown their part of each refund, and decides only on refunds that are
theirs as a whole.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.books.standing import Standing
from storefront.extensions import db
from storefront.keyset import FIRST, Order, Turn, fetch
from storefront.orders.models import Parcel
from storefront.refunds.refund_parts import REASONS

#: Waiting ones first, in the order of their lives.
STATES = ("proposed", "failed", "requested", "pending", "by_bank", "succeeded", "rejected")
AUTOMATIC = ("paid_too_late", "paid_twice", "order_ended", "cancelled")
ALL_REASONS = (*REASONS, *AUTOMATIC)

#: `own` is what a refund gives back of the reader's facilities, `others` how many parts are somebody else's.
#: A late or second payment has no parts; it belongs to whoever sees all lines of its order.
TABLES = """
  FROM refunds r
  JOIN orders o ON o.id = r.order_id
  JOIN payments p ON p.id = r.payment_id
  LEFT JOIN people a ON a.id = r.proposed_by
  LEFT JOIN people b ON b.id = r.approved_by
  CROSS JOIN LATERAL (
       SELECT count(*) AS number, count(*) FILTER (WHERE NOT x.is_own) AS others,
              COALESCE(sum(x.amount) FILTER (WHERE x.is_own), 0)::bigint AS own,
              array_agg(DISTINCT f.code) FILTER (WHERE x.is_own) AS codes,
              array_agg(DISTINCT f.id) FILTER (WHERE x.is_own) AS facilities
         FROM (SELECT y.facility_id, y.amount,
                      CAST(:ids AS bigint[]) IS NULL OR y.facility_id = ANY (CAST(:ids AS bigint[])) AS is_own
                 FROM (SELECT l.facility_id, x.amount FROM refund_lines x
                         JOIN order_lines l ON l.id = x.order_line_id WHERE x.refund_id = r.id
                        UNION ALL
                       SELECT q.facility_id, x.amount FROM refund_parcels x
                         JOIN parcels q ON q.id = x.parcel_id WHERE x.refund_id = r.id) y) x
         JOIN facilities f ON f.id = x.facility_id) parts"""
IN_REACH = """
       (parts.own > 0 OR (parts.number = 0 AND (CAST(:ids AS bigint[]) IS NULL OR NOT EXISTS (
           SELECT FROM order_lines l WHERE l.order_id = r.order_id
              AND l.facility_id <> ALL (CAST(:ids AS bigint[]))))))"""
FROM = f"{TABLES} WHERE {IN_REACH}"
FILTERS = """
   AND (CAST(:reason AS text) IS NULL OR r.reason = CAST(:reason AS text))
   AND (CAST(:facility AS text) IS NULL OR CAST(:facility AS text) = ANY (parts.codes))
   AND (CAST(:first AS date) IS NULL OR r.requested_at >= CAST(:first AS timestamp) AT TIME ZONE 'Asia/Jakarta')
   AND (CAST(:last AS date) IS NULL
        OR r.requested_at < (CAST(:last AS timestamp) + interval '1 day') AT TIME ZONE 'Asia/Jakarta')"""
AMOUNT = "CASE WHEN parts.number = 0 THEN r.amount ELSE parts.own END"
COLUMNS = """
    SELECT r.id, o.number AS order_number, {amount} AS amount, parts.others = 0 AS is_whole, r.reason, r.state,
           r.note, r.requested_at, r.finished_at, r.proposed_by, a.name AS proposed_by_name, r.approved_by,
           b.name AS approved_by_name, r.approved_at, r.attempt, r.failure, p.gateway,
           COALESCE(parts.codes, '{}') AS facility_codes, COALESCE(parts.facilities, '{}') AS facility_ids,
           COALESCE((SELECT sum(x.amount) FROM journal_entries e
                       JOIN postings x ON x.entry_id = e.id
                       JOIN accounts c ON c.id = x.account_id AND c.kind = 'asset' AND c.facility_id IS NOT NULL
                      WHERE e.source = 'refund:' || r.id || '\\:succeeded' AND (CAST(:ids AS bigint[]) IS NULL
                         OR c.facility_id = ANY (CAST(:ids AS bigint[])))), 0)::bigint AS receivable""".replace(
    "{amount}", AMOUNT
)
#: What waits for a person, then the latest.
PLACE = Order((("(r.state IN ('proposed', 'failed'))", "boolean"), ("r.id", "bigint")))
ONE = text(f"{COLUMNS} {FROM} AND r.id = :id")
OF_ORDER = text(f"{COLUMNS} {FROM} AND r.order_id = :order_id ORDER BY r.id DESC")
IN_PARCEL = """
   AND (EXISTS (SELECT FROM refund_parcels x WHERE x.refund_id = r.id AND x.parcel_id = :parcel_id)
     OR EXISTS (SELECT FROM refund_pieces x WHERE x.refund_id = r.id AND x.parcel_id = :parcel_id)
     OR EXISTS (SELECT FROM refund_lines x JOIN parcel_lines l ON l.order_line_id = x.order_line_id
                 WHERE x.refund_id = r.id AND x.quantity = 0 AND l.parcel_id = :parcel_id))"""
OF_PARCEL = text(
    f"{COLUMNS} {FROM} AND parts.number > 0 AND r.order_id = :order_id {IN_PARCEL} ORDER BY r.id DESC"
)
TOTALS = text(
    f"SELECT r.state, count(*) AS number, sum({AMOUNT})::bigint AS amount {FROM} {FILTERS} GROUP BY r.state"
)
WAITING = text(
    f"""SELECT count(*), sum({AMOUNT})::bigint, accounting_date(min(r.requested_at)) {FROM}
           AND r.state IN ('proposed', 'failed')"""
)
PARTS = text(
    """
    SELECT l.facility_code, l.title, l.variant_title, l.sku, x.quantity, x.amount, x.pieces, l.position, NULL AS parcel
      FROM refund_lines x JOIN order_lines l ON l.id = x.order_line_id
     WHERE x.refund_id = :id AND (CAST(:ids AS bigint[]) IS NULL OR l.facility_id = ANY (CAST(:ids AS bigint[])))
     UNION ALL
    SELECT f.code, '', '', '', 0, x.amount, 'none', 1000000 + p.position, p.position
      FROM refund_parcels x JOIN parcels p ON p.id = x.parcel_id JOIN facilities f ON f.id = p.facility_id
     WHERE x.refund_id = :id AND (CAST(:ids AS bigint[]) IS NULL OR p.facility_id = ANY (CAST(:ids AS bigint[])))
     ORDER BY position"""
)


@dataclass(frozen=True)
class RefundRow:
    """A refund; amounts are the part of it that the reader may see, in rupiah."""

    id: int
    order_number: str
    amount: int
    #: Nothing of it belongs to facilities that the reader does not see.
    is_whole: bool
    reason: str
    state: str
    note: str
    requested_at: datetime.datetime
    finished_at: datetime.datetime | None
    #: None: by itself, of a late or second payment.
    proposed_by: int | None
    proposed_by_name: str | None
    approved_by: int | None
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    attempt: int
    failure: str | None
    gateway: str
    facility_codes: Sequence[str]
    facility_ids: Sequence[int]
    #: Passed on already when it was given back: comes off the next settlement or deposit.
    receivable: int


@dataclass(frozen=True)
class RefundPart:
    """What of a line goes back, or (with `parcel`, its number in the order) of a parcel's shipping."""

    facility_code: str
    title: str
    variant_title: str
    sku: str
    quantity: int
    amount: int
    pieces: str
    position: int
    parcel: int | None


@dataclass(frozen=True)
class Asked:
    """Which refunds to list; None: whatever it is."""

    state: str | None = None
    reason: str | None = None
    #: A facility's code.
    facility: str | None = None
    #: Accounting days on which they were asked for, both included.
    first: datetime.date | None = None
    last: datetime.date | None = None


@dataclass(frozen=True)
class RefundPage:
    """A page of refunds; number and sum by state are of the whole selection, whatever its state."""

    rows: Sequence[RefundRow]
    totals: dict[str, tuple[int, int]]
    #: Keys of the neighbouring pages; None where there is none.
    older: str | None
    newer: str | None

    def total(self, state: str | None) -> tuple[int, int]:
        """Number and sum of the refunds of a state, or (None) of all of them."""
        chosen = [sums for name, sums in self.totals.items() if state in (None, name)]
        return sum(number for number, _ in chosen), sum(amount for _, amount in chosen)


def listing(asked: Asked, facility_ids: Iterable[int] | None, turn: Turn = FIRST) -> RefundPage:
    """Refunds, a page of them, as some facilities' people, or (None) all, see them."""
    values: dict[str, Any] = {"ids": as_list(facility_ids), **vars(asked)}
    totals = {row.state: (row.number, row.amount) for row in db.session.execute(TOTALS, values)}
    selection = f"{IN_REACH} {FILTERS} AND (CAST(:state AS text) IS NULL OR r.state = CAST(:state AS text))"
    rows, older, newer = fetch(f"{COLUMNS}, {{keys}} {TABLES}", selection, values, PLACE, turn)
    return RefundPage([RefundRow(**row) for row in rows], totals, older, newer)


def waiting(facility_ids: Iterable[int] | None) -> Standing:
    """The refunds that wait for a person: to be approved, or to be sent again."""
    return Standing(*db.session.execute(WAITING, {"ids": as_list(facility_ids)}).one())


def find(refund_id: int, facility_ids: Iterable[int] | None) -> RefundRow | None:
    """One refund; None when nothing of it belongs to these facilities."""
    rows = _rows(ONE, {"ids": as_list(facility_ids), "id": refund_id})
    return rows[0] if rows else None


def of_order(order_id: int, facility_ids: Iterable[int] | None) -> list[RefundRow]:
    """The refunds of an order, the latest first."""
    return _rows(OF_ORDER, {"ids": as_list(facility_ids), "order_id": order_id})


def of_parcel(parcel: Parcel) -> list[RefundRow]:
    """The refunds of pieces or shipping of a parcel, the latest first, as its facility sees them."""
    values = {"ids": [parcel.facility_id], "order_id": parcel.order_id, "parcel_id": parcel.id}
    return _rows(OF_PARCEL, values)


def parts(refund_id: int, facility_ids: Iterable[int] | None) -> list[RefundPart]:
    """What a refund gives back, lines first, then shipping."""
    values = {"id": refund_id, "ids": as_list(facility_ids)}
    return [RefundPart(**row) for row in db.session.execute(PARTS, values).mappings()]


def _rows(query: Any, values: dict[str, Any]) -> list[RefundRow]:
    return [RefundRow(**row) for row in db.session.execute(query, values).mappings()]
