"""Jobs that tell other systems: each runs again safely."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.integrations.deliver import deliver, forget_old, send_waiting


@jobs.task(name="integrations.deliver", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=30))
def deliver_job(delivery_id: int) -> None:
    """Try a delivery; what the other system says decides about the next try, not this job's failure."""
    deliver(delivery_id)


@jobs.task(name="integrations.send_waiting_of", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=30))
def send_waiting_of_job(endpoint_id: int) -> None:
    """An endpoint goes on: queue what has waited for it."""
    send_waiting(endpoint_id=endpoint_id)
    db.session.commit()


@jobs.periodic(cron="8,38 * * * *")
@jobs.task(name="integrations.send_lost", queueing_lock="integrations.send_lost")
def send_lost_job(timestamp: int) -> None:
    """Twice an hour: a delivery whose job was lost gets another."""
    send_waiting()
    db.session.commit()


@jobs.periodic(cron="20 4 * * *")
@jobs.task(name="integrations.forget_old", queueing_lock="integrations.forget_old")
def forget_old_job(timestamp: int) -> None:
    """Every night: deliveries that ended long ago are forgotten."""
    forget_old()
    db.session.commit()
