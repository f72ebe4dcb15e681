"""Working days, and the day on which goods leave a facility: one rule for product, cart, order and parcel.

What lies in the store leaves after `DAYS_TO_PACK` working days. What is made to order leaves after its lead time,
which counts all days, or on the first working day after it. Working days are Monday to Friday but for the days of
the table `holidays`; a year whose decree is not entered yet knows its fixed days alone, so that all days are said
as *sekitar*.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Holiday

#: Working days in which what lies in the store is packed and handed over.
DAYS_TO_PACK = 2
#: How far ahead holidays matter: the longest lead time, and some weeks for what follows it.
FURTHEST = datetime.timedelta(days=420)
_DAY = datetime.timedelta(days=1)


def ready_on(begun: datetime.date, lead_time_days: int | None, holidays: Collection[datetime.date]) -> datetime.date:
    """The day on which goods leave that are asked for on the day `begun`.

    `lead_time_days`: of what is made to order; None for what lies in the store.
    """
    day = begun
    if lead_time_days is None:
        for _ in range(DAYS_TO_PACK):
            day = _working_day(day + _DAY, holidays)
        return day
    return _working_day(begun + datetime.timedelta(days=lead_time_days), holidays)


def all_ready_on(
    begun: datetime.date, lead_times: Iterable[int | None], holidays: Collection[datetime.date]
) -> datetime.date:
    """The day on which goods leave together: that of the slowest among them."""
    return max((ready_on(begun, days, holidays) for days in lead_times), default=ready_on(begun, None, holidays))


def is_working_day(day: datetime.date, holidays: Collection[datetime.date]) -> bool:
    return day.weekday() < 5 and day not in holidays


def working_days_after(day: datetime.date, count: int, holidays: Collection[datetime.date]) -> datetime.date:
    """The `count`-th working day after `day`."""
    for _ in range(count):
        day = _working_day(day + _DAY, holidays)
    return day


def local_day(zone: str, moment: datetime.datetime | None = None) -> datetime.date:
    """The day that a facility's calendar shows at `moment` (default: now)."""
    return (moment or datetime.datetime.now(datetime.UTC)).astimezone(ZoneInfo(zone)).date()


def holidays_from(day: datetime.date) -> frozenset[datetime.date]:
    """The holidays that matter to goods asked for on `day`. One query."""
    return frozenset(
        db.session.scalars(select(Holiday.day).where(Holiday.day.between(day, day + FURTHEST)))
    )


def all_holidays() -> frozenset[datetime.date]:
    """Every holiday that is known, for days that may lie back: some two dozen a year. One query."""
    return frozenset(db.session.scalars(select(Holiday.day)))


def _working_day(day: datetime.date, holidays: Collection[datetime.date]) -> datetime.date:
    """`day` itself, or the first working day after it."""
    while not is_working_day(day, holidays):
        day += _DAY
    return day
