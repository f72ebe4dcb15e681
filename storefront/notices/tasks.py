"""Jobs that tell people: each runs again safely."""

from __future__ import annotations

import datetime

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.notices import digest, saved_views
from storefront.notices.tell import spread


@jobs.task(name="notices.spread", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=30))
def spread_job(notice_id: int) -> None:
    """Owe a notice to everybody whom it concerns."""
    spread(notice_id)
    db.session.commit()


@jobs.periodic(cron="5,35 * * * *")
@jobs.task(name="notices.tell_mornings", queueing_lock="notices.tell_mornings")
def tell_mornings_job(timestamp: int) -> None:
    """Twice an hour: facilities in which it is morning are told what waits there."""
    digest.tell_mornings(datetime.datetime.fromtimestamp(timestamp, datetime.UTC))
    db.session.commit()


@jobs.periodic(cron="50 3 * * *")
@jobs.task(name="notices.forget_views", queueing_lock="notices.forget_views")
def forget_views_job(timestamp: int) -> None:
    """Every night: views that were deleted long ago are gone."""
    saved_views.forget_deleted()
    db.session.commit()
