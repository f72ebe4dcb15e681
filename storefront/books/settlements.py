"""Settlements as pages show them: what can be settled now, what was proposed, approved, paid."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import text

from storefront import days
from storefront.books import transfer_plan
from storefront.books.bank_accounts import mask
from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale
from storefront.ledger.passing_on import OwedTo

#: In the order of their lives.
STATES = ("proposed", "approved", "paid", "rejected", "reversed")

AVAILABLE = text(
    """
    WITH held AS (
        SELECT a.facility_id, a.fund_id,
               COALESCE(-sum(p.amount) FILTER (WHERE a.kind = 'liability'), 0)::bigint AS owed,
               COALESCE(sum(p.amount) FILTER (WHERE a.kind = 'asset'), 0)::bigint AS receivable
          FROM accounts a JOIN postings p ON p.account_id = a.id
         WHERE a.facility_id IS NOT NULL
           AND (CAST(:ids AS bigint[]) IS NULL OR a.facility_id = ANY (CAST(:ids AS bigint[])))
         GROUP BY a.facility_id, a.fund_id),
    pending AS (
        SELECT facility_id, fund_id, sum(amount - already_transferred(id))::bigint AS amount FROM settlements
         WHERE state IN ('proposed', 'approved') GROUP BY facility_id, fund_id)
    SELECT f.id AS facility_id, f.code AS facility_code, f.name AS facility_name, h.fund_id,
           COALESCE(u.code, 'shipping') AS fund_code, CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END
           AS fund_label, h.owed, h.receivable, COALESCE(w.amount, 0)::bigint AS pending, b.bank, b.number
      FROM held h
      JOIN facilities f ON f.id = h.facility_id
      LEFT JOIN funds u ON u.id = h.fund_id
      LEFT JOIN pending w ON w.facility_id = h.facility_id AND w.fund_id IS NOT DISTINCT FROM h.fund_id
      LEFT JOIN bank_accounts b ON b.facility_id = f.id AND b.approved_at IS NOT NULL
            AND b.valid_from <= :today AND COALESCE(b.valid_to, :today) >= :today
     WHERE u.code IS DISTINCT FROM 'state_revenue' AND (h.owed <> 0 OR h.receivable <> 0)
     ORDER BY f.name, f.code, u.position NULLS LAST, u.id"""
)
ROWS = """
    SELECT s.id, s.facility_id, f.code AS facility_code, f.name AS facility_name,
           COALESCE(u.code, 'shipping') AS fund_code,
           CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END AS fund_label,
           COALESCE(s.transferred, s.amount) AS amount, s.state, s.note,
           b.bank, b.number, b.holder, s.proposed_by, p.name AS proposed_by_name, s.proposed_at,
           q.name AS approved_by_name, s.approved_at, r.name AS rejected_by_name, s.rejected_at,
           s.paid_on, s.bank_reference, s.paid_by, w.name AS paid_by_name, c.account AS connected_account,
           s.amount - COALESCE(s.transferred, s.amount) AS not_transferred,
           s.reversed_on, v.name AS reversed_by_name, s.reversal_reason, {keys}
      FROM settlements s
      JOIN facilities f ON f.id = s.facility_id
      LEFT JOIN bank_accounts b ON b.id = s.bank_account_id
      LEFT JOIN connected_accounts c ON c.id = s.connected_account_id
      JOIN people p ON p.id = s.proposed_by
      LEFT JOIN funds u ON u.id = s.fund_id
      LEFT JOIN people q ON q.id = s.approved_by
      LEFT JOIN people w ON w.id = s.paid_by
      LEFT JOIN people r ON r.id = s.rejected_by
      LEFT JOIN people v ON v.id = s.reversed_by"""


@dataclass(frozen=True)
class Available:
    """What a facility is owed from a fund or for shipping, and how much of it can be settled; in rupiah."""

    facility_id: int
    facility_code: str
    facility_name: str
    #: None: shipping.
    fund_id: int | None
    fund_code: str
    fund_label: str | None
    owed: int
    #: Passed on too much before; it comes off first.
    receivable: int
    #: Proposed or approved already.
    pending: int
    #: The account it would go to today, None when none is in force.
    bank: str | None
    number: str | None
    #: What of it goes by transfers of the charges it came with; the rest by bank.
    by_transfer: int = 0

    @property
    def free(self) -> int:
        return self.owed - self.receivable - self.pending

    @property
    def name(self) -> str:
        """Of its field on a form; `settle.field_of` says the same."""
        return f"{self.facility_code}-{self.fund_code}"

    @property
    def account(self) -> str | None:
        """The bank and the masked number."""
        return f"{self.bank} {mask(self.number)}" if self.number else None


@dataclass(frozen=True)
class SettlementRow:
    """A settlement with the names that belong to it."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    fund_code: str
    fund_label: str | None
    amount: int
    state: str
    note: str
    #: Where it goes by bank; None of what goes by transfers.
    bank: str | None
    number: str | None
    holder: str | None
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None
    paid_on: datetime.date | None
    bank_reference: str | None
    paid_by: int | None
    paid_by_name: str | None
    reversed_on: datetime.date | None
    reversed_by_name: str | None
    reversal_reason: str | None
    #: Where it goes by transfers: the facility's account at the provider.
    connected_account: str | None = None
    #: Agreed on, and not transferred in the end.
    not_transferred: int = 0

    @property
    def account(self) -> str:
        """The bank and the masked number, or the account at the provider."""
        if self.number is None:
            return f"Stripe {self.connected_account}"
        return f"{self.bank} {mask(self.number)}"


LISTING = Paged(
    SettlementRow,
    ROWS,
    """SELECT count(*), sum(COALESCE(s.transferred, s.amount))::bigint
         FROM settlements s JOIN facilities f ON f.id = s.facility_id LEFT JOIN funds u ON u.id = s.fund_id""",
    {"": Order((("s.id", "bigint"),))},
    {
        "ids": "s.facility_id = ANY (CAST(:ids AS bigint[]))",
        "id": "s.id = :id",
        "state": "s.state = :state",
        "code": "f.code = :code",
        "fund": "COALESCE(u.code, 'shipping') = :fund",
        "by_bank": "(s.bank_account_id IS NOT NULL) = :by_bank",
    },
)


def available(facility_ids: Iterable[int] | None) -> list[Available]:
    """What can be settled now, by facility and fund; of some facilities, or (None) of all."""
    values = {"ids": as_list(facility_ids), "today": days.today(), "english": locale() == "en"}
    rows = [Available(**row) for row in db.session.execute(AVAILABLE, values).mappings()]
    return [_with_transfers(row) for row in rows]


def _with_transfers(row: Available) -> Available:
    """The same, with what of it can be transferred; asks only where a facility has an account at the provider."""
    if row.free <= 0:
        return row
    of = OwedTo(row.facility_id, row.facility_code, row.fund_id, row.fund_code)
    if transfer_plan.account_for(of, days.today()) is None:
        return row
    return replace(row, by_transfer=min(row.free, transfer_plan.transferable(of)))


def listing(
    facility_ids: Iterable[int] | None,
    *,
    state: str | None = None,
    facility: str | None = None,
    fund: str | None = None,
    turn: Turn = FIRST,
    by_bank: bool = False,
) -> Keyed[SettlementRow]:
    """Settlements, the latest first; `facility` and `fund` are codes (fund `shipping` too).

    `by_bank`: those alone that our bank sends.
    """
    asked = {"ids": as_list(facility_ids), "state": state, "code": facility, "fund": fund, "by_bank": by_bank or None}
    return LISTING.page(asked, turn, english=locale() == "en")


def find(settlement_id: int, facility_ids: Iterable[int] | None) -> SettlementRow | None:
    """One settlement, None when it does not exist or is none of these facilities'."""
    return LISTING.one({"ids": as_list(facility_ids), "id": settlement_id}, english=locale() == "en")


def counts(facility_ids: Iterable[int] | None) -> dict[str, int]:
    """Number of settlements by state, zero where there is none."""
    rows = db.session.execute(
        text(
            """SELECT state, count(*) AS number FROM settlements
                WHERE CAST(:ids AS bigint[]) IS NULL OR facility_id = ANY (CAST(:ids AS bigint[])) GROUP BY state"""
        ),
        {"ids": as_list(facility_ids)},
    )
    found = {row.state: row.number for row in rows}
    return {state: found.get(state, 0) for state in STATES}
