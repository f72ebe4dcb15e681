"""Registered accounts: two people, one in force on any day, nothing rewritten."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books import bank_accounts
from storefront.books.bank_accounts import NoBankAccount
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import BankAccount
from storefront.books.payouts import record_payout
from storefront.errors import Invalid
from storefront.extensions import db
from tests.factories import make_paid_order
from tests.money_out import LONG_AGO, Books, open_books, register_account, settled
from tests.threads import at_once

DAY = datetime.timedelta(days=1)


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_books(with_accounts=False)


def propose(books: Books, number: str, valid_from: datetime.date = LONG_AGO, **values: object) -> int:
    account = bank_accounts.propose(
        books.pekalongan, number=number, valid_from=valid_from, person_id=books.first,
        **{"bank": "BRI", "holder": "RPL 139 Pekalongan", "permission_letter": "S-12/2020", **values},
    )  # type: ignore[arg-type] # fmt: skip
    return account.id


def test_an_account_counts_once_a_second_person_has_approved_it(books: Books) -> None:
    account = propose(books, "0001-02-345678")
    with pytest.raises(NoBankAccount):
        bank_accounts.in_force(books.pekalongan, days.today())
    with pytest.raises(FourEyes):
        bank_accounts.approve(account, books.first)
    bank_accounts.approve(account, books.second)
    assert bank_accounts.in_force(books.pekalongan, days.today()).number == "000102345678"
    assert bank_accounts.find_in_force(books.ambon, days.today()) is None
    with pytest.raises(Decided):
        bank_accounts.approve(account, books.second)


def test_a_new_account_ends_the_one_before(books: Books) -> None:
    old = register_account(books, books.pekalongan, "11111111")
    new = register_account(books, books.pekalongan, "22222222", valid_from=days.today())
    assert bank_accounts.in_force(books.pekalongan, days.today() - DAY).id == old
    assert bank_accounts.in_force(books.pekalongan, days.today()).id == new
    with pytest.raises(Invalid) as refusal:
        register_account(books, books.pekalongan, "33333333", valid_from=days.today())
    assert list(refusal.value.errors) == ["valid_from"]


def test_an_account_is_not_ended_before_money_went_there(books: Books) -> None:
    register_account(books, books.pekalongan, "11111111")
    register_account(books, None, "99999999")
    settled(books, "premium", 10, "TRX-1")
    for act in (
        lambda: register_account(books, books.pekalongan, "22222222", valid_from=days.today()),
        lambda: bank_accounts.propose_end(
            bank_accounts.in_force(books.pekalongan, days.today()).id, days.today() - DAY, books.first
        ),
    ):
        with pytest.raises(Invalid):
            act()
    register_account(books, books.pekalongan, "22222222", valid_from=days.today() + DAY)


def test_the_offices_account_is_not_ended_before_money_went_through_it(books: Books) -> None:
    central = register_account(books, None, "99999999")
    make_paid_order((books.shop.batik, 1))
    record_payout(gateway="sandbox", reference="po_1", amount=5, arrived_on=days.today(), person_id=books.first)
    with pytest.raises(Invalid) as refusal:
        bank_accounts.propose_end(central, days.today() - DAY, books.first)
    assert list(refusal.value.errors) == ["end_on"]
    with pytest.raises(Invalid) as refusal:
        register_account(books, None, "88888888", valid_from=days.today())
    assert list(refusal.value.errors) == ["valid_from"]
    register_account(books, None, "77777777", valid_from=days.today() + DAY)


def test_an_account_ends_when_two_people_say_so(books: Books) -> None:
    account = register_account(books, books.pekalongan, "11111111")
    with pytest.raises(Decided):
        bank_accounts.approve_end(account, books.second)
    bank_accounts.propose_end(account, days.today(), books.first)
    assert bank_accounts.find_in_force(books.pekalongan, days.today() + DAY) is not None
    with pytest.raises(FourEyes):
        bank_accounts.approve_end(account, books.first)
    bank_accounts.approve_end(account, books.second)
    assert bank_accounts.find_in_force(books.pekalongan, days.today()) is not None
    assert bank_accounts.find_in_force(books.pekalongan, days.today() + DAY) is None
    with pytest.raises(Decided):
        bank_accounts.propose_end(account, days.today(), books.first)


def test_a_rejected_account_never_counts(books: Books) -> None:
    account = propose(books, "11111111")
    bank_accounts.reject(account, books.first)
    with pytest.raises(Decided):
        bank_accounts.approve(account, books.second)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"number": "1234"}, "number"), ({"number": "1234567890123456789012"}, "number"),
        ({"number": "12345A"}, "number"), ({"bank": "B"}, "bank"), ({"holder": "R"}, "holder"),
        ({"permission_letter": ""}, "permission_letter"), ({"valid_to": datetime.date(2019, 1, 1)}, "valid_to"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(books: Books, values: dict[str, object], field: str) -> None:
    number = str(values.pop("number", "12345678"))
    with pytest.raises(Invalid) as refusal:
        propose(books, number, **values)
    assert list(refusal.value.errors) == [field]


def test_two_accounts_approved_at_once_never_overlap(wide_app: Flask, books: Books) -> None:
    ids = [propose(books, "11111111"), propose(books, "22222222")]
    db.session.commit()

    def approve(account_id: int):  # type: ignore[no-untyped-def]
        def call() -> bool:
            with wide_app.app_context():
                bank_accounts.approve(account_id, books.second)
                db.session.commit()
                return True

        return call

    answers = at_once([approve(ids[0]), approve(ids[1])])
    assert answers.count(True) == 1
    assert sum(isinstance(answer, Invalid) for answer in answers) == 1


def test_the_database_keeps_what_was_approved(books: Books, db_session: Session) -> None:
    register_account(books, books.pekalongan, "11111111")
    waiting = propose(books, "22222222")
    db_session.commit()
    for change in (
        "UPDATE bank_accounts SET number = '33333333' WHERE approved_at IS NOT NULL",
        "UPDATE bank_accounts SET valid_from = valid_from - 1 WHERE approved_at IS NOT NULL",
        f"UPDATE bank_accounts SET approved_by = proposed_by, approved_at = now() WHERE id = {waiting}",
        f"UPDATE bank_accounts SET approved_by = {books.second}, approved_at = now() WHERE id = {waiting}",
        "DELETE FROM bank_accounts",
    ):
        with pytest.raises(DBAPIError):
            db_session.execute(text(change))
        db_session.rollback()


def test_the_trail_names_the_account_without_its_number(books: Books) -> None:
    register_account(books, books.pekalongan, "1234567890")
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.subject_kind == "bank_account")).all()
    assert [event.action for event in events] == ["bank_account.proposed", "bank_account.approved"]
    assert all(event.details["after"]["number"] == "••••7890" for event in events)
    assert "1234567890" not in str([event.details for event in events])
    assert db.session.scalars(select(BankAccount.number)).one() == "1234567890"
