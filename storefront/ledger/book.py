"""Write journal entries. The only door into the books."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import dated_at
from storefront.extensions import db
from storefront.ledger.models import Account, JournalEntry, Posting


@dataclass(frozen=True)
class AccountKey:
    """A ledger account by its code; made on first use."""

    code: str
    kind: str
    facility_id: int | None = None
    fund_id: int | None = None
    gateway: str | None = None
    bank_account_id: int | None = None


@dataclass(frozen=True)
class Leg:
    """One posting to be: debit > 0, credit < 0, in rupiah."""

    account: AccountKey
    amount: int
    order_line_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class When:
    """When an entry counts in the books."""

    #: Its accounting day.
    on: datetime.date
    #: When it was written; None: now. History names its own moment.
    posted_at: datetime.datetime | None = None
    #: The day it happened on, when the month of that day was closed before anybody knew of it.
    happened_on: datetime.date | None = None


def clearing(gateway: str) -> AccountKey:
    """What a gateway holds for us until it pays out."""
    return AccountKey(f"clearing:{gateway}", "asset", gateway=gateway)


def owed(facility_id: int, facility_code: str, fund_id: int, fund_code: str) -> AccountKey:
    """A fund's share of a facility's sales, owed until deposited or settled."""
    return AccountKey(
        f"owed:{facility_code}:{fund_code}", "liability", facility_id=facility_id, fund_id=fund_id
    )


def shipping_owed(facility_id: int, facility_code: str) -> AccountKey:
    """Shipping that shoppers paid, owed to the facility that sends the parcels."""
    return AccountKey(f"owed:{facility_code}:shipping", "liability", facility_id=facility_id)


def to_return() -> AccountKey:
    """Money of shoppers that pays nothing and goes back to them."""
    return AccountKey("customers:to_return", "liability")


def customer_deposits() -> AccountKey:
    """First instalments of orders whose last one has not come yet."""
    return AccountKey("customer_deposits", "liability")


def receivable(facility_id: int, facility_code: str, fund_id: int, fund_code: str) -> AccountKey:
    """What a fund was deposited or paid too much, taken from the facility's next one."""
    return AccountKey(
        f"receivable:{facility_code}:{fund_code}", "asset", facility_id=facility_id, fund_id=fund_id
    )


def shipping_receivable(facility_id: int, facility_code: str) -> AccountKey:
    """Shipping that was given back after it had been paid out to the facility."""
    return AccountKey(f"receivable:{facility_code}:shipping", "asset", facility_id=facility_id)


def bank(bank_account_id: int) -> AccountKey:
    """A registered bank account of the central office."""
    return AccountKey(f"bank:{bank_account_id}", "asset", bank_account_id=bank_account_id)


def fees_of_operator() -> AccountKey:
    """Provider's fees that the operator bears."""
    return AccountKey("fees:operator", "expense")


def losses_of_operator() -> AccountKey:
    """What lost disputes took beyond what was left of the order."""
    return AccountKey("losses:operator", "expense")


def disputed(gateway: str) -> AccountKey:
    """Money that payers' banks took back while a dispute is open."""
    return AccountKey(f"disputed:{gateway}", "asset", gateway=gateway)


def cash(till: str) -> AccountKey:
    """Cash in the tills of an exhibition, until it is banked."""
    return AccountKey(f"cash:{till.replace('-', '_')}", "asset")


def till_difference() -> AccountKey:
    """What was short in tills when they were counted, less what was over: the operator bears it."""
    return AccountKey("tills:difference", "expense")


def books_difference() -> AccountKey:
    """The other side of corrections that belong to nobody else."""
    return AccountKey("corrections:difference", "equity")


def book(
    source: str,
    kind: str,
    effective_date: datetime.date,
    legs: Sequence[Leg],
    *,
    order_id: int | None = None,
    person_id: int | None = None,
    description: str = "",
    posted_at: datetime.datetime | None = None,
    happened_on: datetime.date | None = None,
) -> int:
    """Write one balanced entry and return its id.

    `source` names the business fact and is unique: booking it twice raises IntegrityError, and the
    transaction that tried is undone. Legs of zero rupiah are left out. The balance is checked here for a
    clear message and by the database at commit for certain. `happened_on` is for what became known after its
    month was closed (`ledger.closed.counting`). Raises ValueError when the legs do not balance.
    """
    legs = [leg for leg in legs if leg.amount]
    if sum(leg.amount for leg in legs) or not legs:
        raise ValueError(
            f"entry {source} does not balance: {[(leg.account.code, leg.amount) for leg in legs]}"
        )
    ids = _account_ids({leg.account for leg in legs})
    values = {
        "source": source,
        "kind": kind,
        "effective_date": effective_date,
        "order_id": order_id,
        "person_id": person_id,
        "description": description,
        "happened_on": happened_on,
    }
    posted_at = posted_at or dated_at()
    if posted_at is not None:
        values["posted_at"] = posted_at
    entry_id: int = db.session.execute(
        insert(JournalEntry).values(values).returning(JournalEntry.id)
    ).scalar_one()
    db.session.execute(
        insert(Posting),
        [
            {
                "entry_id": entry_id,
                "account_id": ids[leg.account.code],
                "amount": leg.amount,
                "order_line_id": leg.order_line_id,
            }
            for leg in legs
        ],
    )
    return entry_id


def _account_ids(accounts: set[AccountKey]) -> dict[str, int]:
    found = _known({account.code for account in accounts})
    new = sorted(
        (account for account in accounts if account.code not in found), key=lambda account: account.code
    )
    if new:
        # Sorted, so that two first sales of the same facilities wait for each other in one order.
        db.session.execute(
            upsert(Account).on_conflict_do_nothing(index_elements=["code"]),
            [
                {
                    "code": account.code,
                    "kind": account.kind,
                    "facility_id": account.facility_id,
                    "fund_id": account.fund_id,
                    "gateway": account.gateway,
                    "bank_account_id": account.bank_account_id,
                }
                for account in new
            ],
        )
        found |= _known({account.code for account in new})
    return found


def _known(codes: set[str]) -> dict[str, int]:
    rows = db.session.execute(select(Account.code, Account.id).where(Account.code.in_(codes)))
    return {row.code: row.id for row in rows}
