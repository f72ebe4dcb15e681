"""Entries that pass on what is owed: settlements, deposits, budget that returns, and their counter-entries.

`docs/ledger.md` draws each. Whoever calls has locked the account that is taken from (`lock`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from storefront.extensions import db
from storefront.ledger.balance import balance, lock_accounts
from storefront.ledger.book import (
    AccountKey,
    Leg,
    bank,
    book,
    clearing,
    owed,
    receivable,
    shipping_owed,
    shipping_receivable,
)
from storefront.ledger.models import Account, JournalEntry, Posting


@dataclass(frozen=True)
class OwedTo:
    """What a facility is owed from one fund, or (no fund) for shipping."""

    facility_id: int
    facility_code: str
    fund_id: int | None = None
    fund_code: str = ""

    @property
    def owed_account(self) -> AccountKey:
        if self.fund_id is None:
            return shipping_owed(self.facility_id, self.facility_code)
        return owed(self.facility_id, self.facility_code, self.fund_id, self.fund_code)

    @property
    def receivable_account(self) -> AccountKey:
        if self.fund_id is None:
            return shipping_receivable(self.facility_id, self.facility_code)
        return receivable(self.facility_id, self.facility_code, self.fund_id, self.fund_code)

    def net(self) -> int:
        """Rupiah owed, less what was passed on too much and must come back first."""
        return -balance(self.owed_account.code) - balance(self.receivable_account.code)


def lock(of: Iterable[OwedTo]) -> None:
    """Keep others who take from these accounts waiting until this transaction ends."""
    lock_accounts(one.owed_account.code for one in of)


def book_settlement(
    settlement_id: int,
    of: OwedTo,
    amount: int,
    bank_account_id: int,
    *,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """A facility was paid `amount` from the central account: what is owed to it becomes less by as much."""
    return book(
        f"settlement:{settlement_id}:paid",
        "settlement",
        on,
        _passed_on(of, amount, bank(bank_account_id)),
        person_id=person_id,
        posted_at=posted_at,
    )


def transfer_source(settlement_id: int, transfer_id: int) -> str:
    """The source of a transfer's entry: it is a part of its settlement."""
    return f"settlement:{settlement_id}:transfer:{transfer_id}"


def reversal_source(settlement_id: int, transfer_id: int, reversal_id: int) -> str:
    """The source of the entry by which a part of a transfer comes back."""
    return f"{transfer_source(settlement_id, transfer_id)}:reversed:{reversal_id}"


def book_facility_transfer(
    source: str, of: OwedTo, amount: int, gateway: str, *, on: datetime.date, person_id: int | None
) -> int:
    """A facility was paid `amount` out of what a gateway holds for us, rather than out of our bank."""
    legs = _passed_on(of, amount, clearing(gateway))
    return book(source, "settlement", on, legs, person_id=person_id)


def book_transfer_reversal(source: str, of: OwedTo, amount: int, gateway: str, *, on: datetime.date) -> int:
    """A transfer came back in part: what must come back of the facility is less by it.

    Where less must come back, because other money was still owed or a later settlement took it in, the rest is
    owed to the facility again.
    """
    to_come_back = min(amount, max(0, balance(of.receivable_account.code)))
    legs = [
        Leg(clearing(gateway), amount),
        Leg(of.receivable_account, -to_come_back),
        Leg(of.owed_account, to_come_back - amount),
    ]
    return book(source, "settlement", on, legs)


def book_deposit(
    deposit_id: int,
    of: OwedTo,
    amount: int,
    bank_account_id: int,
    *,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """State revenue was paid to the treasury from the central account."""
    return book(
        f"deposit:{deposit_id}:paid",
        "deposit",
        on,
        _passed_on(of, amount, bank(bank_account_id)),
        person_id=person_id,
        posted_at=posted_at,
    )


def book_budget_return(
    return_id: int,
    of: OwedTo,
    amount: int,
    bank_account_id: int,
    *,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """Money that had gone to the treasury came back as budget: a fund of the facility is owed it again."""
    legs = [Leg(bank(bank_account_id), amount), Leg(of.owed_account, -amount)]
    source = f"budget_return:{return_id}:booked"
    return book(source, "budget_return", on, legs, person_id=person_id, posted_at=posted_at)


def book_counter_entry(
    source: str,
    reversing: str,
    *,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """Undo the entry whose source is `reversing` by one that turns every posting around.

    What was paid too much and has come back meanwhile, taken in by a later payment, does not come back a
    second time: that part is owed again. Raises NoResultFound when there is no such entry.
    """
    entry_id = db.session.scalars(select(JournalEntry.id).where(JournalEntry.source == reversing)).one()
    rows = db.session.execute(
        select(
            Account.code,
            Account.kind,
            Account.facility_id,
            Account.fund_id,
            Account.gateway,
            Account.bank_account_id,
            Posting.amount,
            Posting.order_line_id,
        )
        .join(Account, Account.id == Posting.account_id)
        .where(Posting.entry_id == entry_id)
        .order_by(Posting.id)
    )
    legs = [
        part for row in rows for part in _turned(AccountKey(*row[:6]), -row.amount, row.order_line_id)
    ]
    return book(
        source,
        "reversal",
        on,
        legs,
        person_id=person_id,
        description=f"reverses {reversing}",
        posted_at=posted_at,
    )


def _turned(account: AccountKey, amount: int, order_line_id: int | None) -> list[Leg]:
    """A posting turned around; a receivable only as far as there still is one."""
    if amount > 0 or not account.code.startswith("receivable:"):
        return [Leg(account, amount, order_line_id)]
    there = max(amount, -max(0, balance(account.code)))
    owed_account = replace(account, code=account.code.replace("receivable:", "owed:", 1), kind="liability")
    return [Leg(account, there, order_line_id), Leg(owed_account, amount - there, order_line_id)]


def _passed_on(of: OwedTo, amount: int, paid_from: AccountKey) -> list[Leg]:
    """Legs of a payment out of what is owed, from our bank or from what a gateway holds for us.

    A receivable is taken in first: the fund gets less money, and both accounts fall. Should a refund have
    taken from the fund after this payment was agreed on, what is paid too much becomes a receivable instead.
    """
    left = max(0, -balance(of.owed_account.code))
    to_come_back = max(0, balance(of.receivable_account.code))
    cleared = min(to_come_back, max(0, left - amount))
    from_owed = min(left, amount + cleared)
    return [
        Leg(of.owed_account, from_owed),
        Leg(of.receivable_account, amount - from_owed),
        Leg(paid_from, -amount),
    ]
