"""Amounts, days and whole files as banks write them come back exactly, whatever the writing; nonsense never does."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.bank import csv_file, mt940
from storefront.bank.amounts import NotAnAmount, hundredths, is_zero, whole_and_rest
from storefront.bank.csv_file import table_of
from storefront.bank.dates import NotADay, read_day
from storefront.bank.known import fingerprints
from storefront.bank.statement import check
from storefront.bank.text import decode, rows_of
from tests import bank_samples as samples

AMOUNTS = st.integers(min_value=0, max_value=10**15)
TODAY = datetime.date(2026, 12, 31)
DAYS = st.dates(datetime.date(2020, 1, 1), TODAY)
#: Words that a bank's text may hold; no delimiter, no quote.
WORDS = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /-"), min_size=1, max_size=30).filter(
    str.strip
)


def grouped(number: int, sign: str) -> str:
    return f"{number:,}".replace(",", sign)


@given(
    AMOUNTS, st.sampled_from(["", ".", ",", " ", "'"]), st.sampled_from([".", ","]), st.booleans(), st.booleans(),
    st.sampled_from(["{}", "Rp {}", "IDR {}", "Rp{}", "'{}", " {} ", "{} CR", "{}CR", "+{}"]),
)  # fmt: skip
def test_an_amount_is_read_as_it_was_written(
    amount: int, thousands: str, decimal: str, with_decimals: bool, short: bool, frame: str
) -> None:
    if thousands == decimal:
        thousands = ""
    if not with_decimals:
        amount -= amount % 100
    whole, rest = divmod(amount, 100)
    decimals = f"{rest:02d}"
    if short and decimals.endswith("0"):
        decimals = decimals[0]
    text = (grouped(whole, thousands) if thousands else str(whole)) + (
        decimal + decimals if with_decimals else ""
    )
    assert hundredths(frame.format(text)) == amount


@given(
    st.integers(min_value=1, max_value=10**15),
    st.sampled_from(["-{}", "{}-", "({})", "{} DB", "{} D", "−{}", "Rp -{}"]),
)
def test_money_out_is_below_zero(amount: int, frame: str) -> None:
    whole, rest = divmod(amount, 100)
    assert hundredths(frame.format(f"{grouped(whole, '.')},{rest:02d}")) == -amount


@given(st.text(max_size=40))
def test_nonsense_is_refused_or_read_and_never_crashes(text: str) -> None:
    try:
        found = hundredths(text)
    except NotAnAmount:
        return
    # Whatever is read has exactly the digits that were written.
    digits = "".join(c for c in text if c in "0123456789")
    assert digits
    assert str(abs(found)).rstrip("0") in digits.lstrip("0") or abs(found) % 100


@pytest.mark.parametrize(
    "text",
    [
        "1.2345",
        "1,2345",
        "12.34.56",
        "1.234.56",
        "1,234,5",
        "12.345.67,8.9",
        "1e5",
        "0x10",
        "½",
        "١٢٣",
        "12 DB CR",
        "- 5 DB",
        ".",
    ],
)
def test_what_could_be_two_amounts_is_none(text: str) -> None:
    with pytest.raises(NotAnAmount):
        hundredths(text)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_whole_rupiah_and_the_rest_make_the_amount(amount: int) -> None:
    whole, rest = whole_and_rest(amount)
    assert whole * 100 + rest == amount
    assert abs(rest) < 100
    assert whole * rest >= 0


@pytest.mark.parametrize("text", ["", "-", "0", "0,00", "0.00", " – ", "-0", "Rp 0"])
def test_a_column_that_says_nothing(text: str) -> None:
    assert is_zero(text)


@pytest.mark.parametrize("text", ["1", "0,01", "x", "0 x", "-5"])
def test_a_column_that_says_something(text: str) -> None:
    assert not is_zero(text)


@given(
    DAYS, st.sampled_from(["%d/%m/%Y", "%d-%m-%y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %m %Y"])
)
def test_a_day_is_read_as_it_was_written(day: datetime.date, form: str) -> None:
    assert read_day(day.strftime(form)) == day
    assert read_day(day.strftime(form) + " 23:59:59") == day


@given(DAYS)
def test_an_american_day_and_one_without_a_year(day: datetime.date) -> None:
    assert read_day(day.strftime("%m/%d/%Y"), "mdy") == day
    assert read_day(day.strftime("%d/%m"), latest=day) == day
    later = min(day + datetime.timedelta(days=300), TODAY)
    assert read_day(day.strftime("%d/%m"), latest=later) == day


@pytest.mark.parametrize(
    "text", ["", "31/02/2026", "2026-13-01", "1/1/1", "1/1/201", "99 Nov 2026", "5 Foo 2026", "02/11"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(NotADay):
        read_day(text)


@st.composite
def movements(draw: st.DrawFn) -> list[samples.Movement]:
    days = sorted(draw(st.lists(DAYS, min_size=1, max_size=8)))
    amount = st.integers(min_value=-(10**12), max_value=10**12).filter(bool)
    return [samples.Movement(day, draw(amount), draw(WORDS).strip()) for day in days]


@given(movements(), st.integers(min_value=0, max_value=10**12))
def test_both_formats_tell_of_the_same_lines(lines: list[samples.Movement], opening: int) -> None:
    table = table_of(rows_of(decode(samples.csv_of(*lines, opening=opening))), None)
    from_csv = csv_file.read(table, TODAY)
    from_mt940 = mt940.read(decode(samples.mt940_of(*lines, opening=opening)))
    for statement in (from_csv, from_mt940):
        check(statement, samples.ACCOUNT, TODAY)
        assert statement.faults == []
        assert (statement.opening, statement.closing) == (
            opening * 100, (opening + sum(line.amount for line in lines)) * 100,
        )  # fmt: skip
    told = [(line.day, line.amount * 100) for line in lines]
    assert [(line.day, line.amount) for line in from_mt940.lines] == told
    # A CSV whose newest line comes first reads the same; one line, or several that undo each other, have no order.
    assert sorted((line.day, line.amount) for line in from_csv.lines) == sorted(told)


@given(movements(), st.data())
def test_a_changed_digit_never_passes_the_balances(
    lines: list[samples.Movement], data: st.DataObject
) -> None:
    place = data.draw(st.integers(min_value=0, max_value=len(lines) - 1))
    wrong = list(lines)
    more = data.draw(st.integers(min_value=1, max_value=10**6))
    wrong[place] = samples.Movement(lines[place].day, lines[place].amount + more or more, lines[place].text)
    text = decode(samples.mt940_of(*lines)).split(":62F:")[1]
    torn = decode(samples.mt940_of(*wrong)).split(":62F:")[0] + ":62F:" + text
    statement = mt940.read(torn)
    check(statement, samples.ACCOUNT, TODAY)
    if wrong[place].amount != lines[place].amount:
        assert len(statement.faults) == 1


@given(movements())
def test_each_line_of_a_file_has_a_mark_of_its_own(lines: list[samples.Movement]) -> None:
    statement = mt940.read(decode(samples.mt940_of(*lines, *lines)))
    marks = fingerprints(statement.lines)
    assert len(set(marks)) == len(marks)
    assert marks == fingerprints(statement.lines)
    again = mt940.read(decode(samples.mt940_of(*lines)))
    assert set(fingerprints(again.lines)) <= set(marks)
