"""Jobs: a comparison that was asked for, and one every hour."""

from __future__ import annotations

from storefront.books.reconciled_days import in_use
from storefront.extensions import db, jobs
from storefront.reconciliation import runs


@jobs.task(name="reconciliation.run")
def reconcile_job(run_id: int) -> None:
    """Compare some days with a provider's own books."""
    runs.run(run_id)


@jobs.periodic(cron="7 * * * *")
@jobs.task(name="reconciliation.run_all", queueing_lock="reconciliation.run_all")
def reconcile_all_job(timestamp: int) -> None:
    """Every hour: heal what webhooks missed, and compare the days that are open."""
    for name in in_use():
        runs.ask(name, None)
    db.session.commit()
