"""Settings that are kept elsewhere, so that one page says all of them and where each is changed."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select, text

from storefront.books.models import DepositDeadline
from storefront.content.operator import operator
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Holiday


@dataclass(frozen=True)
class Others:
    """What holds today."""

    operator: str
    #: Days from the money's arrival to its deposit, since when.
    deposit_days: int
    deposit_since: datetime.date
    #: The last day that the calendar of holidays knows.
    holidays_until: datetime.date | None
    #: From when on who bears the payment fee, and how many rules are in force.
    fee_bearers: int


def others() -> Others:
    """Read them."""
    query = select(DepositDeadline).where(DepositDeadline.valid_from <= today())
    deadline = db.session.scalars(query.order_by(DepositDeadline.valid_from.desc()).limit(1)).one()
    bearers = text("SELECT count(*) FROM fee_bearers WHERE approved_at IS NOT NULL AND valid_from <= :today")
    return Others(
        operator().name_id,
        deadline.days,
        deadline.valid_from,
        db.session.scalar(select(func.max(Holiday.day))),
        db.session.execute(bearers, {"today": today()}).scalar_one(),
    )
