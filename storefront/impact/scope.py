"""What a permanent figure speaks of: what was known at the end of a day, perhaps of one place or one period."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from storefront.days import begins

PERIOD = re.compile(r"(2[01]\d\d)(?:-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True)
class Period:
    """A year or a month of the accounting calendar."""

    #: As it stands in the address: `2026` or `2026-11`.
    name: str
    first: datetime.date
    last: datetime.date

    @classmethod
    def read(cls, name: str) -> Period | None:
        """The period of that name; None when it names none."""
        found = PERIOD.fullmatch(name)
        if found is None:
            return None
        year, month = int(found[1]), int(found[2] or 1)
        after = datetime.date(year + month // 12, month % 12 + 1, 1) if found[2] else datetime.date(year + 1, 1, 1)
        return cls(name, datetime.date(year, month, 1), after - datetime.timedelta(days=1))

    @property
    def is_month(self) -> bool:
        return len(self.name) > 4


@dataclass(frozen=True)
class Scope:
    """The end of `on`, and what the figure is narrowed to."""

    on: datetime.date
    #: Codes of the facilities meant; none: all of them.
    facilities: tuple[str, ...] = ()
    #: Accounting days of the entries, or days on which training programmes ended; None: all.
    period: Period | None = None
    #: How the place stands in the address, and its name.
    facility: str = ""
    province: str = ""
    place: str = ""

    @property
    def moment(self) -> datetime.datetime:
        """The end of the day: what was written before it is known."""
        return begins(self.on + datetime.timedelta(days=1))

    def covers(self, facility: str, day: datetime.date) -> bool:
        """Whether a row of this facility and day belongs to it."""
        is_here = not self.facilities or facility in self.facilities
        return is_here and (self.period is None or self.period.first <= day <= self.period.last)

    def query_string(self) -> str:
        """`?on=…` and what narrows it: the figure's permanent address."""
        period = self.period.name if self.period else ""
        given = {"on": self.on.isoformat(), "facility": self.facility, "province": self.province, "period": period}
        return "?" + urlencode({name: value for name, value in given.items() if value})
