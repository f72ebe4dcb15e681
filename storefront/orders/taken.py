"""Money that a provider says it has, with what it keeps of it."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import func, select

from storefront.extensions import db, defer
from storefront.orders.mark_paid import record_payment
from storefront.payments.models import Payment


def record_taken(
    payment_id: str, *, fee: int | None, happened_at: datetime.datetime | None = None, **taken: Any
) -> str:
    """Take note of money as `record_payment` does, and once of its fee; None: the provider has not said it yet."""
    result = record_payment(payment_id, happened_at=believed(payment_id, happened_at), **taken)
    if result not in ("already_recorded", "unknown_payment"):
        _hand_on_fee(payment_id, fee)
    return result


def _hand_on_fee(payment_id: str, fee: int | None) -> None:
    """The fee is the books' business: told to them where the provider says it, else asked for by a job."""
    if fee is None:
        defer("books.learn_fee", payment_id=payment_id)
    elif fee:
        defer("books.book_fee", payment_id=payment_id, amount=fee)


def believed(payment_id: str, happened_at: datetime.datetime | None) -> datetime.datetime | None:
    """When the provider says that it happened; None where it says nothing, or what cannot be: then it is now."""
    if happened_at is None:
        return None
    can_be = select(Payment.id).where(
        Payment.id == payment_id, Payment.created_at <= happened_at, happened_at <= func.now()
    )
    return happened_at if db.session.scalar(can_be) is not None else None
