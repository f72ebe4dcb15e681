"""Money that a provider says it has, with what it keeps of it."""

from __future__ import annotations

from typing import Any

from storefront.orders.fee import hand_on_fee
from storefront.orders.mark_paid import record_payment


def record_taken(payment_id: str, *, fee: int | None, **taken: Any) -> str:
    """Take note of money as `record_payment` does, and once of its fee; None: the provider has not said it yet."""
    result = record_payment(payment_id, **taken)
    if result not in ("already_recorded", "unknown_payment"):
        hand_on_fee(payment_id, fee)
    return result
