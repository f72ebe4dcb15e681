"""Money that leaves a gateway otherwise than to a shopper: payouts to our bank, and disputes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from storefront.ledger.book import Leg, When, bank, book, clearing, disputed, losses_of_operator
from storefront.ledger.take_back import Taken, legs_of


def book_payout(
    payout_id: int,
    gateway: str,
    amount: int,
    bank_account_id: int,
    *,
    on: datetime.date,
    person_id: int | None,
    posted_at: datetime.datetime | None = None,
) -> int:
    """The gateway has passed `amount` rupiah on to our bank. The caller has locked the clearing account."""
    legs = [Leg(bank(bank_account_id), amount), Leg(clearing(gateway), -amount)]
    return book(f"payout:{payout_id}:received", "payout", on, legs, person_id=person_id, posted_at=posted_at)


def book_dispute_opened(dispute_id: int, gateway: str, amount: int, *, order_id: int, when: When) -> int:
    """The payer's bank took `amount` rupiah back for now; nobody's share changes yet."""
    legs = [Leg(disputed(gateway), amount), Leg(clearing(gateway), -amount)]
    return _book(f"dispute:{dispute_id}:opened", legs, order_id, when)


def book_dispute_won(dispute_id: int, gateway: str, amount: int, *, order_id: int, when: When) -> int:
    """The money came back to the gateway."""
    legs = [Leg(clearing(gateway), amount), Leg(disputed(gateway), -amount)]
    return _book(f"dispute:{dispute_id}:won", legs, order_id, when)


def book_dispute_lost(
    dispute_id: int,
    gateway: str,
    amount: int,
    taken: Sequence[Taken],
    *,
    order_id: int,
    when: When,
) -> int:
    """The money stays with the payer: each fund gives back its share, as in a refund.

    What was not left of the order any more (refunded before, or a payment that paid nothing) the operator
    bears.
    """
    legs = legs_of(taken)
    legs.append(Leg(losses_of_operator(), amount - sum(leg.amount for leg in legs)))
    legs.append(Leg(disputed(gateway), -amount))
    return _book(f"dispute:{dispute_id}:lost", legs, order_id, when)


def _book(source: str, legs: Sequence[Leg], order_id: int, when: When) -> int:
    return book(
        source,
        "dispute",
        when.on,
        legs,
        order_id=order_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )
