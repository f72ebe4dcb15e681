"""Jobs around orders: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.orders.ask import ask_provider
from storefront.orders.expire import expire_unpaid
from storefront.orders.find_again import send_link
from storefront.orders.making import refresh_queues
from storefront.orders.messages import send_message
from storefront.orders.pickups import remind_waiting
from storefront.orders.progress import tell_progress
from storefront.orders.receive import receive_silent
from storefront.orders.refund import look_up_refunds, send_refund
from storefront.orders.tell_facilities import tell_facilities
from storefront.stock.batches import take_off_all


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


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="orders.refresh_queues_often", queueing_lock="orders.refresh_queues_often")
def refresh_queues_often(timestamp: int) -> None:
    """What was packed since makes room for others."""
    refresh_queues()
    db.session.commit()


@jobs.task(name="orders.refresh_queues")
def refresh_queues_job() -> None:
    """Bring what pages say of pieces made to order up to date."""
    refresh_queues()
    db.session.commit()


@jobs.task(name="orders.send_message", retry=RetryStrategy(max_attempts=30, wait=5, linear_wait=60))
def send_message_job(message_id: int) -> None:
    """Send a letter that a fact called for."""
    send_message(message_id)


@jobs.task(name="orders.tell_facilities", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=30))
def tell_facilities_job(order_id: int) -> None:
    """Tell each facility of an order that a parcel waits."""
    tell_facilities(order_id)
    db.session.commit()


@jobs.periodic(cron="* * * * *")
@jobs.task(name="orders.expire_unpaid", queueing_lock="orders.expire_unpaid")
def expire_unpaid_job(timestamp: int) -> None:
    """Every minute: unpaid orders whose hold has ended give their pieces back."""
    expire_unpaid()


@jobs.task(name="orders.tell_progress", retry=RetryStrategy(max_attempts=30, wait=5, linear_wait=30))
def tell_progress_job(order_id: int, gathered: bool = False) -> None:
    """Owe the letter of the step that an order has come to."""
    tell_progress(order_id, gathered=gathered)
    db.session.commit()


@jobs.task(name="orders.send_link", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=30))
def send_link_job(number: str, contact: str) -> None:
    """Mail an order's link again, if it is the order of whoever asked."""
    send_link(number, contact)
    db.session.commit()


@jobs.periodic(cron="25 * * * *")
@jobs.task(name="orders.receive_silent", queueing_lock="orders.receive_silent")
def receive_silent_job(timestamp: int) -> None:
    """Every hour: parcels that must have arrived long ago count as received."""
    receive_silent()


@jobs.periodic(cron="35 * * * *")
@jobs.task(name="orders.remind_waiting", queueing_lock="orders.remind_waiting")
def remind_waiting_job(timestamp: int) -> None:
    """Every hour: buyers of what has lain ready for a week are reminded."""
    remind_waiting()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="orders.take_off_held", queueing_lock="orders.take_off_held")
def take_off_held_job(timestamp: int) -> None:
    """Every ten minutes: pieces of held batches that an unpaid order has let go leave the shelf."""
    take_off_all()
