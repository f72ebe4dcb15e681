"""Seasons come by the calendar: Ramadan moves, December stays."""

from __future__ import annotations

import datetime

import pytest

from storefront.catalogue import seasons

#: First days of Ramadan and Idulfitri as Indonesia's government announced or calculates them.
ANNOUNCED = [
    (datetime.date(2024, 3, 12), datetime.date(2024, 4, 10)),
    (datetime.date(2025, 3, 1), datetime.date(2025, 3, 31)),
    (datetime.date(2026, 2, 19), datetime.date(2026, 3, 20)),
    (datetime.date(2027, 2, 8), datetime.date(2027, 3, 10)),
]


@pytest.mark.parametrize(("first", "feast"), ANNOUNCED)
def test_ramadan_is_found_within_a_day(first: datetime.date, feast: datetime.date) -> None:
    day = datetime.timedelta(days=1)
    assert seasons.hijri_month(first + day) == 9
    assert seasons.hijri_month(first - 2 * day) == 8
    assert seasons.hijri_month(feast + day) == 10


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (datetime.date(2026, 3, 1), seasons.LEBARAN),
        (datetime.date(2026, 12, 20), seasons.YEAR_END),
        (datetime.date(2026, 7, 10), seasons.SCHOOL),
        (datetime.date(2026, 9, 15), None),
    ],
)
def test_each_season_has_its_time(day: datetime.date, season: seasons.Season | None) -> None:
    assert seasons.season_on(day) == season


def test_every_day_has_a_month() -> None:
    day = datetime.date(2000, 1, 1)
    while day.year < 2080:
        assert 1 <= seasons.hijri_month(day) <= 12
        day += datetime.timedelta(days=7)
