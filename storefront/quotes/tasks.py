"""Jobs of quotes."""

from __future__ import annotations

from storefront.extensions import db, jobs
from storefront.quotes.accept import expire_quotes, tell_paid


@jobs.periodic(cron="10 * * * *")
@jobs.task(name="quotes.expire", queueing_lock="quotes.expire")
def expire_quotes_job(timestamp: int) -> None:
    """Every hour: quotes whose last day has passed end."""
    expire_quotes()
    db.session.commit()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="quotes.tell_paid", queueing_lock="quotes.tell_paid")
def tell_paid_job(timestamp: int) -> None:
    """Every ten minutes: facilities learn that a first instalment has come."""
    tell_paid()
    db.session.commit()
