"""Days, months and periods are counted in one accounting time zone (PRODUCT.md, money rule 2)."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

ACCOUNTING_ZONE = ZoneInfo("Asia/Jakarta")
#: How people name the three zones of the country.
ZONE_NAMES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}


def accounting_day(moment: datetime.datetime) -> datetime.date:
    """The accounting day of an aware `moment`; the database's `accounting_date()` says the same."""
    return moment.astimezone(ACCOUNTING_ZONE).date()


def today() -> datetime.date:
    """The accounting day that is now."""
    return accounting_day(datetime.datetime.now(datetime.UTC))


def begins(day: datetime.date) -> datetime.datetime:
    """The moment at which an accounting day begins."""
    return datetime.datetime.combine(day, datetime.time(), ACCOUNTING_ZONE)


def told(text: str | None) -> datetime.datetime | None:
    """The moment that a job was given as text, in ISO 8601; None: nobody said when."""
    return datetime.datetime.fromisoformat(text) if text else None


def days_everywhere() -> tuple[datetime.date, ...]:
    """The day that is now in each of the country's zones."""
    moment = datetime.datetime.now(datetime.UTC)
    return tuple(moment.astimezone(ZoneInfo(zone)).date() for zone in ZONE_NAMES)
