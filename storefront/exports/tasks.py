"""Jobs of exports: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.days import today
from storefront.exports import (  # noqa: F401 - register their makers
    auditor_pack,
    export_jobs,
    made_files,
    presets,
    statement_pack,
)
from storefront.extensions import db, jobs


@jobs.task(name="exports.make_file", retry=RetryStrategy(max_attempts=10, wait=2, linear_wait=10))
def make_file_job(file_id: int) -> None:
    """Make a file that somebody asked for."""
    made_files.run(file_id)


@jobs.periodic(cron="41 2 * * *")
@jobs.task(name="exports.forget_files", queueing_lock="exports.forget_files")
def forget_files_job(timestamp: int) -> None:
    """Each night: files that were kept their time are deleted."""
    made_files.forget()


@jobs.periodic(cron="10 22 * * *")
@jobs.task(name="exports.make_due", queueing_lock="exports.make_due")
def make_due_job(timestamp: int) -> None:
    """Each morning at ten past five in Jakarta: exports that are made by the clock."""
    presets.make_due(today())
    db.session.commit()
