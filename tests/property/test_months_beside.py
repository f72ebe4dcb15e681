"""A month is compared with as many days of the others, whatever day it is."""

from __future__ import annotations

import calendar
import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storefront.books.span import EARLIEST, Span, month
from storefront.reports.compared import Three, stretches
from storefront.reports.plots import twelve_months

D = datetime.date
#: Plain numbers: on a busy machine drawing dates is slow enough for Hypothesis to complain.
DAYS = st.integers(D(2001, 2, 1).toordinal(), D(2200, 12, 31).toordinal()).map(D.fromordinal)


@given(DAYS)
@example(D(2024, 2, 29))
@example(D(2026, 3, 31))
@example(D(2026, 3, 30))
@example(D(2025, 2, 28))
@example(D(2026, 1, 1))
def test_to_the_same_day_or_the_last_of_a_shorter_month(today: D) -> None:
    first = today.replace(day=1)
    found = stretches(first, today)
    assert found.now == Span(first, today)
    is_over = today == month(today).last
    for span, year, number in (
        (found.before, (first - datetime.timedelta(days=1)).year, (first.month - 2) % 12 + 1),
        (found.year_ago, first.year - 1, first.month),
    ):
        assert span is not None
        assert (span.first.year, span.first.month, span.first.day) == (year, number, 1)
        length = calendar.monthrange(year, number)[1]
        assert span.last == span.first.replace(day=length if is_over else min(today.day, length))


@given(DAYS, st.integers(1, 400))
def test_a_month_that_is_over_is_compared_whole(day: D, later: int) -> None:
    first = day.replace(day=1)
    found = stretches(first, month(day).last + datetime.timedelta(days=later))
    assert all(span.is_month for _name, span in found.named())


@pytest.mark.parametrize("today", [D(2000, 1, 1), D(2000, 1, 31), D(2000, 12, 31)])
def test_before_the_first_month_of_the_books_there_is_nothing(today: D) -> None:
    found = stretches(today.replace(day=1), today)
    assert found.year_ago is None
    assert (found.before is None) == (today.month == 1)
    assert twelve_months(today).first == EARLIEST


@given(st.integers(0, 10**12), st.integers(-(10**6), 10**12))
def test_a_change_is_within_half_a_percent(now: int, then: int) -> None:
    percent = Three(now, then).change("before")
    assert (percent is None) == (then <= 0)
    if percent is not None:
        assert abs(200 * (now - then) - 200 * percent * then // 100) <= then + 1
