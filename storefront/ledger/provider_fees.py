"""What a provider keeps otherwise than of a payment: a monthly charge, a dispute's fee. The operator bears it."""

from __future__ import annotations

import datetime

from storefront.ledger.balance import lock_accounts
from storefront.ledger.book import Leg, book, clearing, fees_of_operator


def book_provider_fee(
    line_id: int, gateway: str, amount: int, *, is_of_line: bool, on: datetime.date, description: str
) -> int:
    """A charge of `amount` rupiah, as a line of the provider's books says; below zero, one that it gives back.

    `is_of_line`: what was kept of a line that is about something else, rather than a line of its own.
    """
    lock_accounts([clearing(gateway).code])
    legs = [Leg(fees_of_operator(), amount), Leg(clearing(gateway), -amount)]
    source = f"provider_line:{line_id}:fee" if is_of_line else f"provider_line:{line_id}"
    return book(source, "fee", on, legs, description=description)
