"""Payouts, disputes, corrections and bearers of fees, as pages list them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.books.bank_accounts import mask
from storefront.days import today
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale

PAYOUT_ROWS = """
    SELECT o.id, o.gateway, o.reference, o.amount, o.arrived_on, b.bank, b.number, p.name AS recorded_by_name,
           o.recorded_at, {keys}
      FROM payouts o JOIN bank_accounts b ON b.id = o.bank_account_id LEFT JOIN people p ON p.id = o.recorded_by"""
DISPUTE_ROWS = """
    SELECT d.id, d.reference, d.amount, d.state, d.opened_at, d.closed_at, o.number AS order_number, p.gateway,
           p.id AS payment_id, {keys}
      FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id"""
CORRECTION_ROWS = """
    SELECT c.id, c.reason, c.effective_date, c.legs, c.state, c.proposed_by, p.name AS proposed_by_name,
           c.proposed_at, a.name AS approved_by_name, c.approved_at, r.name AS rejected_by_name, c.rejected_at, {keys}
      FROM corrections c
      JOIN people p ON p.id = c.proposed_by
      LEFT JOIN people a ON a.id = c.approved_by
      LEFT JOIN people r ON r.id = c.rejected_by"""
BEARERS = text(
    """
    SELECT b.id, b.valid_from, b.legal_basis, u.code AS fund_code,
           CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END AS fund_label,
           CASE WHEN b.rejected_at IS NOT NULL THEN 'rejected' WHEN b.approved_at IS NULL THEN 'proposed'
                WHEN b.valid_from > :today THEN 'to_come'
                WHEN b.valid_from = max(b.valid_from) FILTER (WHERE b.approved_at IS NOT NULL
                     AND b.valid_from <= :today) OVER () THEN 'in_force'
                ELSE 'ended' END AS state,
           b.proposed_by, p.name AS proposed_by_name, b.proposed_at, a.name AS approved_by_name, b.approved_at
      FROM fee_bearers b
      LEFT JOIN funds u ON u.id = b.fund_id
      LEFT JOIN people p ON p.id = b.proposed_by
      LEFT JOIN people a ON a.id = b.approved_by
     ORDER BY b.approved_at IS NOT NULL OR b.rejected_at IS NOT NULL, b.valid_from DESC, b.id DESC"""
)
COUNTS = {
    "disputes": text("SELECT state, count(*) AS number FROM disputes GROUP BY state"),
    "corrections": text("SELECT state, count(*) AS number FROM corrections GROUP BY state"),
}


@dataclass(frozen=True)
class PayoutRow:
    id: int
    gateway: str
    reference: str
    amount: int
    arrived_on: datetime.date
    bank: str
    number: str
    recorded_by_name: str | None
    recorded_at: datetime.datetime

    @property
    def account(self) -> str:
        """The bank account, its number masked."""
        return f"{self.bank} {mask(self.number)}"


@dataclass(frozen=True)
class DisputeRow:
    id: int
    reference: str
    amount: int
    state: str
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None
    order_number: str
    gateway: str
    payment_id: str


@dataclass(frozen=True)
class CorrectionRow:
    id: int
    reason: str
    effective_date: datetime.date
    legs: Sequence[dict[str, Any]]
    state: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None

    @property
    def amount(self) -> int:
        """What is moved, in rupiah: the sum of its debits."""
        return sum(leg["amount"] for leg in self.legs if leg["amount"] > 0)


@dataclass(frozen=True)
class BearerRow:
    id: int
    valid_from: datetime.date
    legal_basis: str
    #: None: the operator.
    fund_code: str | None
    fund_label: str | None
    #: `proposed`, `in_force`, `to_come`, `ended` or `rejected`.
    state: str
    #: None: what the shop is shipped with.
    proposed_by: int | None
    proposed_by_name: str | None
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None


PAYOUTS = Paged(
    PayoutRow,
    PAYOUT_ROWS,
    "SELECT count(*), sum(o.amount)::bigint FROM payouts o",
    {"": Order((("o.arrived_on", "date"), ("o.id", "bigint")))},
    {"gateway": "o.gateway = :gateway", "first": "o.arrived_on >= :first", "last": "o.arrived_on <= :last"},
)
DISPUTES = Paged(
    DisputeRow,
    DISPUTE_ROWS,
    "SELECT count(*), sum(d.amount)::bigint FROM disputes d",
    {"": Order((("(d.state = 'open')", "boolean"), ("d.id", "bigint")))},
    {"state": "d.state = :state"},
)
CORRECTIONS = Paged(
    CorrectionRow,
    CORRECTION_ROWS,
    "SELECT count(*), 0 FROM corrections c",
    {"": Order((("(c.state = 'proposed')", "boolean"), ("c.id", "bigint")))},
    {"state": "c.state = :state", "id": "c.id = :id"},
)


def payouts(
    *, gateway: str | None, first: datetime.date | None, last: datetime.date | None, turn: Turn = FIRST
) -> Keyed[PayoutRow]:
    """What arrived from gateways, the latest first."""
    return PAYOUTS.page({"gateway": gateway, "first": first, "last": last}, turn)


def disputes(*, state: str | None, turn: Turn = FIRST) -> Keyed[DisputeRow]:
    """Open disputes first, then the latest."""
    return DISPUTES.page({"state": state}, turn)


def corrections(*, state: str | None, turn: Turn = FIRST) -> Keyed[CorrectionRow]:
    """Proposals first, then the latest."""
    return CORRECTIONS.page({"state": state}, turn)


def correction(correction_id: int) -> CorrectionRow | None:
    """One correction."""
    return CORRECTIONS.one({"id": correction_id})


def bearers() -> list[BearerRow]:
    """All bearers of fees, proposals first."""
    found = db.session.execute(BEARERS, {"today": today(), "english": locale() == "en"}).mappings()
    return [BearerRow(**row) for row in found]


def counts(of: str) -> dict[str, int]:
    """How many `disputes` or `corrections` there are in each state."""
    return {row.state: row.number for row in db.session.execute(COUNTS[of])}
