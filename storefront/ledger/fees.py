"""What a provider keeps of a payment. `docs/ledger.md` draws the entry."""

from __future__ import annotations

from collections.abc import Sequence

from storefront.ledger.balance import lock_accounts
from storefront.ledger.book import Leg, When, book, clearing, fees_of_operator
from storefront.ledger.take_back import Taken, legs_of


def book_fee(
    payment_id: str,
    gateway: str,
    amount: int,
    borne: Sequence[Taken],
    *,
    order_id: int,
    when: When,
) -> int:
    """A provider's fee of `amount` rupiah, kept from what it holds for us.

    `borne` names what each facility's fund bears of it; what is left, all of it when empty, the operator
    bears. A fund whose money was already passed on owes its part from the next settlement.
    """
    lock_accounts([clearing(gateway).code])
    legs = legs_of(borne)
    legs.append(Leg(fees_of_operator(), amount - sum(leg.amount for leg in legs)))
    legs.append(Leg(clearing(gateway), -amount))
    return book(
        f"payment:{payment_id}:fee",
        "fee",
        when.on,
        legs,
        order_id=order_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )
