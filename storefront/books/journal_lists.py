"""Payouts, disputes, corrections and bearers of fees, as pages list them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.books.bank_accounts import mask
from storefront.books.listed import Listed, listed
from storefront.days import today
from storefront.extensions import db
from storefront.languages import locale

PAYOUTS = text(
    """
    SELECT o.id, o.gateway, o.reference, o.amount, o.arrived_on, b.bank, b.number, p.name AS recorded_by_name,
           o.recorded_at, count(*) OVER () AS all_rows, sum(o.amount) OVER () AS all_amount
      FROM payouts o JOIN bank_accounts b ON b.id = o.bank_account_id LEFT JOIN people p ON p.id = o.recorded_by
     WHERE (CAST(:gateway AS text) IS NULL OR o.gateway = CAST(:gateway AS text))
       AND (CAST(:first AS date) IS NULL OR o.arrived_on >= CAST(:first AS date))
       AND (CAST(:last AS date) IS NULL OR o.arrived_on <= CAST(:last AS date))
     ORDER BY o.arrived_on DESC, o.id DESC LIMIT :limit OFFSET :offset"""
)
DISPUTES = text(
    """
    SELECT d.id, d.reference, d.amount, d.state, d.opened_at, d.closed_at, o.number AS order_number, p.gateway,
           p.id AS payment_id, count(*) OVER () AS all_rows, sum(d.amount) OVER () AS all_amount
      FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id
     WHERE (CAST(:state AS text) IS NULL OR d.state = CAST(:state AS text))
     ORDER BY d.state <> 'open', d.id DESC LIMIT :limit OFFSET :offset"""
)
CORRECTIONS = text(
    """
    SELECT c.id, c.reason, c.effective_date, c.legs, c.state, c.proposed_by, p.name AS proposed_by_name,
           c.proposed_at, a.name AS approved_by_name, c.approved_at, r.name AS rejected_by_name, c.rejected_at,
           count(*) OVER () AS all_rows, 0 AS all_amount
      FROM corrections c
      JOIN people p ON p.id = c.proposed_by
      LEFT JOIN people a ON a.id = c.approved_by
      LEFT JOIN people r ON r.id = c.rejected_by
     WHERE (CAST(:state AS text) IS NULL OR c.state = CAST(:state AS text))
       AND (CAST(:id AS bigint) IS NULL OR c.id = CAST(:id AS bigint))
     ORDER BY c.state <> 'proposed', c.id DESC LIMIT :limit OFFSET :offset"""
)
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


def payouts(
    *, gateway: str | None, first: datetime.date | None, last: datetime.date | None, page: int
) -> Listed[PayoutRow]:
    """What arrived from gateways, the latest first."""
    return listed(PayoutRow, PAYOUTS, {"gateway": gateway, "first": first, "last": last}, page)


def disputes(*, state: str | None, page: int) -> Listed[DisputeRow]:
    """Open disputes first, then the latest."""
    return listed(DisputeRow, DISPUTES, {"state": state}, page)


def corrections(*, state: str | None, page: int) -> Listed[CorrectionRow]:
    """Proposals first, then the latest."""
    return listed(CorrectionRow, CORRECTIONS, {"state": state, "id": None}, page)


def correction(correction_id: int) -> CorrectionRow | None:
    """One correction."""
    found = listed(CorrectionRow, CORRECTIONS, {"state": None, "id": correction_id}, 1)
    return found.rows[0] if found.rows else None


def bearers() -> list[BearerRow]:
    """All bearers of fees, proposals first."""
    found = db.session.execute(BEARERS, {"today": today(), "english": locale() == "en"}).mappings()
    return [BearerRow(**row) for row in found]


def counts(of: str) -> dict[str, int]:
    """How many `disputes` or `corrections` there are in each state."""
    return {row.state: row.number for row in db.session.execute(COUNTS[of])}
