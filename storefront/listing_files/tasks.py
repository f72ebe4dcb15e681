"""Jobs of imports: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.listing_files import keeping, prepare, reading, run, undo


@jobs.task(name="listing_files.read", retry=RetryStrategy(max_attempts=5, wait=2, linear_wait=10))
def read_job(import_id: int) -> None:
    """Read a file that was uploaded: the dry run."""
    reading.read_import(import_id)
    db.session.commit()


@jobs.task(name="listing_files.run", retry=RetryStrategy(max_attempts=20, wait=2, linear_wait=10))
def run_job(facility_id: int) -> None:
    """Go on with a facility's imports for a while."""
    run.work_on(facility_id)


@jobs.task(name="listing_files.undo", retry=RetryStrategy(max_attempts=20, wait=2, linear_wait=10))
def undo_job(import_id: int) -> None:
    """Take back what an import changed at once."""
    undo.undo(import_id)


@jobs.task(name="listing_files.prepare_photo", retry=RetryStrategy(max_attempts=5, wait=2, linear_wait=10))
def prepare_photo_job(photo_id: int) -> None:
    """Make a photo of a draft ready, or refuse it with a sentence."""
    prepare.prepare_photo(photo_id)
    db.session.commit()


@jobs.periodic(cron="27 2 * * *")
@jobs.task(name="listing_files.forget", queueing_lock="listing_files.forget")
def forget_job(timestamp: int) -> None:
    """Each night: files that were kept their time are deleted."""
    keeping.forget()
