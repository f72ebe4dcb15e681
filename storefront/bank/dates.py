"""Days as banks write them: `02/11/2026`, `2026-11-02`, `2 Nov 26`, `02/11` with the year elsewhere."""

from __future__ import annotations

import datetime
import re

#: Orders in which day, month and year may stand.
ORDERS = ("dmy", "mdy", "ymd")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januari january", "feb februari february", "mar maret march", "apr april", "mei may",
            "jun juni june", "jul juli july", "agu ags agt agustus aug august", "sep sept september",
            "okt oktober oct october", "nov nop november nopember", "des desember dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
#: A moment of the day may follow; it is not kept.
TIME = re.compile(r"[\sT]+\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\.\d+)?\s*(?:WIB|WITA|WIT|AM|PM)?$", re.IGNORECASE)
NUMBERS = re.compile(r"(\d{1,4})[/.\-\s](\d{1,2})[/.\-\s](\d{1,4})")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
NAMED = re.compile(r"(\d{1,2})[/.\-\s]+([A-Za-z]{3,9})\.?(?:[/.\-\s,]+(\d{4}|\d{2}))?")
WITHOUT_YEAR = re.compile(r"(\d{1,2})[/.\-](\d{1,2})")


class NotADay(ValueError):
    """The text is no day, or its year is nowhere to be found."""


def read_day(text: str, order: str = "dmy", *, latest: datetime.date | None = None) -> datetime.date:
    """The day in `text`, whose numbers stand in `order` unless the year comes first anyway.

    Without a year it is the last such day up to `latest`. Raises NotADay.
    """
    plain = TIME.sub("", text.replace("\u00a0", " ").strip().lstrip("'").strip())
    if found := COMPACT.fullmatch(plain):
        return _day(text, found[1], found[2], found[3])
    if found := NUMBERS.fullmatch(plain):
        first, second, third = found.groups()
        if len(first) == 4:
            return _day(text, first, second, third)
        if order == "ymd":
            return _day(text, first, second, third)
        day, month = (second, first) if order == "mdy" else (first, second)
        return _day(text, third, month, day)
    if (found := NAMED.fullmatch(plain)) and (number := MONTHS.get(found[2].lower())):
        if found[3]:
            return _day(text, found[3], str(number), found[1])
        return _last(text, number, int(found[1]), latest)
    if found := WITHOUT_YEAR.fullmatch(plain):
        day, month = (found[2], found[1]) if order == "mdy" else (found[1], found[2])
        return _last(text, int(month), int(day), latest)
    raise NotADay(text)


def _day(text: str, year: str, month: str, day: str) -> datetime.date:
    if len(year) not in (2, 4):
        raise NotADay(text)
    try:
        found = datetime.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise NotADay(text) from None
    if not 2000 <= found.year <= 2099:
        raise NotADay(text)
    return found


def _last(text: str, month: int, day: int, latest: datetime.date | None) -> datetime.date:
    """The last such day up to `latest`; 29 February may lie years back."""
    if latest is None:
        raise NotADay(text)
    for year in range(latest.year, latest.year - 5, -1):
        try:
            found = datetime.date(year, month, day)
        except ValueError:
            continue
        if found <= latest:
            return found
    raise NotADay(text)
