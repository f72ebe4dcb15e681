"""Jobs around listings: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.listings import originals, photos
from storefront.listings.paper_ends import queue_reminders
from storefront.listings.scheduled import publish_due


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="listings.publish_due", queueing_lock="listings.publish_due")
def publish_due_job(timestamp: int) -> None:
    """Every five minutes: what waits for its day."""
    publish_due()


@jobs.periodic(cron="20 0,17 * * *")
@jobs.task(name="listings.remind_of_papers", queueing_lock="listings.remind_of_papers")
def remind_of_papers_job(timestamp: int) -> None:
    """Just after midnight of the accounting zone: papers that end soon."""
    queue_reminders()
    db.session.commit()


@jobs.task(name="listings.prepare_photo", retry=RetryStrategy(max_attempts=8, wait=2, linear_wait=20))
def prepare_photo(photo_id: int) -> None:
    """Make a photo's files: one at a time, they take memory."""
    photos.prepare(photo_id)
    db.session.commit()


@jobs.periodic(cron="41 2 * * *")
@jobs.task(name="listings.forget_originals", queueing_lock="listings.forget_originals")
def forget_originals_job(timestamp: int) -> None:
    """Each night: originals that no draft needs any more."""
    originals.forget_originals()
