"""Closed months: nothing can be dated into them. Rules ask here before they book on a day that a person chose."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.books.models import Period
from storefront.display import format_month
from storefront.errors import DomainError
from storefront.extensions import db

#: Shared by whoever books, taken alone by whoever closes (migrations/sql/0002/30_periods.sql).
KEY = "hashtextextended('ledger.close', 0)"


class PeriodClosed(DomainError):
    """The day lies in a month that is closed; `field` is where somebody wrote it."""

    code, status = "period_closed", 409

    def __init__(self, month: datetime.date, field: str = "") -> None:
        sentence = _(
            "Buku %(month)s sudah ditutup, jadi tidak ada yang dapat dicatat di bulan itu. "
            "Pilih tanggal di bulan yang masih terbuka.",
            month=format_month(month),
        )
        super().__init__(sentence, extra={"errors": {field: sentence}} if field else None)


def month_of(day: datetime.date) -> datetime.date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def is_closed(day: datetime.date) -> bool:
    """Whether the month of `day` is closed, or lies before one that is."""
    query = select(Period.month).where(Period.month >= month_of(day), Period.state == "closed").limit(1)
    return db.session.scalar(query) is not None


def require_open(day: datetime.date, field: str = "") -> None:
    """Return only if something may be booked on `day`; until this transaction ends, its month stays open.

    `field` is where a form asked for the day. Raises `PeriodClosed`, which names the month.
    """
    db.session.execute(text(f"SELECT pg_advisory_xact_lock_shared({KEY})"))
    if is_closed(day):
        raise PeriodClosed(month_of(day), field)
