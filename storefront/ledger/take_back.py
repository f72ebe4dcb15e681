"""Take back from what is owed; what was already passed on becomes a receivable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storefront.ledger.balance import balance, lock_accounts
from storefront.ledger.book import AccountKey, Leg, owed, receivable, shipping_owed, shipping_receivable


@dataclass(frozen=True)
class Taken:
    """An amount that a fund (None: shipping) of a facility gives back, for an order line or as a whole."""

    facility_id: int
    facility_code: str
    amount: int
    fund_id: int | None = None
    fund_code: str = ""
    order_line_id: int | None = None

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


def legs_of(taken: Sequence[Taken]) -> list[Leg]:
    """Debits for what goes back: what is still owed first, the rest from the next settlement or deposit.

    Locks the accounts concerned, so that two refunds and a settlement never count on the same rupiah.
    """
    taken = [part for part in taken if part.amount]
    lock_accounts(part.owed_account.code for part in taken)
    left: dict[str, int] = {}
    legs = []
    for part in taken:
        code = part.owed_account.code
        if code not in left:
            left[code] = max(0, -balance(code))
        from_owed = min(part.amount, left[code])
        left[code] -= from_owed
        legs.append(Leg(part.owed_account, from_owed, part.order_line_id))
        legs.append(Leg(part.receivable_account, part.amount - from_owed, part.order_line_id))
    return [leg for leg in legs if leg.amount]
