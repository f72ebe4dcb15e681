"""Housekeeping of people's data."""

from __future__ import annotations

from procrastinate import RetryStrategy
from sqlalchemy import delete, func

from storefront.extensions import db, jobs
from storefront.people import attempts, data_requests, links, sessions
from storefront.people.models import Session


@jobs.periodic(cron="17 20 * * *")
@jobs.task(name="people.forget_old", queueing_lock="people.forget_old")
def forget_old(timestamp: int) -> None:
    """Once a night (03.17 in Jakarta): forget old tries and sessions that ended or ran out a while ago."""
    attempts.forget_old()
    links.forget_old()
    db.session.execute(delete(Session).where(Session.expires_at < func.now() - sessions.SHOPPER_IDLE))
    db.session.commit()


@jobs.task(name="people.send_data_link", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=60))
def send_data_link(request_id: int) -> None:
    """Send somebody the link to what is held about them, if anything is."""
    data_requests.send_link(request_id)


@jobs.task(name="people.send_mailed_link", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=60))
def send_mailed_link(link_id: int) -> None:
    """Send somebody the link that they asked for."""
    links.send(link_id)


@jobs.task(name="people.tell_former_email", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=60))
def tell_former_email(link_id: int) -> None:
    """Tell the address before that an account has another one now."""
    links.tell_former(link_id)


@jobs.periodic(cron="41 19 * * *")
@jobs.task(name="people.erase_remembered", queueing_lock="people.erase_remembered")
def erase_remembered(timestamp: int) -> None:
    """Once a night (02.41 in Jakarta): what people wanted erased and was still needed, as far as it is not any more."""
    data_requests.erase_remembered()
