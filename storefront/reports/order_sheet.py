"""An order as finance reads it: what was sold and given back, who got which share, and how it was booked.

Nothing of the buyer is read here. Whoever sees some facilities alone is shown their lines, parcels and postings;
payments pay several facilities at once and show to those who see all lines of the order.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import TextClause, text

from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.languages import locale

OWN = "(CAST(:ids AS bigint[]) IS NULL OR {column} = ANY (CAST(:ids AS bigint[])))"


def _of(column: str, query: str) -> TextClause:
    """The query with `{own}` in place: only what belongs to the reader's facilities, by that column."""
    return text(query.replace("{own}", OWN.replace("{column}", column)))


ORDER = text(
    """
    SELECT o.id, o.number, o.channel, o.state, o.placed_at, o.paid_at,
           (SELECT s.status FROM order_status s WHERE s.order_id = o.id) AS status,
           CAST(:ids AS bigint[]) IS NULL OR NOT EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.id
                AND l.facility_id <> ALL (CAST(:ids AS bigint[]))) AS is_whole
      FROM orders o WHERE o.number = :number"""
)
LINES = _of(
    "l.facility_id",
    """
    SELECT l.id, l.facility_id, l.facility_code, l.facility_name, l.workshop_name,
           CASE WHEN :english AND l.title_en <> '' THEN l.title_en ELSE l.title END AS title,
           CASE WHEN :english AND l.variant_title_en <> '' THEN l.variant_title_en ELSE l.variant_title END
           AS variant_title,
           l.sku, l.quantity, l.unit_price, l.net_amount, l.split_rule_id, l.split_basis,
           COALESCE(b.quantity, 0) AS quantity_back, COALESCE(b.amount, 0)::bigint AS amount_back,
           COALESCE(b.waiting, 0)::bigint AS waiting,
           COALESCE((SELECT sum(d.amount) FROM dispute_shares d WHERE d.order_line_id = l.id), 0)::bigint AS disputed
      FROM order_lines l
      LEFT JOIN LATERAL (
           SELECT sum(x.quantity) FILTER (WHERE r.state = 'succeeded')::int AS quantity,
                  sum(x.amount) FILTER (WHERE r.state = 'succeeded') AS amount,
                  sum(x.amount) FILTER (WHERE r.state IN ('proposed', 'requested', 'pending')) AS waiting
             FROM refund_lines x JOIN refunds r ON r.id = x.refund_id WHERE x.order_line_id = l.id) b ON true
     WHERE l.order_id = :order_id AND {own} ORDER BY l.position""",
)
SHARES = _of(
    "l.facility_id",
    """
    SELECT s.order_line_id, f.code AS fund_code, sum(s.amount)::bigint AS amount,
           CASE WHEN :english THEN f.finance_name_en ELSE f.finance_name END AS fund_label,
           (COALESCE(sum((SELECT sum(t.amount) FROM refund_shares t
                           WHERE t.order_line_id = s.order_line_id AND t.position = s.position)), 0)
          + COALESCE(sum((SELECT sum(t.amount) FROM dispute_shares t
                           WHERE t.order_line_id = s.order_line_id AND t.position = s.position)), 0))::bigint AS taken
      FROM order_line_shares s
      JOIN order_lines l ON l.id = s.order_line_id
      JOIN funds f ON f.id = s.fund_id
     WHERE l.order_id = :order_id AND {own}
     GROUP BY s.order_line_id, f.id ORDER BY s.order_line_id, f.position, f.id""",
)
PARCELS = _of(
    "p.facility_id",
    """
    SELECT p.id, p.position, p.facility_id, f.code AS facility_code, f.name AS facility_name, p.state,
           CASE WHEN :english THEN m.name_en ELSE m.name END AS method_name, p.shipping_amount,
           COALESCE((SELECT sum(x.amount) FROM refund_parcels x JOIN refunds r ON r.id = x.refund_id
                      WHERE x.parcel_id = p.id AND r.state = 'succeeded'), 0)::bigint
         + COALESCE((SELECT sum(d.amount) FROM dispute_parcels d WHERE d.parcel_id = p.id), 0)::bigint AS amount_back
      FROM parcels p
      JOIN facilities f ON f.id = p.facility_id
      JOIN shipping_methods m ON m.id = p.method_id
     WHERE p.order_id = :order_id AND p.merged_at IS NULL AND {own} ORDER BY p.position""",
)
PAYMENTS = text(
    """
    SELECT id, gateway, reference, amount, state, counts, fee, created_at, succeeded_at FROM payments
     WHERE order_id = :order_id ORDER BY created_at, id"""
)
ATTEMPTS = text(
    """
    SELECT a.payment_id, a.action, a.outcome, a.detail, a.at
      FROM payment_attempts a JOIN payments p ON p.id = a.payment_id
     WHERE p.order_id = :order_id ORDER BY a.id DESC LIMIT 200"""
)
ENTRIES = """
    SELECT e.id, e.source, e.kind, e.effective_date, e.happened_on, e.posted_at, w.name AS person_name,
           a.code AS account, p.amount, l.sku
      FROM journal_entries e
      JOIN postings p ON p.entry_id = e.id
      JOIN accounts a ON a.id = p.account_id
      LEFT JOIN people w ON w.id = e.person_id
      LEFT JOIN order_lines l ON l.id = p.order_line_id
     WHERE e.order_id = :order_id AND {own} ORDER BY e.id, p.id"""
#: Gateways' accounts belong to no facility: they show with an order that is seen as a whole.
OWN_ENTRIES, ALL_ENTRIES = _of("a.facility_id", ENTRIES), text(ENTRIES.replace("{own}", "true"))


@dataclass(frozen=True)
class SheetShare:
    """What a line gave to a fund, and what went back of it, in rupiah."""

    fund_code: str
    fund_label: str
    amount: int
    taken: int


@dataclass(frozen=True)
class SheetLine:
    """A line as sold, with what went back and what is asked for."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    workshop_name: str
    title: str
    variant_title: str
    sku: str
    quantity: int
    unit_price: int
    net_amount: int
    split_rule_id: int
    split_basis: str
    quantity_back: int
    amount_back: int
    #: Asked for and not yet given back.
    waiting: int
    #: Lost to payers' banks.
    disputed: int
    shares: list[SheetShare] = field(default_factory=list)


@dataclass(frozen=True)
class SheetParcel:
    id: int
    position: int
    facility_id: int
    facility_code: str
    facility_name: str
    state: str
    method_name: str
    shipping_amount: int
    #: Of its shipping, by refunds and lost disputes.
    amount_back: int


@dataclass(frozen=True)
class SheetAttempt:
    """One talk with the provider."""

    action: str
    outcome: str
    detail: str
    at: datetime.datetime


@dataclass(frozen=True)
class SheetPayment:
    id: str
    gateway: str
    reference: str | None
    amount: int
    state: str
    counts: bool
    fee: int | None
    created_at: datetime.datetime
    succeeded_at: datetime.datetime | None
    attempts: list[SheetAttempt] = field(default_factory=list)


@dataclass(frozen=True)
class SheetPosting:
    """Debit > 0, credit < 0, in rupiah."""

    account: str
    amount: int
    #: Of the line it belongs to.
    sku: str | None


@dataclass(frozen=True)
class SheetEntry:
    source: str
    kind: str
    effective_date: datetime.date
    #: The day it happened on, when it became known after that month was closed.
    happened_on: datetime.date | None
    posted_at: datetime.datetime
    person_name: str | None
    postings: list[SheetPosting] = field(default_factory=list)


@dataclass(frozen=True)
class OrderSheet:
    """The part of an order that the reader may see."""

    id: int
    number: str
    channel: str
    status: str
    placed_at: datetime.datetime
    paid_at: datetime.datetime | None
    #: The reader sees all lines of it.
    is_whole: bool
    lines: Sequence[SheetLine]
    parcels: Sequence[SheetParcel]
    #: Empty unless the order is seen as a whole.
    payments: Sequence[SheetPayment]
    entries: Sequence[SheetEntry]

    @property
    def items_total(self) -> int:
        return sum(line.net_amount for line in self.lines)

    @property
    def shipping_total(self) -> int:
        return sum(parcel.shipping_amount for parcel in self.parcels)

    @property
    def given_back(self) -> int:
        """By refunds and lost disputes, shipping included."""
        return sum(line.amount_back + line.disputed for line in self.lines) + sum(
            parcel.amount_back for parcel in self.parcels
        )


def order_sheet(number: str, facility_ids: Iterable[int] | None) -> OrderSheet | None:
    """The order as some facilities', or (None) all of them, see it; None when nothing of it is theirs."""
    ids = as_list(facility_ids)
    order = db.session.execute(ORDER, {"number": number, "ids": ids}).one_or_none()
    if order is None:
        return None
    values = {"order_id": order.id, "ids": ids, "english": locale() == "en"}
    lines = _lines(values)
    if not lines:
        return None
    return OrderSheet(
        id=order.id,
        number=order.number,
        channel=order.channel,
        status=order.status,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        is_whole=order.is_whole,
        lines=lines,
        parcels=[SheetParcel(**row) for row in db.session.execute(PARCELS, values).mappings()],
        payments=_payments(values) if order.is_whole else [],
        entries=_entries(values, order.is_whole),
    )


def order_id_of(number: str) -> int | None:
    """The order's id by its number."""
    found: int | None = db.session.scalar(
        text("SELECT id FROM orders WHERE number = :number"), {"number": number}
    )
    return found


def _lines(values: dict[str, Any]) -> list[SheetLine]:
    lines = {row["id"]: SheetLine(**row) for row in db.session.execute(LINES, values).mappings()}
    for row in db.session.execute(SHARES, values):
        lines[row.order_line_id].shares.append(
            SheetShare(row.fund_code, row.fund_label, row.amount, row.taken)
        )
    return list(lines.values())


def _payments(values: dict[str, Any]) -> list[SheetPayment]:
    payments = {row["id"]: SheetPayment(**row) for row in db.session.execute(PAYMENTS, values).mappings()}
    for row in db.session.execute(ATTEMPTS, values):
        payments[row.payment_id].attempts.append(SheetAttempt(row.action, row.outcome, row.detail, row.at))
    return list(payments.values())


def _entries(values: dict[str, Any], is_whole: bool) -> list[SheetEntry]:
    entries: dict[int, SheetEntry] = {}
    for row in db.session.execute(ALL_ENTRIES if is_whole else OWN_ENTRIES, values):
        entry = entries.setdefault(
            row.id,
            SheetEntry(
                row.source, row.kind, row.effective_date, row.happened_on, row.posted_at, row.person_name
            ),
        )
        entry.postings.append(SheetPosting(row.account, row.amount, row.sku))
    return list(entries.values())
