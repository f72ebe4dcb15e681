"""Jobs of quotes."""

from __future__ import annotations

from storefront.extensions import db, jobs
from storefront.quotes.accept import expire_quotes


@jobs.periodic(cron="10 * * * *")
@jobs.task(name="quotes.expire", queueing_lock="quotes.expire")
def expire_quotes_job(timestamp: int) -> None:
    """Every hour: quotes whose last day has passed end."""
    expire_quotes()
    db.session.commit()
