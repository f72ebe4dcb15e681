"""What a permanent figure speaks of: what was known at the end of a day, perhaps of one place, perhaps of one year."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from urllib.parse import urlencode

from storefront.days import begins


@dataclass(frozen=True)
class Scope:
    """The end of `on`, and what the figure is narrowed to."""

    on: datetime.date
    #: Codes of the facilities meant; none: all of them.
    facilities: tuple[str, ...] = ()
    #: Accounting year of the entries, or year in which a training programme ended; None: all.
    year: int | None = None
    #: How the place stands in the address, and its name.
    facility: str = ""
    province: str = ""
    place: str = ""

    @property
    def moment(self) -> datetime.datetime:
        """The end of the day: what was written before it is known."""
        return begins(self.on + datetime.timedelta(days=1))

    def covers(self, facility: str, year: int) -> bool:
        """Whether a row of this facility and year belongs to it."""
        return (not self.facilities or facility in self.facilities) and self.year in (None, year)

    def query_string(self) -> str:
        """`?on=…` and what narrows it: the figure's permanent address."""
        given = (("on", self.on.isoformat()), ("facility", self.facility), ("province", self.province))
        kept = [(name, value) for name, value in given if value]
        return "?" + urlencode([*kept, *([("year", str(self.year))] if self.year else [])])
