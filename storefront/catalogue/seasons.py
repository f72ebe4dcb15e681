"""Which season the shop is in, and the words of products that people look for in it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

SHABAN, RAMADAN = 8, 9
#: A tsquery of beginnings of words, Indonesian titles (`simple` configuration).
RAMADAN_WORDS = (
    "hampers:* | parsel:* | sarung:* | sajadah:* | mukena:* | koko:* | peci:* | kurma:* | kue:* | madu:*"
)
DECEMBER_WORDS = (
    "hampers:* | parsel:* | lilin:* | kue:* | cokelat:* | rajut:* | boneka:* | mainan:* | kalung:*"
)
SCHOOL_WORDS = "tas:* | ransel:* | sepatu:* | seragam:* | meja:* | rak:*"


def hijri_month(day: datetime.date) -> int:
    """The month (1–12) of the tabular Islamic calendar, at most a day or two off the announced one.

    Source: the arithmetic (civil) calendar, 11 leap years in a cycle of 30, epoch 16 July 622 (Julian).
    """
    days = day.toordinal() - 227_015  # since 1 Muharram of year 1
    year = (30 * days + 10_646) // 10_631
    start_of_year = (year - 1) * 354 + (3 + 11 * year) // 30
    return min(12, (2 * (days - start_of_year)) // 59 + 1)


@dataclass(frozen=True)
class Season:
    """A time of the year in which people look for some things."""

    #: `lebaran`, `year_end` or `school`.
    name: str
    #: A tsquery.
    words: str


LEBARAN = Season("lebaran", RAMADAN_WORDS)
YEAR_END = Season("year_end", DECEMBER_WORDS)
SCHOOL = Season("school", SCHOOL_WORDS)


def season_on(day: datetime.date) -> Season | None:
    """The season on `day`: before Idulfitri, the year's end, before the school year; or None."""
    if hijri_month(day) in (SHABAN, RAMADAN):
        return LEBARAN
    if (day.month, day.day) >= (11, 15):
        return YEAR_END
    if (6, 15) <= (day.month, day.day) <= (7, 25):
        return SCHOOL
    return None
