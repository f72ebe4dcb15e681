"""The demo's calendar: all its moments follow from the day of loading, none from the hour."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from storefront.days import ACCOUNTING_ZONE

JAKARTA = ACCOUNTING_ZONE


def at(
    day: datetime.date, hour: int, minute: int = 0, second: int = 0, zone: str = "Asia/Jakarta"
) -> datetime.datetime:
    """A moment on `day` by the clock of `zone`."""
    local = datetime.datetime.combine(day, datetime.time(hour, minute, second), ZoneInfo(zone))
    return local.astimezone(datetime.UTC)


def days(number: int) -> datetime.timedelta:
    """So many days."""
    return datetime.timedelta(days=number)
