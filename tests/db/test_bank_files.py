"""A bank's file is read before it is taken in, and each line is taken in once, whatever is uploaded."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from storefront.bank import files
from storefront.bank.files import AlikeUndecided, NotWhole
from storefront.bank.models import BankFile, BankLine
from storefront.bank.shape import guess
from storefront.bank.text import BadBankFile, rows_of
from storefront.books.four_eyes import Decided
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.media.storage import private_files
from tests import bank_samples as samples
from tests.bank_samples import Movement, csv_of, mt940_of
from tests.banking import open_bank, take_in, upload
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
DAY = datetime.date(2026, 11, 2)


@pytest.fixture
def bank(db_session: Any) -> tuple[int, int]:
    """The central account and somebody of finance."""
    books, account = open_bank()
    return account, books.first


def lines() -> int:
    return db.session.scalar(select(func.count()).select_from(BankLine)) or 0


def movements(*numbers: int, day: datetime.date = DAY) -> list[Movement]:
    return [
        Movement(day + datetime.timedelta(number), 1_000 + number, f"TRANSFER {number}") for number in numbers
    ]


def test_a_dry_run_shows_all_and_writes_nothing(bank: tuple[int, int]) -> None:
    file = upload(*bank, samples.MT940.encode())
    run = files.dry_run(file)
    assert [line.amount for line in run.statement.lines] == [amount for _, amount, _ in samples.LINES]
    assert len(run.compared.new) == 4
    assert lines() == 0
    assert file.state == "read"


@pytest.mark.parametrize("content", [samples.MARKED, samples.TWO_COLUMNS, samples.MT940])
def test_a_file_is_taken_in_with_its_days_and_balances(bank: tuple[int, int], content: str) -> None:
    file = upload(*bank, content.encode())
    files.take_in(file.id, bank[1])
    db.session.commit()
    assert (file.lines, file.lines_added) == (4, 4)
    assert (file.first_day, file.last_day) == (DAY, datetime.date(2026, 11, 4))
    assert (file.opening, file.closing) == (samples.OPENING, samples.CLOSING)
    rows = db.session.scalars(select(BankLine).order_by(BankLine.id)).all()
    assert [(row.booked_on, row.amount * 100 + row.hundredths) for row in rows] == [
        (day, amount) for day, amount, _ in samples.LINES
    ]


def test_a_file_is_kept_privately_and_gone_once_discarded(
    bank: tuple[int, int], run_jobs: Callable[[], None]
) -> None:
    file = upload(*bank, samples.MT940.encode())
    assert files.content_of(file) == samples.MT940.encode()
    assert "/private/" in private_files().path(file.content_key)
    files.discard(file.id, bank[1])
    db.session.commit()
    run_jobs()
    with pytest.raises(BadBankFile):
        files.content_of(file)
    again = upload(*bank, samples.MT940.encode())
    assert (again.id != file.id, files.content_of(again)) == (True, samples.MT940.encode())


def test_the_same_file_twice_is_one_file(bank: tuple[int, int]) -> None:
    first = upload(*bank, samples.MT940.encode())
    files.take_in(first.id, bank[1])
    second, is_new = files.upload(bank[0], "lagi.sta", samples.MT940.encode(), bank[1])
    assert (second.id, is_new) == (first.id, False)
    with pytest.raises(Decided):
        files.take_in(first.id, bank[1])


def test_files_that_overlap_add_nothing_twice(bank: tuple[int, int]) -> None:
    take_in(*bank, *movements(0, 1, 2))
    added = take_in(*bank, *movements(1, 2, 3), opening=1_000)
    assert [line.amount for line in added] == [1_003]
    assert lines() == 4


def test_two_people_may_send_the_same_with_the_same_words(bank: tuple[int, int]) -> None:
    twin = Movement(DAY, 50_000, "TRANSFER")
    take_in(*bank, twin)
    # Downloaded later on the same day: the second one has come.
    added = take_in(*bank, twin, twin)
    assert len(added) == 1
    assert take_in(*bank, twin, twin, Movement(DAY, 1, "LAIN"))[0].amount == 1
    assert lines() == 3


def test_the_other_format_of_the_same_days_asks_before_it_adds(bank: tuple[int, int]) -> None:
    take_in(*bank, *movements(0, 1))
    other = [Movement(line.day, line.amount, f"OTHER WORDS {line.amount}") for line in movements(0, 1)]
    file = upload(*bank, mt940_of(*other))
    run = files.dry_run(file)
    assert (len(run.compared.new), len(run.compared.alike)) == (0, 2)
    with pytest.raises(AlikeUndecided):
        files.take_in(file.id, bank[1])
    db.session.rollback()
    files.take_in(file.id, bank[1], alike="same")
    db.session.commit()
    assert (file.lines, file.lines_added, lines()) == (2, 0, 2)


def test_lines_that_only_look_alike_may_be_added(bank: tuple[int, int]) -> None:
    take_in(*bank, *movements(0))
    file = upload(*bank, mt940_of(Movement(DAY, 1_000, "SOMEBODY ELSE")))
    files.take_in(file.id, bank[1], alike="new")
    assert lines() == 2


def test_nothing_is_taken_of_a_file_with_a_fault(bank: tuple[int, int]) -> None:
    torn = samples.MT940.replace(":62F:C261104IDR2534568,00", ":62F:C261104IDR2534569,00")
    file = upload(*bank, torn.encode())
    with pytest.raises(NotWhole):
        files.take_in(file.id, bank[1])
    db.session.rollback()
    assert lines() == 0


def test_missing_days_are_said(bank: tuple[int, int]) -> None:
    take_in(*bank, *movements(0), opening=5_000)
    file = upload(*bank, csv_of(*movements(9), opening=7_500))
    (note,) = files.dry_run(file).statement.notes
    assert "2 November 2026" in note.sentence
    assert "6.000" in note.sentence
    assert "7.500" in note.sentence
    follows = upload(*bank, csv_of(*movements(9), opening=6_000))
    assert files.dry_run(follows).statement.notes == []


def test_a_kept_shape_reads_the_next_file_of_the_account(bank: tuple[int, int]) -> None:
    account, person = bank
    file = upload(account, person, samples.MARK_COLUMN.encode())
    assert files.dry_run(file).statement.lines[0].day == datetime.date(2026, 2, 11)  # taken for February
    shape = replace(guess(rows_of(samples.MARK_COLUMN)[0].cells), day_order="mdy")
    files.keep_shape(file.id, shape, person)
    db.session.commit()
    assert files.dry_run(file).statement.lines[0].day == DAY
    files.take_in(file.id, person)
    db.session.commit()
    assert files.shape_of(account) == shape
    with pytest.raises(Invalid):
        files.keep_shape(upload(account, person, samples.TWO_COLUMNS.encode()).id, shape, person)


def test_only_the_offices_accounts_have_files(bank: tuple[int, int]) -> None:
    other = db.session.scalar(text("SELECT min(id) FROM bank_accounts WHERE facility_id IS NOT NULL"))
    with pytest.raises(Invalid):
        files.upload(other, "x.csv", samples.MT940.encode(), bank[1])


def test_what_the_bank_wrote_cannot_be_changed(bank: tuple[int, int]) -> None:
    take_in(*bank, *movements(0))
    for statement in (
        "UPDATE bank_lines SET amount = amount + 1",
        "UPDATE bank_lines SET description = 'x'",
        "DELETE FROM bank_lines",
        "UPDATE bank_files SET lines = 99",
        "INSERT INTO bank_lines (bank_account_id, file_id, line_number, booked_on, amount, fingerprint)"
        " SELECT bank_account_id, file_id, 9, booked_on, amount, fingerprint FROM bank_lines",
    ):
        with pytest.raises(DBAPIError), db.session.begin_nested():
            db.session.execute(text(statement))


def test_uploads_of_one_file_at_once_are_one_file(bank: tuple[int, int], wide_app: Flask) -> None:
    account, person = bank
    db.session.commit()

    def call() -> int:
        with wide_app.app_context():
            file, _is_new = files.upload(account, "x.sta", samples.MT940.encode(), person)
            db.session.commit()
            return file.id

    answers = at_once([call] * 6)
    assert len({answer for answer in answers if isinstance(answer, int)}) == 1, answers
    assert db.session.scalar(select(func.count()).select_from(BankFile)) == 1
    file = db.session.scalars(select(BankFile)).one()
    assert files.content_of(file) == samples.MT940.encode()


def test_files_that_overlap_taken_in_at_once_add_each_line_once(
    bank: tuple[int, int], wide_app: Flask
) -> None:
    account, person = bank
    days = [movements(*range(start, start + 6)) for start in range(5)]
    ids = [upload(account, person, mt940_of(*lines_)).id for lines_ in days]

    def call(file_id: int) -> Callable[[], int]:
        def run() -> int:
            with wide_app.app_context():
                added = files.take_in(file_id, person).lines_added
                db.session.commit()
                assert added is not None
                return added

        return run

    answers = at_once([call(file_id) for file_id in ids * 2])
    assert sum(answer for answer in answers if isinstance(answer, int)) == lines() == 10
    assert sum(isinstance(answer, Decided) for answer in answers) == 5, answers


#: Each example has days of its own.
EXAMPLES = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_windows_of_one_statement_in_any_order_make_the_statement(
    bank: tuple[int, int], data: st.DataObject
) -> None:
    """Whatever overlapping pieces of an account are uploaded, in whatever order: each line once, none missing."""
    account, person = bank
    base = datetime.date(2001, 3, 1) + datetime.timedelta(5 * next(EXAMPLES))
    offsets, amounts = st.integers(0, 3), st.integers(1, 2)
    whole = [
        Movement(base + datetime.timedelta(data.draw(offsets)), data.draw(amounts) * 1_000, word)
        for word in data.draw(st.lists(st.sampled_from(["A", "B"]), min_size=1, max_size=8))
    ]
    whole.sort(key=lambda line: line.day)
    days = sorted({line.day for line in whole})
    windows = data.draw(st.permutations([(start, end) for start in days for end in days if start <= end]))
    for start, end in [*windows[:5], (days[0], days[-1])]:
        part = [line for line in whole if start <= line.day <= end]
        file, is_new = files.upload(account, "x.sta", mt940_of(*part), person)
        if is_new:
            files.take_in(file.id, person)
        db.session.commit()
    found = db.session.execute(
        select(BankLine.booked_on, BankLine.amount, BankLine.description).where(
            BankLine.booked_on.between(days[0], days[-1])
        )
    ).all()
    assert sorted(map(tuple, found)) == sorted((line.day, line.amount, line.text) for line in whole)
