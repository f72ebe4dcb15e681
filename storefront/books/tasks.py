"""Jobs of the books: what provider events mean for money after the sale."""

from __future__ import annotations

import datetime

from procrastinate import RetryStrategy

from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee
from storefront.books.refund_outcome import refund_failed, refund_succeeded
from storefront.extensions import db, jobs


@jobs.task(name="books.record_refund", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def record_refund_job(refund_id: int, succeeded: bool, why: str = "", happened_at: str | None = None) -> None:
    """Record what the provider said of a refund that a person decided."""
    if succeeded:
        refund_succeeded(refund_id, happened_at=_moment(happened_at))
    else:
        refund_failed(refund_id, why)
    db.session.commit()


@jobs.task(name="books.book_fee", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def book_fee_job(payment_id: str, amount: int) -> None:
    """Book what the provider said that it keeps of a payment."""
    book_fee(payment_id, amount)
    db.session.commit()


@jobs.task(name="books.record_dispute", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def record_dispute_job(
    payment_id: str, reference: str, amount: int, outcome: str, happened_at: str | None = None
) -> None:
    """Record what the provider said of a dispute."""
    record_dispute(payment_id, reference, amount, outcome, happened_at=_moment(happened_at))
    db.session.commit()


def _moment(text: str | None) -> datetime.datetime | None:
    """When it happened, by the provider; None: it did not say so."""
    return datetime.datetime.fromisoformat(text) if text else None
