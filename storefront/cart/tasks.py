"""Housekeeping of carts."""

from __future__ import annotations

from storefront.cart import carts
from storefront.extensions import db, jobs


@jobs.periodic(cron="27 20 * * *")
@jobs.task(name="cart.forget_old", queueing_lock="cart.forget_old")
def forget_old(timestamp: int) -> None:
    """Once a night (03.27 in Jakarta): forget carts that nobody has touched for long."""
    carts.forget_old()
    db.session.commit()
