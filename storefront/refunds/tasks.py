"""Jobs of what comes in from a provider: its events, and what became of a refund."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.days import told
from storefront.extensions import db, jobs
from storefront.refunds.event_tries import try_event
from storefront.refunds.refund_outcome import refund_failed, refund_succeeded


# Named as the inbox queues it, which knows neither orders nor books.
@jobs.task(name="orders.handle_payment_event", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def handle_payment_event_job(event_row_id: int) -> None:
    """Handle a provider's event; a failure is noted on it and queues the next try itself.

    Tried again where even that could not be written down, since the database was away.
    """
    try_event(event_row_id)


@jobs.task(name="books.record_refund", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def record_refund_job(refund_id: int, succeeded: bool, why: str = "", happened_at: str | None = None) -> None:
    """Record what the provider said of a refund that a person decided."""
    if succeeded:
        refund_succeeded(refund_id, happened_at=told(happened_at))
    else:
        refund_failed(refund_id, why)
    db.session.commit()
