"""How long a shopper may report a problem, how soon it is answered, and when silence means that it arrived.

The figures are a dated setting with its legal basis (`report_windows`). Working days: `facilities/working_days.py`.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.facilities.working_days import all_holidays, working_days_after
from storefront.orders.models import ReportWindow


@dataclass(frozen=True)
class Windows:
    """The setting as it was on each day."""

    #: The latest first.
    rows: Sequence[ReportWindow]
    holidays: Collection[datetime.date]

    @classmethod
    def load(cls) -> Windows:
        """Read it, in two queries."""
        rows = db.session.scalars(select(ReportWindow).order_by(ReportWindow.valid_from.desc())).all()
        return cls(rows, all_holidays())

    def on(self, day: datetime.date) -> ReportWindow:
        """What is in force on a day. Raises LookupError when nothing is: the migration wrote the first."""
        found = next((row for row in self.rows if row.valid_from <= day), None)
        if found is None:
            raise LookupError(f"no report window on {day}")
        return found

    def report_until(self, received_at: datetime.datetime) -> datetime.date:
        """*Batas lapor*: the last day on which a problem with what was received then may be reported."""
        day = accounting_day(received_at)
        rule = self.on(day)
        return max(day + datetime.timedelta(days=rule.days), working_days_after(day, rule.working_days, self.holidays))

    def answer_until(self, reported_at: datetime.datetime) -> datetime.date:
        """The facility's last day to answer what was reported then; after it the office decides."""
        day = accounting_day(reported_at)
        return working_days_after(day, self.on(day).answer_days, self.holidays)

    def counts_as_received_on(self, shipped_at: datetime.datetime, days_max: int) -> datetime.date:
        """The day on which a parcel that left then counts as received if nobody says so."""
        day = accounting_day(shipped_at)
        return day + datetime.timedelta(days=days_max + self.on(day).received_after)
