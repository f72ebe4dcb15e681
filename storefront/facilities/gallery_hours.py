"""When a facility's gallery is open, day by day, as people read it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.days import ZONE_NAMES
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility

WEEKDAYS = range(1, 8)
TIME = re.compile(r"(\d{1,2})[.:](\d{2})")
Week = Mapping[str, Sequence[str]]


def day_name(weekday: int, width: str = "wide") -> str:
    """The name of a weekday, 1 Monday to 7 Sunday, in the language of the request."""
    return str(get_day_names(width, locale=get_locale() or "id")[weekday - 1])  # type: ignore[arg-type]


def words(week: Week, zone: str, otherwise: str = "") -> str:
    """`Senin–Kamis 09.00–15.00, Jumat 09.00–11.00 WIB`, in the facility's `zone`; `otherwise` when no day is said."""
    open_days = [(day, tuple(week[str(day)])) for day in WEEKDAYS if str(day) in week]
    parts = []
    # Days in a row with the same hours are said together.
    for _key, run in groupby(enumerate(open_days), lambda one: (one[1][0] - one[0], one[1][1])):
        days = [day for _place, (day, _hours) in run]
        opens, closes = week[str(days[0])]
        names = day_name(days[0]) if len(days) == 1 else f"{day_name(days[0])}–{day_name(days[-1])}"
        parts.append(f"{names} {_clock(opens)}–{_clock(closes)}")
    return f"{', '.join(parts)} {ZONE_NAMES[zone]}" if parts else otherwise


def of_facility(facility: Facility) -> str:
    """The hours of a facility in words; empty where it says none."""
    return words(facility.gallery_week, facility.time_zone, facility.gallery_hours)


def read_week(typed: Mapping[str, str]) -> dict[str, list[str]]:
    """The week from fields `opens-1` … `closes-7`; a day without both is closed. Raises Invalid by field."""
    week: dict[str, list[str]] = {}
    errors = {}
    for day in map(str, WEEKDAYS):
        opens, closes = (typed.get(f"{name}-{day}", "").strip() for name in ("opens", "closes"))
        if not opens and not closes:
            continue
        read = [_time(opens), _time(closes)]
        for name, found in zip(("opens", "closes"), read, strict=True):
            if found is None:
                errors[f"{name}-{day}"] = _("Tulis jamnya seperti 09.00, atau kosongkan keduanya bila tutup.")
        if None not in read and read[0] >= read[1]:  # type: ignore[operator]
            errors[f"closes-{day}"] = _("Jam tutup harus sesudah jam buka.")
        week[day] = [f"{found:%H:%M}" for found in read if found]
    if errors:
        raise Invalid(errors)
    return week


def set_week(facility: Facility, week: dict[str, list[str]], person_id: int) -> None:
    """Open the gallery in these hours from now on. Never commits."""
    before = facility.gallery_week
    if week == before:
        return
    facility.gallery_week = week
    db.session.flush()
    record(
        "facility.hours_set",
        "facility",
        facility.code,
        person_id=person_id,
        facility_id=facility.id,
        details={"before": before, "after": week},
    )


def _time(text: str) -> datetime.time | None:
    found = TIME.fullmatch(text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return datetime.time(int(found[1]), int(found[2]))


def _clock(text: str) -> str:
    locale = get_locale()
    return text if locale is not None and locale.language == "en" else text.replace(":", ".")
