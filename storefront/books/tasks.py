"""Jobs of the books: what provider events mean for money after the sale."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.books.refund_outcome import refund_failed, refund_succeeded
from storefront.extensions import db, jobs


@jobs.task(name="books.record_refund", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def record_refund_job(refund_id: int, succeeded: bool, why: str = "") -> None:
    """Record what the provider said of a refund that a person decided."""
    if succeeded:
        refund_succeeded(refund_id)
    else:
        refund_failed(refund_id, why)
    db.session.commit()
