"""Corrections: two people, a reason, balanced legs, open months; booked once."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storefront.books.corrections import account_codes, approve, propose, reject
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import Correction
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.closed import PeriodClosed
from tests.money_out import Books, close_last_month, open_books
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
REASON = "Biaya bank 2.500 rupiah tidak dilaporkan penyedia"
LEGS = [("corrections:difference", 2_500), ("clearing:sandbox", -2_500)]


@pytest.fixture
def books(db_session: Any) -> Books:
    return open_books(with_accounts=False)


def proposed(books: Books, **changes: Any) -> Correction:
    given = {"reason": REASON, "effective_date": today(), "legs": LEGS}
    return propose(**{**given, **changes}, person_id=books.first)


def test_a_correction_is_booked_when_a_second_person_agrees(books: Books) -> None:
    before = balance("clearing:sandbox")
    correction = proposed(books)
    assert balance("clearing:sandbox") == before
    with pytest.raises(FourEyes):
        approve(correction.id, books.first)
    approve(correction.id, books.second)
    assert balance("clearing:sandbox") == before - 2_500
    assert balance("corrections:difference") == 2_500
    entry = db.session.execute(
        text("SELECT source, person_id, description FROM journal_entries WHERE kind = 'correction'")
    ).one()
    assert tuple(entry) == (f"correction:{correction.id}", books.second, REASON)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"reason": "salah"}, "reason", "apa buktinya"),
        ({"effective_date": datetime.date(2099, 1, 1)}, "effective_date", "belum tiba"),
        ({"legs": [("clearing:sandbox", 5)]}, "legs", "dua baris"),
        ({"legs": [("clearing:sandbox", 5), ("corrections:difference", -4)]}, "legs", "selisihnya Rp\xa01"),
        (
            {"legs": [("clearing:nobody", 5), ("corrections:difference", -5)]},
            "legs",
            "Baris 1: akun clearing:nobody",
        ),
        ({"legs": [("clearing:sandbox", 0), ("corrections:difference", 0)]}, "legs", "jumlah nol"),
        (
            {"legs": [("clearing:sandbox", 1), ("corrections:difference", -1)] * 11},
            "legs",
            "paling banyak 20",
        ),
    ],
)
def test_what_cannot_be_booked_is_refused_beside_its_field(
    books: Books, changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        proposed(books, **changes)
    assert words in refused.value.errors[field]


def test_nothing_is_corrected_in_a_closed_month(books: Books) -> None:
    last = today().replace(day=1) - datetime.timedelta(days=1)
    early = proposed(books, effective_date=last)
    close_last_month(books)
    with pytest.raises(PeriodClosed):
        approve(early.id, books.second)
    with pytest.raises(Invalid) as refused:
        proposed(books, effective_date=last)
    assert "sudah ditutup" in refused.value.errors["effective_date"]


def test_a_rejected_correction_is_never_booked(books: Books) -> None:
    correction = reject(proposed(books).id, books.second)
    with pytest.raises(Decided):
        approve(correction.id, books.second)


def test_what_was_proposed_stays_in_the_database(books: Books) -> None:
    correction = proposed(books)
    db.session.commit()
    for statement in (
        "UPDATE corrections SET legs = '[]'",
        "UPDATE corrections SET reason = 'sesuatu yang lain'",
        "UPDATE corrections SET state = 'booked', approved_at = now(), approved_by = proposed_by",
        "DELETE FROM corrections",
    ):
        with pytest.raises(DBAPIError), db.session.begin_nested():
            db.session.execute(text(statement))
    assert approve(correction.id, books.second).state == "booked"


def test_two_people_approving_at_once_book_it_once(books: Books, app: Flask) -> None:
    from tests.factories import make_person

    correction_id = proposed(books).id
    people = [books.second, make_person().id, make_person().id]
    db.session.commit()

    def agree(person_id: int) -> Callable[[], int]:
        def call() -> int:
            with app.app_context():
                approve(correction_id, person_id)
                db.session.commit()
                return person_id

        return call

    answers = at_once([agree(person_id) for person_id in people])
    assert len([answer for answer in answers if isinstance(answer, int)]) == 1
    assert all(isinstance(answer, int | Decided) for answer in answers)
    assert balance("corrections:difference") == 2_500


def test_every_account_may_be_named(books: Books) -> None:
    assert {"corrections:difference", "clearing:sandbox", "owed:PKL:premium"} <= set(account_codes())
