"""Closed months: nothing can be dated into them.

What a person dates is refused with a sentence (`require_open`). What comes from outside, such as a provider's news,
is true whether or not its month is still open: it counts as soon as it is known, and its entry says when it
happened (`counting`).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.days import accounting_day
from storefront.display import format_month
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.ledger.book import When

#: Shared by whoever books, taken alone by whoever closes (migrations/sql/0002/30_periods.sql).
KEY = "hashtextextended('ledger.close', 0)"
#: A month before a closed one is closed with it.
IS_CLOSED = text("SELECT EXISTS (SELECT FROM periods WHERE month >= :month AND state = 'closed')")


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


@dataclass(frozen=True, kw_only=True)
class Counted(When):
    """When a fact from outside counts in the books: on a day in an open month."""

    #: The moment, within the day `on`.
    at: datetime.datetime


def month_of(day: datetime.date) -> datetime.date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def is_closed(day: datetime.date) -> bool:
    """Whether the month of `day` is closed, or lies before one that is."""
    return bool(db.session.execute(IS_CLOSED, {"month": month_of(day)}).scalar_one())


def require_open(day: datetime.date, field: str = "") -> None:
    """Return only if something may be booked on `day`; until this transaction ends, its month stays open.

    `field` is where a form asked for the day. Raises `PeriodClosed`, which names the month.
    """
    _keep_open()
    if is_closed(day):
        raise PeriodClosed(month_of(day), field)


def counting(happened_at: datetime.datetime, *, known_at: datetime.datetime | None = None) -> Counted:
    """When a fact counts that happened at `happened_at`: then; or, if that month is closed, when it became known.

    `known_at` is by default this very moment, not the beginning of the transaction: somebody may close a month
    between the two. Until the transaction ends, the month that it counts in stays open. The database allows
    exactly this (`refuse_closed_period`).
    """
    _keep_open()
    day = accounting_day(happened_at)
    if not is_closed(day):
        return Counted(on=day, posted_at=known_at, at=happened_at)
    at = known_at or db.session.execute(select(func.clock_timestamp())).scalar_one()
    return Counted(on=accounting_day(at), posted_at=at, happened_on=day, at=at)


def _keep_open() -> None:
    db.session.execute(text(f"SELECT pg_advisory_xact_lock_shared({KEY})"))
