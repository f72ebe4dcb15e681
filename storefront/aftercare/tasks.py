"""Jobs after the sale: each runs again safely, whatever killed it before."""

from __future__ import annotations

from storefront.aftercare.answers import hand_over_overdue
from storefront.aftercare.money_news import tell_moved
from storefront.extensions import jobs


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="aftercare.hand_over", queueing_lock="aftercare.hand_over")
def hand_over_job(timestamp: int) -> None:
    """Every ten minutes: what a facility has not answered in time is the office's."""
    hand_over_overdue()


@jobs.periodic(cron="17 2 * * *")
@jobs.task(name="aftercare.tell_moved", queueing_lock="aftercare.tell_moved")
def tell_moved_job(timestamp: int) -> None:
    """Once a day (09.17 in Jakarta): orders whose money has really moved are told so."""
    tell_moved()
