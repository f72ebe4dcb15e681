"""Cash of a stand's tills: what of it was brought to the bank."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _

from storefront.errors import DomainError
from storefront.ledger.balance import balance, lock_accounts
from storefront.ledger.book import Leg, bank, book, cash, till_difference
from storefront.ledger.closed import require_open
from storefront.money import format_rupiah


class NotInTheTill(DomainError):
    """More than the till holds by the books."""

    code, status = "not_in_the_till", 409

    def __init__(self, held: int) -> None:
        super().__init__(
            _(
                "Menurut buku, kas ini hanya berisi %(held)s. Periksa jumlahnya, atau catat dahulu penjualannya.",
                held=format_rupiah(held),
            )
        )


def book_cash_banked(
    banking_id: int,
    till: str,
    amount: int,
    bank_account_id: int | None,
    *,
    difference: int = 0,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """Cash of a till lies in the bank now, and what was over (> 0) or short (< 0) when it was counted is booked.

    Without a bank account nothing was banked. Raises PeriodClosed; NotInTheTill when it is more than the till holds.
    """
    require_open(on)
    account = cash(till)
    lock_accounts([account.code])
    held = balance(account.code)
    if amount - difference > held:
        raise NotInTheTill(held)
    legs = [Leg(account, difference - amount), Leg(till_difference(), -difference)]
    if bank_account_id is not None:
        legs.append(Leg(bank(bank_account_id), amount))
    source = f"cash:{banking_id}:banked"
    return book(source, "cash_banked", on, legs, person_id=person_id, posted_at=posted_at)
