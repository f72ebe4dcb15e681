"""Housekeeping of people's data."""

from __future__ import annotations

from sqlalchemy import delete, func

from storefront.extensions import db, jobs
from storefront.people import attempts, sessions
from storefront.people.models import Session


@jobs.periodic(cron="17 20 * * *")
@jobs.task(name="people.forget_old", queueing_lock="people.forget_old")
def forget_old(timestamp: int) -> None:
    """Once a night (03.17 in Jakarta): forget old tries and sessions that ended or ran out a while ago."""
    attempts.forget_old()
    db.session.execute(delete(Session).where(Session.expires_at < func.now() - sessions.SHOPPER_IDLE))
    db.session.commit()
