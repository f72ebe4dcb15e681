"""Jobs around orders: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import jobs
from storefront.orders.ask import ask_provider
from storefront.orders.expire import expire_unpaid
from storefront.orders.messages import send_message
from storefront.orders.refund import look_up_refunds, send_refund


@jobs.task(name="orders.ask_provider", retry=RetryStrategy(max_attempts=4, wait=2, linear_wait=10))
def ask_provider_job(payment_id: str) -> None:
    """Ask the provider what became of a payment, for a shopper who waits."""
    ask_provider(payment_id)


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
