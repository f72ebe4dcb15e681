"""Jobs around orders: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.crash_points import reach
from storefront.extensions import db, jobs
from storefront.orders.expire import expire_unpaid
from storefront.orders.messages import send_message
from storefront.orders.payment_events import UnknownCapture, handle_payment_event, note_failure
from storefront.orders.refund import look_up_refunds, send_refund


@jobs.task(name="orders.handle_payment_event", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def handle_payment_event_job(event_row_id: int) -> None:
    """Handle a provider's event; what fails is noted on it and tried again with growing pauses."""
    try:
        try:
            handle_payment_event(event_row_id)
        except UnknownCapture as unknown:
            db.session.rollback()
            handle_payment_event(event_row_id, unknown.ask())
        reach("event.before_commit")
        db.session.commit()
        reach("event.after_commit")
    except Exception as error:
        db.session.rollback()
        note_failure(event_row_id, error)
        db.session.commit()
        raise


@jobs.task(name="orders.send_refund", retry=RetryStrategy(max_attempts=40, wait=5, linear_wait=30))
def send_refund_job(refund_id: int) -> None:
    """Give money back that pays nothing."""
    send_refund(refund_id)


@jobs.task(name="orders.look_up_refunds", retry=RetryStrategy(max_attempts=40, wait=5, linear_wait=30))
def look_up_refunds_job(payment_id: str) -> None:
    """Ask the provider what became of a payment's refunds."""
    look_up_refunds(payment_id)


@jobs.task(name="orders.send_message", retry=RetryStrategy(max_attempts=30, wait=5, linear_wait=60))
def send_message_job(message_id: int) -> None:
    """Send a letter that a fact called for."""
    send_message(message_id)


@jobs.periodic(cron="* * * * *")
@jobs.task(name="orders.expire_unpaid", queueing_lock="orders.expire_unpaid")
def expire_unpaid_job(timestamp: int) -> None:
    """Every minute: unpaid orders whose hold has ended give their pieces back."""
    expire_unpaid()
