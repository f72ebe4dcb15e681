"""Working days, and the day on which goods leave a facility: one rule for product, cart, order and parcel.

What lies in the store leaves after `DAYS_TO_PACK` working days. What is made to order leaves after its lead time,
which counts all days but those of a pause, or on the first working day after it. Working days are a facility's
packing days (Monday to Friday unless it says otherwise) but for the days of the table `holidays`, its own days off
and its pauses; a year whose decree is not entered yet knows its fixed days alone, so that all days are said as
*sekitar*.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from storefront.extensions import db
from storefront.facilities.models import Holiday

#: Working days in which what lies in the store is packed and handed over.
DAYS_TO_PACK = 2
#: How far ahead holidays matter: the longest lead time, and some weeks for what follows it.
FURTHEST = datetime.timedelta(days=420)
_DAY = datetime.timedelta(days=1)
#: Monday to Friday, as `date.isoweekday` counts.
OFFICE_DAYS = frozenset(range(1, 6))
Span = tuple[datetime.date, datetime.date]

#: When the facility `f` packs between :today and :furthest, as JSON for `Calendar.of`.
CALENDAR = """json_build_object(
    'packing', f.packing_days,
    'holidays', (SELECT json_agg(h.day) FROM holidays h WHERE h.day BETWEEN :today AND :furthest),
    'off', (SELECT json_agg(json_build_array(o.first_day, o.last_day) ORDER BY o.first_day) FROM days_off o
             WHERE o.facility_id = f.id AND o.removed_at IS NULL AND o.last_day >= :today),
    'pauses', (SELECT json_agg(json_build_array(r.first_day, r.last_day) ORDER BY r.first_day) FROM pauses r
                WHERE r.facility_id = f.id AND r.cancelled_at IS NULL AND r.last_day >= :today))"""
CALENDARS = text(f"SELECT f.id, {CALENDAR} AS calendar FROM facilities f WHERE f.id = ANY (:ids)")  # noqa: S608


@dataclass(frozen=True)
class Calendar:
    """When a facility packs. Spans are first and last day."""

    holidays: frozenset[datetime.date] = frozenset()
    packing_days: frozenset[int] = OFFICE_DAYS
    days_off: tuple[Span, ...] = ()
    pauses: tuple[Span, ...] = ()

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Calendar:
        """From the JSON of `CALENDAR`."""
        read = datetime.date.fromisoformat
        spans = {
            name: tuple((read(first), read(last)) for first, last in found[name] or ())
            for name in ("off", "pauses")
        }
        return cls(
            frozenset(map(read, found["holidays"] or ())), frozenset(found["packing"]), *spans.values()
        )

    def packs_on(self, day: datetime.date) -> bool:
        """Whether goods are packed on `day`."""
        is_off = any(first <= day <= last for first, last in (*self.days_off, *self.pauses))
        return day.isoweekday() in self.packing_days and day not in self.holidays and not is_off

    def pause_on(self, day: datetime.date) -> Span | None:
        """The pause that `day` lies in."""
        return next((pause for pause in self.pauses if pause[0] <= day <= pause[1]), None)


#: A facility's own calendar, or the holidays of an office that works Monday to Friday.
Days = Collection[datetime.date] | Calendar


def ready_on(begun: datetime.date, lead_time_days: int | None, days: Days) -> datetime.date:
    """The day on which goods leave that are asked for on the day `begun`.

    `lead_time_days`: of what is made to order; None for what lies in the store.
    """
    if lead_time_days is None:
        return working_days_after(begun, DAYS_TO_PACK, days)
    day = begun + datetime.timedelta(days=lead_time_days)
    for first, last in sorted(days.pauses) if isinstance(days, Calendar) else ():
        # Nobody works on it while the facility rests: what is left of the time begins after that.
        if first <= day and last > begun:
            day += last - max(first - _DAY, begun)
    return _working_day(day, days)


def all_ready_on(begun: datetime.date, lead_times: Iterable[int | None], days: Days) -> datetime.date:
    """The day on which goods leave together: that of the slowest among them."""
    return max((ready_on(begun, lead, days) for lead in lead_times), default=ready_on(begun, None, days))


def is_working_day(day: datetime.date, days: Days) -> bool:
    if isinstance(days, Calendar):
        return days.packs_on(day)
    return day.isoweekday() in OFFICE_DAYS and day not in days


def working_days_after(day: datetime.date, count: int, days: Days) -> datetime.date:
    """The `count`-th working day after `day`."""
    for _ in range(count):
        day = _working_day(day + _DAY, days)
    return day


def local_day(zone: str, moment: datetime.datetime | None = None) -> datetime.date:
    """The day that a facility's calendar shows at `moment` (default: now)."""
    return (moment or datetime.datetime.now(datetime.UTC)).astimezone(ZoneInfo(zone)).date()


def holidays_from(day: datetime.date) -> frozenset[datetime.date]:
    """The holidays that matter to goods asked for on `day`. One query."""
    return frozenset(db.session.scalars(select(Holiday.day).where(Holiday.day.between(day, day + FURTHEST))))


def calendars(facility_ids: Iterable[int], day: datetime.date) -> Mapping[int, Calendar]:
    """When facilities pack, for goods asked for on `day`, by facility id. One query, however many there are."""
    known = {"ids": list(facility_ids), "today": day, "furthest": day + FURTHEST}
    return {row.id: Calendar.of(row.calendar) for row in db.session.execute(CALENDARS, known)}


def calendar_of(facility_id: int, day: datetime.date) -> Calendar:
    """When one facility packs, for goods asked for on `day`. One query."""
    return calendars([facility_id], day)[facility_id]


def all_holidays() -> frozenset[datetime.date]:
    """Every holiday that is known, for days that may lie back: some two dozen a year. One query."""
    return frozenset(db.session.scalars(select(Holiday.day)))


def _working_day(day: datetime.date, days: Days) -> datetime.date:
    """`day` itself, or the first working day after it."""
    while not is_working_day(day, days):
        day += _DAY
    return day
