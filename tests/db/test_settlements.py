"""Settlements: within what is owed, two people, once, undone only by a counter-entry."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books import bank_accounts, distribute, settle, settle_paid
from storefront.books.bank_accounts import NoBankAccount
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import Settlement
from storefront.books.settle import MoreThanOwed, Wish
from storefront.books.settle_paid import Paid
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.ledger.balance import balance
from storefront.ledger.closed import PeriodClosed
from storefront.ledger.models import Account, JournalEntry, Posting
from tests.factories import make_paid_order
from tests.money_out import (
    PKL_PREMIUM,
    Books,
    books_balance,
    close_last_month,
    give_back,
    open_books,
    owed,
    register_account,
    settled,
)
from tests.threads import at_once


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_books()


def wish(books: Books, fund: str | None, amount: int) -> Wish:
    return Wish(books.pekalongan, books.funds[fund] if fund else None, amount)


def entry(source: str) -> dict[str, int]:
    """The postings of an entry by account."""
    rows = db.session.execute(
        select(Account.code, Posting.amount)
        .join(Posting, Posting.account_id == Account.id)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.source == source)
    )
    return {row.code: row.amount for row in rows}


def central() -> str:
    return f"bank:{bank_accounts.in_force(None, days.today()).id}"


def test_what_is_owed_is_paid_and_booked(books: Books) -> None:
    settlement = settled(books, "premium", PKL_PREMIUM, "TRX-1")
    db.session.commit()
    assert settlement.state == "paid"
    assert entry(f"settlement:{settlement.id}:paid") == {
        "owed:PKL:premium": PKL_PREMIUM,
        central(): -PKL_PREMIUM,
    }
    booked = db.session.scalars(
        select(JournalEntry).where(JournalEntry.source == f"settlement:{settlement.id}:paid")
    ).one()
    assert (booked.kind, booked.effective_date, booked.person_id) == ("settlement", days.today(), books.first)
    actions = db.session.scalars(select(AuditEvent.action).where(AuditEvent.subject_kind == "settlement"))
    assert list(actions) == ["settlement.proposed", "settlement.approved", "settlement.paid"]
    assert owed("PKL:premium") == 0


def test_many_facilities_and_shipping_at_once(books: Books) -> None:
    found = settle.propose(
        [
            wish(books, "premium", 1),
            wish(books, None, 10_000),
            Wish(books.ambon, books.funds["premium"], 30_000),
        ],
        person_id=books.first,
    )
    db.session.commit()
    assert [(s.facility_id == books.ambon, s.amount) for s in found] == [
        (False, 1), (False, 10_000), (True, 30_000),
    ]  # fmt: skip
    account = bank_accounts.in_force(books.ambon, days.today())
    assert found[2].bank_account_id == account.id


@pytest.mark.parametrize(
    ("fund", "amount"),
    [("premium", PKL_PREMIUM + 1), ("premium", 0), ("premium", -5), (None, 10_001)],
)
def test_never_more_than_is_owed(books: Books, fund: str | None, amount: int) -> None:
    with pytest.raises(MoreThanOwed) as refusal:
        settle.propose([wish(books, fund, amount)], person_id=books.first)
    assert list(refusal.value.errors) == [f"PKL-{fund or 'shipping'}"]


def test_one_wrong_line_proposes_nothing(books: Books) -> None:
    with pytest.raises(MoreThanOwed):
        settle.propose(
            [wish(books, "premium", 10), wish(books, "working_capital", 10**9)], person_id=books.first
        )
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Settlement)) == 0


def test_what_others_proposed_is_not_there_again(books: Books) -> None:
    settle.propose([wish(books, "premium", 60_000)], person_id=books.first)
    with pytest.raises(MoreThanOwed):
        settle.propose([wish(books, "premium", 40_001)], person_id=books.second)
    settle.propose([wish(books, "premium", 40_000)], person_id=books.second)


def test_the_database_refuses_it_too(books: Books, db_session: Session) -> None:
    settle.propose([wish(books, "premium", 60_000)], person_id=books.first)
    db_session.commit()
    account = bank_accounts.in_force(books.pekalongan, days.today()).id
    for fund, amount in (("premium", 40_001), ("state_revenue", 1)):
        with pytest.raises(DBAPIError):
            db_session.execute(
                text(
                    "INSERT INTO settlements (facility_id, fund_id, amount, bank_account_id, proposed_by)"
                    " VALUES (:facility, :fund, :amount, :account, :person)"
                ),
                {
                    "facility": books.pekalongan, "fund": books.funds[fund], "amount": amount,
                    "account": account, "person": books.first,
                },
            )  # fmt: skip
        db_session.rollback()


def test_two_people_proposing_the_same_money_at_once(wide_app: Flask, books: Books) -> None:
    def proposing(person: int) -> Callable[[], int]:
        def call() -> int:
            with wide_app.app_context():
                (found,) = settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=person)
                db.session.commit()
                return found.id

        return call

    answers = at_once([proposing(books.first), proposing(books.second)] * 3)
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert sum(isinstance(answer, MoreThanOwed) for answer in answers) == 5
    pending = db.session.scalar(select(func.sum(Settlement.amount)))
    assert pending == PKL_PREMIUM


def test_nobody_approves_their_own(books: Books, db_session: Session) -> None:
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    db_session.commit()
    with pytest.raises(FourEyes):
        settle.approve([found.id], books.first)
    db_session.rollback()
    with pytest.raises(DBAPIError):
        db_session.execute(
            text("UPDATE settlements SET state = 'approved', approved_by = proposed_by, approved_at = now()")
        )


def test_approved_twice_is_approved_once(wide_app: Flask, books: Books) -> None:
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    settlement_id = found.id
    db.session.commit()

    def approve() -> bool:
        with wide_app.app_context():
            settle.approve([settlement_id], books.second)
            db.session.commit()
            return True

    answers = at_once([approve] * 4)
    assert answers.count(True) == 1
    assert sum(isinstance(answer, Decided) for answer in answers) == 3


def test_an_approval_of_many_is_whole_or_not_at_all(books: Books) -> None:
    (one,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    (two,) = settle.propose([wish(books, "premium", 10)], person_id=books.second)
    db.session.commit()
    ids = [one.id, two.id]
    with pytest.raises(FourEyes):
        settle.approve(ids, books.second)
    db.session.rollback()
    states = db.session.scalars(select(Settlement.state).where(Settlement.id.in_(ids)))
    assert set(states) == {"proposed"}


def test_money_that_went_back_meanwhile_is_not_approved(books: Books) -> None:
    (found,) = settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=books.first)
    give_back(books, "premium", 1_000, "refund:x:succeeded")
    db.session.commit()
    with pytest.raises(MoreThanOwed) as refusal:
        settle.approve([found.id], books.second)
    assert "99.000" in str(refusal.value.message)


def test_a_refund_between_approval_and_payment_becomes_a_receivable(books: Books) -> None:
    (found,) = settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=books.first)
    settle.approve([found.id], books.second)
    give_back(books, "premium", 1_000, "refund:x:succeeded")
    settle_paid.mark_paid(Paid(found.id, "TRX-1", days.today()), books.first)
    db.session.commit()
    assert balance("owed:PKL:premium") == 0
    assert balance("receivable:PKL:premium") == 1_000
    assert books_balance()


def test_the_next_settlement_takes_in_what_must_come_back(books: Books) -> None:
    settled(books, "premium", 60_000, "TRX-1")
    give_back(books, "premium", 40_000, "refund:x:succeeded")  # all that was left
    give_back(books, "premium", 15_000, "refund:y:succeeded")  # already paid out
    assert balance("receivable:PKL:premium") == 15_000
    with pytest.raises(MoreThanOwed):
        settle.propose([wish(books, "premium", 1)], person_id=books.first)
    make_paid_order((books.shop.batik, 2))  # another 100,000 of premium
    with pytest.raises(MoreThanOwed):
        settle.propose([wish(books, "premium", 85_001)], person_id=books.first)
    second = settled(books, "premium", 85_000, "TRX-2")
    assert entry(f"settlement:{second.id}:paid") == {
        "owed:PKL:premium": 100_000, "receivable:PKL:premium": -15_000, central(): -85_000,
    }  # fmt: skip
    assert owed("PKL:premium") == balance("owed:PKL:premium") == 0


def test_state_revenue_is_deposited_not_settled(books: Books) -> None:
    with pytest.raises(Invalid):
        settle.propose([wish(books, "state_revenue", 1)], person_id=books.first)


def test_without_a_registered_account_there_is_a_sentence(db_session: Session) -> None:
    books = open_books(with_accounts=False)
    with pytest.raises(NoBankAccount) as refusal:
        settle.propose([wish(books, "premium", 1)], person_id=books.first)
    assert "Lapas Kelas IIA Pekalongan" in str(refusal.value.message)


def test_an_account_that_ended_takes_no_more_money(books: Books) -> None:
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    register_account(books, books.pekalongan, "9990001", valid_from=days.today())
    with pytest.raises(NoBankAccount):
        settle.approve([found.id], books.second)


def test_money_leaves_only_a_registered_central_account(db_session: Session) -> None:
    books = open_books(with_accounts=False)
    register_account(books, books.pekalongan, "5550001")
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    settle.approve([found.id], books.second)
    with pytest.raises(NoBankAccount) as refusal:
        settle_paid.mark_paid(Paid(found.id, "TRX-1", days.today()), books.first)
    assert "pusat" in str(refusal.value.message)


def test_a_reference_pays_one_settlement(books: Books) -> None:
    settled(books, "premium", 10, "TRX-1")
    db.session.commit()
    with pytest.raises(Invalid) as refusal:
        settled(books, "premium", 10, " TRX-1 ")
    assert list(refusal.value.errors) == ["bank_reference"]


@pytest.mark.parametrize(
    ("reference", "days_from_now", "field"),
    [("", 0, "bank_reference"), ("TR", 0, "bank_reference"), ("x" * 81, 0, "bank_reference"),
     ("TRX", 1, "paid_on"), ("TRX", -1, "paid_on")],
)  # fmt: skip
def test_what_the_bank_says_is_checked(books: Books, reference: str, days_from_now: int, field: str) -> None:
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first)
    settle.approve([found.id], books.second)
    day = days.today() + datetime.timedelta(days=days_from_now)
    with pytest.raises(Invalid) as refusal:
        settle_paid.mark_paid(Paid(found.id, reference, day), books.first)
    assert list(refusal.value.errors) == [field]


def test_a_closed_month_says_which(books: Books) -> None:
    last = days.today().replace(day=1) - datetime.timedelta(days=1)
    then = datetime.datetime.combine(last, datetime.time(5), datetime.UTC)
    (found,) = settle.propose([wish(books, "premium", 10)], person_id=books.first, at=then)
    settle.approve([found.id], books.second, at=then)
    close_last_month(books)
    db.session.commit()
    with pytest.raises(PeriodClosed):
        settle_paid.mark_paid(Paid(found.id, "TRX-1", last), books.first)
    settle_paid.mark_paid(Paid(found.id, "TRX-1", days.today()), books.first)


def test_many_are_marked_at_once_or_none(books: Books) -> None:
    found = settle.propose(
        [wish(books, "premium", 10), wish(books, "working_capital", 20), wish(books, None, 30)],
        person_id=books.first,
    )
    ids = [settlement.id for settlement in found]
    settle.approve(ids, books.second)
    db.session.commit()
    rows = [
        Paid(ids[0], "A-1", days.today()),
        Paid(ids[1], "A-1", days.today()),
        Paid(987654, "A-3", days.today()),
    ]
    with pytest.raises(Invalid) as refusal:
        settle_paid.mark_many_paid(rows, books.first)
    db.session.rollback()
    assert set(refusal.value.errors) == {"row-1", "row-2"}
    assert set(db.session.scalars(select(Settlement.state))) == {"approved"}
    good = [Paid(number, f"A-{number}", days.today()) for number in ids]
    assert len(settle_paid.mark_many_paid(good, books.first)) == 3
    db.session.commit()
    assert set(db.session.scalars(select(Settlement.state))) == {"paid"}


def test_a_payment_is_undone_by_a_counter_entry_of_somebody_else(books: Books) -> None:
    settlement = settled(books, "premium", 60_000, "TRX-1")
    db.session.commit()
    paid = entry(f"settlement:{settlement.id}:paid")
    with pytest.raises(FourEyes):
        settle_paid.reverse(
            settlement.id, on=days.today(), reason="Bank mengembalikan uangnya", person_id=books.first
        )
    with pytest.raises(Invalid):
        settle_paid.reverse(settlement.id, on=days.today(), reason="salah", person_id=books.second)
    settle_paid.reverse(
        settlement.id, on=days.today(), reason="Bank mengembalikan uangnya", person_id=books.second
    )
    db.session.commit()
    assert entry(f"settlement:{settlement.id}:reversed") == {code: -amount for code, amount in paid.items()}
    assert owed("PKL:premium") == PKL_PREMIUM
    assert balance(central()) == 0
    with pytest.raises(Decided):
        settle_paid.reverse(settlement.id, on=days.today(), reason="Sekali lagi saja", person_id=books.second)
    # Its reference is free again: the bank may have booked it for another one.
    settled(books, "premium", 10, "TRX-1")


def test_premium_that_makers_received_is_not_taken_back(books: Books) -> None:
    settlement = settled(books, "premium", 60_000, "TRX-1")
    workshop = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == books.pekalongan)).first()
    assert workshop is not None
    distribute.enter(
        books.pekalongan, workshop_id=workshop, distributed_on=days.today(), people=7, amount=1_000,
        person_id=books.first,
    )  # fmt: skip
    db.session.commit()
    with pytest.raises(Invalid) as refusal:
        settle_paid.reverse(
            settlement.id, on=days.today(), reason="Bank mengembalikan uangnya", person_id=books.second
        )
    assert "dibagikan" in str(refusal.value.errors["reason"])


def test_a_proposal_taken_back_frees_its_money(books: Books) -> None:
    (found,) = settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=books.first)
    settle.reject(found.id, books.first)
    (again,) = settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=books.first)
    settle.approve([again.id], books.second)
    settle.reject(again.id, books.first, "Rekening diganti")
    db.session.commit()
    assert settle.propose([wish(books, "premium", PKL_PREMIUM)], person_id=books.first)
    with pytest.raises(NotFound):
        settle.reject(987654, books.first)


def test_what_was_paid_stays(books: Books, db_session: Session) -> None:
    settled(books, "premium", 10, "TRX-1")
    db_session.commit()
    for change in ("bank_reference = 'TRX-2'", "paid_on = paid_on - 1", "paid_by = proposed_by + 1"):
        with pytest.raises(DBAPIError):
            db_session.execute(text(f"UPDATE settlements SET {change}"))
        db_session.rollback()


def test_what_was_agreed_on_stays(books: Books, db_session: Session) -> None:
    settle.propose([wish(books, "premium", 10)], person_id=books.first)
    db_session.commit()
    other = f"bank_account_id = (SELECT id FROM bank_accounts WHERE facility_id = {books.ambon})"
    for change in ("amount = 11", "facility_id = facility_id + 1", "state = 'paid'", "fund_id = NULL", other):
        with pytest.raises(DBAPIError):
            db_session.execute(text(f"UPDATE settlements SET {change}"))
        db_session.rollback()
    with pytest.raises(DBAPIError):
        db_session.execute(text("DELETE FROM settlements"))


steps = st.lists(
    st.tuples(st.sampled_from(["pay", "give_back", "undo", "reject"]), st.integers(1, 60_000)), max_size=8
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(steps)
def test_in_any_order_every_rupiah_is_accounted_for(books: Books, done: list[tuple[str, int]]) -> None:
    """Owed − receivable is always what was sold, less what went back, less what was paid; never a hole."""
    with db.session.begin_nested() as everything:
        gone, paid = 0, []
        for number, (step, amount) in enumerate(done):
            if step == "give_back" and gone + amount <= PKL_PREMIUM:
                give_back(books, "premium", amount, f"refund:{number}:succeeded")
                gone += amount
            elif step == "undo" and paid:
                settle_paid.reverse(
                    paid.pop().id,
                    on=days.today(),
                    reason="Bank mengembalikan uangnya",
                    person_id=books.second,
                )
            elif step in ("pay", "reject"):
                free = owed("PKL:premium")
                if amount > free:
                    with pytest.raises(MoreThanOwed):
                        settle.propose([wish(books, "premium", amount)], person_id=books.first)
                elif step == "pay":
                    paid.append(settled(books, "premium", amount, f"TRX-{number}"))
                else:
                    (found,) = settle.propose([wish(books, "premium", amount)], person_id=books.first)
                    settle.reject(found.id, books.second)
            sent = sum(settlement.amount for settlement in paid)
            assert owed("PKL:premium") == PKL_PREMIUM - gone - sent
            assert balance("owed:PKL:premium") <= 0
            assert balance("receivable:PKL:premium") >= 0
            assert balance(central()) == -sent
            assert books_balance()
        everything.rollback()
