"""Premium distributions: counted, never named; within what was paid; two people."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import distribute, settle_paid
from storefront.books.distribute import MoreThanPaid
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import PremiumDistribution
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.ledger.closed import PeriodClosed
from tests.money_out import Books, close_last_month, open_books, settled
from tests.threads import at_once


@pytest.fixture
def books(db_session: Session) -> Books:
    """60,000 of premium were paid to Pekalongan, and some capital."""
    books = open_books()
    settled(books, "premium", 60_000, "TRX-1")
    settled(books, "working_capital", 50_000, "TRX-2")
    db_session.commit()
    return books


def workshop(facility_id: int) -> int:
    return db.session.scalars(
        select(Workshop.id).where(Workshop.facility_id == facility_id).order_by(Workshop.id)
    ).all()[0]


def enter(books: Books, amount: int, **values: object) -> PremiumDistribution:
    wanted = {
        "workshop_id": workshop(books.pekalongan), "distributed_on": days.today(), "people": 7,
        "person_id": books.first, **values,
    }  # fmt: skip
    return distribute.enter(books.pekalongan, amount=amount, **wanted)  # type: ignore[arg-type]


def test_a_distribution_is_entered_and_approved_by_another(books: Books) -> None:
    found = enter(books, 40_000)
    with pytest.raises(FourEyes):
        distribute.approve(found.id, books.first)
    distribute.approve(found.id, books.second)
    db.session.commit()
    row = db.session.execute(text("SELECT * FROM reporting.premium_distributions")).one()
    assert (row.facility_code, row.people, row.amount) == ("PKL", 7, 40_000)
    with pytest.raises(Decided):
        distribute.approve(found.id, books.second)
    assert distribute.left_to_pass_on(books.pekalongan) == 20_000


def test_never_more_than_was_paid_as_premium(books: Books) -> None:
    enter(books, 40_000)
    with pytest.raises(MoreThanPaid) as refusal:
        enter(books, 20_001)
    assert "20.000" in str(refusal.value.errors["amount"])
    enter(books, 20_000)


def test_the_database_refuses_it_and_there_is_a_sentence(
    books: Books, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribute, "left_to_pass_on", lambda facility_id: 10**9)
    with pytest.raises(MoreThanPaid):
        enter(books, 60_001)
    db_session.rollback()
    with pytest.raises(DBAPIError):
        db_session.execute(
            text(
                "INSERT INTO premium_distributions (facility_id, workshop_id, distributed_on, people, amount,"
                " entered_by) VALUES (:f, :w, current_date, 3, 60001, :p)"
            ),
            {"f": books.pekalongan, "w": workshop(books.pekalongan), "p": books.first},
        )


def test_two_at_once_pass_on_no_more_than_there_is(wide_app: Flask, books: Books) -> None:
    where = workshop(books.pekalongan)

    def entering() -> Callable[[], bool]:
        def call() -> bool:
            with wide_app.app_context():
                enter(books, 50_000, workshop_id=where)
                db.session.commit()
                return True

        return call

    answers = at_once([entering() for _ in range(4)])
    assert answers.count(True) == 1
    assert sum(isinstance(answer, MoreThanPaid) for answer in answers) == 3
    assert db.session.scalar(select(func.sum(PremiumDistribution.amount))) == 50_000


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"people": 0}, "people"), ({"people": 10_001}, "people"), ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"), ({"workshop_id": 987_654}, "workshop"),
        ({"in_days": 1}, "distributed_on"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(books: Books, values: dict[str, object], field: str) -> None:
    amount = int(str(values.get("amount", 10)))
    more = {name: value for name, value in values.items() if name not in ("amount", "in_days")}
    if "in_days" in values:
        more["distributed_on"] = days.today() + datetime.timedelta(days=int(str(values["in_days"])))
    with pytest.raises(Invalid) as refusal:
        enter(books, amount, **more)
    assert list(refusal.value.errors) == [field]


def test_another_facilitys_workshop_is_none_of_its_own(books: Books) -> None:
    with pytest.raises(Invalid):
        enter(books, 10, workshop_id=workshop(books.ambon))


def test_a_wrong_record_is_taken_back(books: Books) -> None:
    found = enter(books, 60_000)
    distribute.reject(found.id, books.first)
    again = enter(books, 60_000)
    distribute.approve(again.id, books.second)
    with pytest.raises(FourEyes):
        distribute.reject(again.id, books.first, "Jumlahnya keliru, seharusnya 6.000")
    with pytest.raises(Invalid):
        distribute.reject(again.id, books.second, "keliru")
    distribute.reject(again.id, books.second, "Jumlahnya keliru, seharusnya 6.000")
    db.session.commit()
    assert distribute.left_to_pass_on(books.pekalongan) == 60_000
    with pytest.raises(NotFound):
        distribute.reject(987_654, books.second)


def test_a_closed_month_keeps_its_distributions(books: Books) -> None:
    last = days.today().replace(day=1) - datetime.timedelta(days=1)
    found = enter(books, 10, distributed_on=last)
    distribute.approve(found.id, books.second)
    waiting = enter(books, 10, distributed_on=last)
    close_last_month(books)
    for act in (
        lambda: enter(books, 10, distributed_on=last),
        lambda: distribute.approve(waiting.id, books.second),
        lambda: distribute.reject(found.id, books.second, "Jumlahnya keliru sekali"),
    ):
        with pytest.raises(PeriodClosed):
            act()
    distribute.reject(waiting.id, books.first)


def test_undoing_a_payment_and_passing_it_on_wait_for_each_other(wide_app: Flask, books: Books) -> None:
    from storefront.books.models import Settlement

    where = workshop(books.pekalongan)
    settlement_id = db.session.scalars(
        select(Settlement.id).where(Settlement.bank_reference == "TRX-1")
    ).one()
    db.session.commit()

    def undo() -> str:
        with wide_app.app_context():
            settle_paid.reverse(
                settlement_id, on=days.today(), reason="Bank mengembalikan uangnya", person_id=books.second
            )
            db.session.commit()
            return "undone"

    def pass_on() -> str:
        with wide_app.app_context():
            enter(books, 50_000, workshop_id=where)
            db.session.commit()
            return "passed on"

    answers = at_once([undo, pass_on])
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert distribute.left_to_pass_on(books.pekalongan) >= 0


@pytest.mark.parametrize(
    "change",
    ["amount = amount - 1", "people = people + 1", "distributed_on = distributed_on - 1", "approved_at = now()"],
)
def test_the_database_keeps_what_was_approved(books: Books, db_session: Session, change: str) -> None:
    distribute.approve(enter(books, 20_000, people=8).id, books.second)
    db_session.commit()
    with pytest.raises(DBAPIError, match="what was proposed stays"):
        db_session.execute(text(f"UPDATE premium_distributions SET {change}"))
