"""A payment's fee is the books' business: told to them when the provider says it, else asked for by a job."""

from __future__ import annotations

from storefront.extensions import defer


def hand_on_fee(payment_id: str, fee: int | None) -> None:
    """Have the books take note of what the provider keeps, in the caller's transaction; None: not said yet."""
    if fee is None:
        defer("books.learn_fee", payment_id=payment_id)
    elif fee:
        defer("books.book_fee", payment_id=payment_id, amount=fee)
