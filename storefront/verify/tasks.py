"""Jobs that check the shop's promises."""

from __future__ import annotations

from storefront.extensions import db, jobs
from storefront.verify.month import check_month


@jobs.task(name="verify.check_month")
def check_month_job(check_id: int) -> None:
    """A check that somebody asked for before closing a month."""
    check_month(check_id)
    db.session.commit()
