"""Jobs around cases."""

from __future__ import annotations

import datetime

from sqlalchemy import func, update

from storefront.cases.models import Case
from storefront.extensions import db, jobs

#: How long after its end a case keeps the address that somebody gave.
ADDRESS_KEPT = datetime.timedelta(days=180)


@jobs.periodic(cron="27 20 * * *")
@jobs.task(name="cases.forget_addresses", queueing_lock="cases.forget_addresses")
def forget_addresses(timestamp: int) -> None:
    """Once a night: addresses of cases that ended half a year ago are forgotten."""
    ended = Case.closed_at < func.now() - ADDRESS_KEPT
    db.session.execute(update(Case).where(ended, Case.email.is_not(None)).values(email=None))
    db.session.commit()
