"""What a facility's sales have earned for each fund, month by month, as sums of postings."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select

from storefront.extensions import db
from storefront.languages import locale
from storefront.ledger.models import Account, Fund, JournalEntry, Posting
from storefront.ledger.shares import STANDARD_FUNDS

#: Entries that change what was earned. Deposits and settlements, and what undoes them, only pay out what is owed;
#: budget that returns is what a deposit took, a second time.
EARNING_KINDS = ("sale", "refund", "dispute", "fee", "correction")


@dataclass(frozen=True)
class EarnedPart:
    """A fund's part of what was earned, in rupiah."""

    code: str
    #: Colour and pattern: a standard fund's code, else `other`.
    kind: str
    #: Name of the fund in the language of the request.
    label: str
    amount: int
    #: A month sums sales under several rules, so there is no one percentage.
    basis_points: int | None = None


@dataclass(frozen=True)
class MonthEarned:
    """What one accounting month earned; no parts: nothing was sold."""

    #: Its first day.
    month: datetime.date
    parts: tuple[EarnedPart, ...]

    @property
    def total(self) -> int:
        return sum(part.amount for part in self.parts)

    def amount(self, kind: str) -> int:
        """Rupiah of all parts of one kind."""
        return sum(part.amount for part in self.parts if part.kind == kind)


def months(facility_id: int, until: datetime.date, count: int = 12) -> list[MonthEarned]:
    """The `count` accounting months up to the one of `until`, the oldest first, empty ones included."""
    firsts = last_months(until, count)
    rows = _sums(facility_id, firsts[0], after_month(firsts[-1]))
    return [_month(first, (row for row in rows if row.month == first)) for first in firsts]


def last_months(until: datetime.date, count: int) -> list[datetime.date]:
    """First days of the `count` months up to the one of `until`, the oldest first."""
    latest = until.year * 12 + until.month - 1
    return [datetime.date(n // 12, n % 12 + 1, 1) for n in range(latest - count + 1, latest + 1)]


def after_month(first: datetime.date) -> datetime.date:
    """The first day of the month after the one that begins on `first`."""
    return (first + datetime.timedelta(days=31)).replace(day=1)


def first_month(facility_id: int) -> datetime.date | None:
    """First day of the month of the facility's first sale; None before it."""
    day = db.session.scalar(
        select(func.min(JournalEntry.effective_date))
        .join(Posting, Posting.entry_id == JournalEntry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Account.facility_id == facility_id, Account.fund_id.is_not(None))
    )
    return day.replace(day=1) if day else None


def _sums(facility_id: int, start: datetime.date, end: datetime.date) -> Sequence[Row[Any]]:
    month = func.date_trunc("month", JournalEntry.effective_date, type_=JournalEntry.effective_date.type)
    kind = case((Fund.code.in_(STANDARD_FUNDS), Fund.code), else_="other")
    return db.session.execute(
        select(
            func.date(month).label("month"),
            Fund.code,
            Fund.name,
            Fund.name_en,
            kind.label("kind"),
            (-func.sum(Posting.amount)).label("amount"),
        )
        .join(Posting, Posting.entry_id == JournalEntry.id)
        .join(Account, Account.id == Posting.account_id)
        .join(Fund, Fund.id == Account.fund_id)
        # What was passed on before it was taken back stands on the receivable beside the liability.
        .where(Account.facility_id == facility_id)
        .where(JournalEntry.kind.in_(EARNING_KINDS))
        .where(JournalEntry.effective_date >= start, JournalEntry.effective_date < end)
        .group_by(func.date(month), Fund.id)
        .order_by(func.date(month), Fund.position, Fund.id)
    ).all()


def _month(first: datetime.date, rows: Iterable[Row[Any]]) -> MonthEarned:
    english = locale() == "en"
    parts = (EarnedPart(r.code, r.kind, r.name_en if english else r.name, int(r.amount)) for r in rows)
    return MonthEarned(first, tuple(part for part in parts if part.amount))
