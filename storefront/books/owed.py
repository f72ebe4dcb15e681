"""What is owed to whom now, and the postings behind each balance."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.ledger.shares import STANDARD_FUNDS

#: Columns of the table of balances; shipping is owed to a facility but to no fund.
COLUMNS = (*STANDARD_FUNDS, "other", "shipping")

BALANCES = text(
    """
    SELECT f.code, f.name, COALESCE(u.code, 'shipping') AS fund, a.code AS account, -sum(p.amount)::bigint AS amount
      FROM accounts a
      JOIN postings p ON p.account_id = a.id
      JOIN facilities f ON f.id = a.facility_id
      LEFT JOIN funds u ON u.id = a.fund_id
     WHERE a.kind = 'liability' AND (CAST(:ids AS bigint[]) IS NULL OR f.id = ANY (CAST(:ids AS bigint[])))
     GROUP BY f.code, f.name, u.code, a.code
     ORDER BY f.name, f.code"""
)

ACCOUNT = text("SELECT id, kind, facility_id FROM accounts WHERE code = :code")
BALANCE = text("SELECT COALESCE(sum(amount), 0)::bigint FROM postings WHERE account_id = :account")
POSTINGS = """
    SELECT p.id, p.amount, e.effective_date, e.happened_on, e.posted_at, e.source, e.kind,
           o.number AS order_number, l.title, l.title_en, l.sku,
           {keys}
      FROM postings p
      JOIN journal_entries e ON e.id = p.entry_id
      LEFT JOIN orders o ON o.id = e.order_id
      LEFT JOIN order_lines l ON l.id = p.order_line_id"""


@dataclass
class FacilityOwed:
    """What a facility is owed, in rupiah, by fund."""

    code: str
    name: str
    #: Column → (account's code, amount). Several funds of other codes have no single account.
    amounts: dict[str, tuple[str | None, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(amount for _account, amount in self.amounts.values())


@dataclass(frozen=True)
class Posting:
    """One posting of an account: debit > 0, credit < 0, in rupiah."""

    id: int
    amount: int
    effective_date: datetime.date
    #: The day it happened on, when it became known after that month was closed.
    happened_on: datetime.date | None
    posted_at: datetime.datetime
    source: str
    kind: str
    order_number: str | None
    #: The line of the order, as sold.
    title: str | None
    title_en: str | None
    sku: str | None


@dataclass(frozen=True)
class AccountPage:
    """One page of an account's postings, the latest first; `balance` is of all of them, whatever is asked for."""

    code: str
    kind: str
    facility_id: int | None
    balance: int
    found: Keyed[Posting]


OF_ACCOUNT = Paged(
    Posting,
    POSTINGS,
    "SELECT count(*), sum(p.amount)::bigint FROM postings p JOIN journal_entries e ON e.id = p.entry_id",
    {"": Order((("p.id", "bigint"),))},
    {"first": "e.effective_date >= :first", "last": "e.effective_date <= :last"},
    always="p.account_id = :account",
)


def balances(facility_ids: Iterable[int] | None) -> list[FacilityOwed]:
    """What each facility is owed by all that was booked; of some facilities, or (None) of all."""
    rows: dict[str, FacilityOwed] = {}
    ids = None if facility_ids is None else list(facility_ids)
    for code, name, fund, account, amount in db.session.execute(BALANCES, {"ids": ids}):
        row = rows.setdefault(code, FacilityOwed(code, name))
        column = fund if fund in COLUMNS else "other"
        known, before = row.amounts.get(column, (account, 0))
        row.amounts[column] = (account if known == account else None, before + amount)
    return list(rows.values())


def account_page(
    code: str, *, first: datetime.date | None = None, last: datetime.date | None = None, turn: Turn = FIRST
) -> AccountPage | None:
    """A page of the postings of the account `code`, booked on days from `first` to `last`; None: no such account."""
    account = db.session.execute(ACCOUNT, {"code": code}).one_or_none()
    if account is None:
        return None
    found = OF_ACCOUNT.page({"first": first, "last": last}, turn, account=account.id)
    balance = found.amount
    if first or last:
        balance = db.session.execute(BALANCE, {"account": account.id}).scalar_one()
    return AccountPage(code, account.kind, account.facility_id, balance, found)
