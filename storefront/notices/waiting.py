"""What waits for the people of a facility today: each room says in its `waits.py` what of its own does.

    @waiting.source(Action.ENQUIRIES_READ)
    def questions(asked: Asked) -> Iterable[Waits]: …

Shown on the first page in order of urgency, counted in its title, and written into the morning's letter. A source is
asked only where the reader may do its action; it makes one query at most and gives nothing when nothing waits.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from storefront.days import today
from storefront.people import policy
from storefront.people.policy import Action, PersonLike


class Urgency(enum.IntEnum):
    """How soon somebody should look, the most urgent first."""

    #: A promise is broken, or will be today.
    LATE = 0
    TODAY = 1
    #: Somebody waits for a word.
    SOON = 2
    #: Work of these days.
    OPEN = 3
    #: Good to know before it becomes urgent; not counted in the title.
    KNOW = 4


@dataclass(frozen=True)
class Asked:
    """Of which facility, for whom, on which day."""

    facility_id: int
    code: str
    person: PersonLike
    person_id: int
    #: The facility's own.
    time_zone: str
    day: datetime.date = field(default_factory=today)

    def day_of(self, moment: datetime.datetime) -> datetime.date:
        """The day of a moment by the facility's own clock."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def may(self, action: Action) -> bool:
        """Whether the reader may do this in the facility."""
        return self.facility_id in policy.reach(self.person, action, face="seller")


@dataclass(frozen=True)
class Waits:
    """Things of one kind that wait: how many, since or until when, and the one button that leads to them."""

    kind: str
    urgency: Urgency
    count: int
    #: After the number: *kiriman terlambat*.
    label: str
    note: str
    #: Words of the button.
    button: str
    #: Page below `/seller/<code>`, with its query.
    page: str
    icon: str
    #: Said in place of the number: an amount.
    figure: str = ""
    #: Earlier ones first within an urgency.
    on: datetime.date | None = None

    @property
    def is_work(self) -> bool:
        """Whether it counts in the title."""
        return self.urgency < Urgency.KNOW


Source = Callable[[Asked], Iterable[Waits]]
SOURCES: list[tuple[Action, Source]] = []


def source(action: Action) -> Callable[[Source], Source]:
    """The function finds what waits, for whoever may do `action` in the facility."""

    def register(find: Source) -> Source:
        SOURCES.append((action, find))
        return find

    return register


def waiting(asked: Asked) -> list[Waits]:
    """All that waits, the most urgent first."""
    found = [one for action, find in SOURCES if asked.may(action) for one in find(asked) if one.count]
    return sorted(found, key=lambda one: (one.urgency, one.on or datetime.date.max))


def work(found: Iterable[Waits]) -> int:
    """How many things there are to do: the number in the title."""
    return sum(one.count for one in found if one.is_work)


def asked_by(person: Any, facility: Any) -> Asked:
    """What `person` asks of `facility`, rows of their tables or alike."""
    return Asked(facility.id, facility.code, person, person.id, facility.time_zone)
