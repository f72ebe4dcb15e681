"""A month that closes while a provider's news come in: each entry is in its hash or late, and none is lost."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee
from storefront.books.models import Period
from storefront.books.span import month as whole_month
from storefront.closing.close import NotReady, StillBooking, WrongState, close, reopen
from storefront.days import ACCOUNTING_ZONE
from storefront.exports import datasets, written_table
from storefront.exports.datasets import Wish
from storefront.exports.formats import Format
from storefront.exports.moment import StillWriting, settle
from storefront.extensions import db
from storefront.ledger.models import JournalEntry
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import OrderLine
from storefront.orders.payment import open_payment
from storefront.payments.models import Payment
from storefront.refunds import refund_outcome, refunds
from storefront.refunds.refund_parts import LineWish
from storefront.snapshot import snapshot
from storefront.verify.month import ask, check_month, prove
from tests.factories import make_order, make_paid_order
from tests.money_out import Books, broken, open_books
from tests.taking import agreed
from tests.threads import at_once

WORDS = "Salah catat, lihat berita acara 12"
LAST = whole_month(days.today()).before
assert LAST is not None


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_books()


def at(day: int) -> datetime.datetime:
    """A moment of last month."""
    assert LAST is not None
    return datetime.datetime(LAST.first.year, LAST.first.month, day, 12, tzinfo=ACCOUNTING_ZONE)


@pytest.fixture
def all_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that find nothing: what they check is looked at in the end."""
    monkeypatch.setattr("storefront.verify.month.INVARIANTS", ())


def verified(person: int) -> None:
    assert LAST is not None
    row = ask(LAST.first, person)
    db.session.commit()
    check_month(row.id)
    db.session.commit()


def closing(app: Flask, person: int) -> Callable[[], str]:
    """Close last month as a person would: check, close, and once more if somebody booked in between."""

    def call() -> str:
        assert LAST is not None
        with app.app_context():
            for _ in range(300):
                try:
                    agreed()
                    _explain(person)
                    verified(person)
                    close(LAST.first, person, are_named=True)
                    db.session.commit()
                    return "closed"
                except (NotReady, StillBooking):
                    db.session.rollback()
                except WrongState:
                    db.session.rollback()
                    return "closed before"
        return "never"

    return call


def _explain(person: int) -> None:
    """The sandbox wrote its line down before it said what it kept."""
    db.session.execute(
        text(
            "UPDATE reconciliation_differences SET state = 'explained', reason = 'Biayanya menyusul', closed_by = :by,"
            " closed_at = now() WHERE state = 'open'"
        ),
        {"by": person},
    )
    db.session.commit()


def news(books: Books) -> list[Callable[[], object]]:
    """What a provider tells of last month: sales, a payment in vain, a refund, a fee, a dispute. None commits."""
    waiting = []
    for _ in range(3):
        payment = open_payment(make_order((books.shop.tempeh, 1), placed_at=at(10)))
        waiting.append((payment.id, payment.amount))
    twice = make_order((books.shop.tempeh, 1), placed_at=at(10))
    first, second = open_payment(twice), open_payment(twice)
    waiting.append((second.id, second.amount))
    record_payment(first.id, reference=first.id, amount=first.amount, at=at(11))
    sold = [make_paid_order((books.shop.batik, 1), paid_at=at(12)) for _ in range(3)]
    paid = [db.session.scalars(select(Payment.id).where(Payment.order_id == one.id)).one() for one in sold]
    line = db.session.scalars(select(OrderLine).where(OrderLine.order_id == sold[0].id)).one()
    refund = refunds.propose(sold[0].id, [LineWish(line.id, 1)], reason="returned", person_id=books.first).id
    db.session.commit()

    def pay(id: str, amount: int) -> Callable[[], object]:
        return lambda: record_payment(id, reference=id, amount=amount, happened_at=at(25))

    return [
        *(pay(id, amount) for id, amount in waiting),
        lambda: refund_outcome.refund_succeeded(refund, happened_at=at(25)),
        lambda: book_fee(paid[1], 700),
        lambda: record_dispute(paid[2], "dp_1", 50_000, "lost", happened_at=at(25)),
    ]


def booked(
    app: Flask, act: Callable[[], object], before_commit: Callable[[], object] = lambda: None
) -> Callable[[], str]:
    def call() -> str:
        with app.app_context():
            act()
            before_commit()
            db.session.commit()
            return "booked"

    return call


def test_news_while_their_month_closes_are_in_its_hash_or_late_and_none_is_lost(
    wide_app: Flask, books: Books, all_holds: None
) -> None:
    assert LAST is not None
    told = [booked(wide_app, act) for act in news(books)]
    before = db.session.scalar(select(func.count(JournalEntry.id))) or 0
    answers = at_once([closing(wide_app, books.first), *told])
    assert answers == ["closed", *["booked"] * len(told)]
    db.session.rollback()
    # A dispute that is lost before it was opened is two entries.
    entries = db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()[before:]
    assert len(entries) == len(told) + 1
    for entry in entries:
        in_month = LAST.first <= entry.effective_date <= LAST.last
        assert in_month == (entry.happened_on is None), entry.source
        assert in_month or entry.effective_date == days.today()
    proof = prove(LAST.first)
    assert proof is not None
    assert proof.holds
    assert broken() == {}


@pytest.mark.parametrize("which", range(7))
def test_closing_waits_for_news_that_are_being_written(
    wide_app: Flask, books: Books, all_holds: None, which: int
) -> None:
    """Without a wait the entry would be in the month and not in its hash."""
    assert LAST is not None
    act = news(books)[which]
    verified(books.first)
    written, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        written.set()
        assert go_on.wait(30)

    def impatient() -> str:
        with wide_app.app_context():
            assert written.wait(30)
            try:
                close(LAST.first, books.first, are_named=True, patience=0.2)
                return "closed"
            except StillBooking:
                db.session.rollback()
                return "waited"
            finally:
                go_on.set()

    assert at_once([booked(wide_app, act, wait), impatient]) == ["booked", "waited"]


def test_closing_and_opening_again_at_once(wide_app: Flask, books: Books, all_holds: None) -> None:
    """In whatever order, the month has one state and one row of the trail for each step."""
    assert LAST is not None
    make_paid_order((books.shop.batik, 1), paid_at=at(12))
    db.session.commit()
    assert closing(wide_app, books.first)() == "closed"

    def open_again() -> str:
        with wide_app.app_context():
            reopen(LAST.first, books.second, WORDS)
            db.session.commit()
            return "opened"

    answers = at_once([open_again, open_again, open_again])
    assert answers.count("opened") == 1
    assert sum(isinstance(answer, WrongState) for answer in answers) == 2
    answers = at_once([closing(wide_app, books.first), closing(wide_app, books.second)])
    assert sorted(map(str, answers)) == ["closed", "closed before"]
    steps = select(AuditEvent.action).where(AuditEvent.subject_kind == "period").order_by(AuditEvent.id)
    assert list(db.session.scalars(steps)) == ["period.closed", "period.reopened", "period.closed"]
    assert db.session.scalars(select(Period.state)).all() == ["closed"]


def test_an_export_while_a_month_is_being_closed_waits_and_closing_changes_none(
    app: Flask, books: Books, all_holds: None, tmp_path: Path
) -> None:
    assert LAST is not None
    make_paid_order((books.shop.batik, 1), paid_at=at(12))
    db.session.commit()
    agreed()
    _explain(books.first)
    verified(books.first)
    moment = settle(db.engine)

    def exported() -> tuple[int, str]:
        assert LAST is not None
        wish = Wish("postings", LAST.first, days.today(), columns=("entry_id", "amount", "effective_date"))
        with snapshot(db.engine) as connection:
            made = datasets.table(connection, wish, moment)
            found = written_table.fill(tmp_path / "postings.csv", connection, made, Format.CSV, note=None)
        return found["row_count"], found["sha256"]

    before = exported()
    assert before[0] > 0
    close(LAST.first, books.first, are_named=True)
    with pytest.raises(StillWriting):
        settle(db.engine, patience=0.2)  # what is as of now waits for it
    assert settle(db.engine, moment, patience=0) == moment
    assert exported() == before
    db.session.commit()
    settle(db.engine, patience=5)
    assert exported() == before
