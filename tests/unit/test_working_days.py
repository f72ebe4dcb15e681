"""When goods leave: working days for what is there, a lead time for what is made."""

from __future__ import annotations

import datetime

import pytest

from storefront.facilities.working_days import (
    all_ready_on,
    is_working_day,
    local_day,
    ready_on,
    working_days_after,
)

CHRISTMAS = frozenset({datetime.date(2026, 12, 24), datetime.date(2026, 12, 25)})


@pytest.mark.parametrize(
    ("begun", "lead", "expected"),
    [
        ("2026-11-24", 14, "2026-12-08"),  # a Tuesday, and a Tuesday
        ("2026-11-24", None, "2026-11-26"),
        ("2026-11-26", None, "2026-11-30"),  # over a weekend
        ("2026-11-28", None, "2026-12-01"),  # asked for on a Saturday
        ("2026-12-22", None, "2026-12-28"),  # 23rd, then Christmas and a weekend
        ("2026-12-23", 1, "2026-12-28"),
        ("2026-12-22", 1, "2026-12-23"),
    ],
)
def test_the_day_is_a_working_day(begun: str, lead: int | None, expected: str) -> None:
    found = ready_on(datetime.date.fromisoformat(begun), lead, CHRISTMAS)
    assert found == datetime.date.fromisoformat(expected)
    assert is_working_day(found, CHRISTMAS)


def test_what_leaves_together_waits_for_the_slowest() -> None:
    day = datetime.date(2026, 11, 24)
    assert all_ready_on(day, [None, 14, 3], CHRISTMAS) == datetime.date(2026, 12, 8)
    assert all_ready_on(day, [1], CHRISTMAS) == datetime.date(2026, 11, 25)
    assert all_ready_on(day, [], CHRISTMAS) == datetime.date(2026, 11, 26)


def test_the_day_is_the_facilitys_own() -> None:
    late = datetime.datetime(2026, 11, 24, 15, 30, tzinfo=datetime.UTC)
    days = [local_day(zone, late) for zone in ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")]
    assert [day.day for day in days] == [24, 24, 25]


def test_working_days_pass_over_weekends_and_holidays() -> None:
    friday = datetime.date(2026, 12, 18)
    assert working_days_after(friday, 2, ()) == datetime.date(2026, 12, 22)
    assert working_days_after(friday + datetime.timedelta(days=1), 2, ()) == datetime.date(2026, 12, 22)
    assert working_days_after(datetime.date(2026, 12, 23), 2, CHRISTMAS) == datetime.date(2026, 12, 29)
    assert working_days_after(friday, 0, CHRISTMAS) == friday
