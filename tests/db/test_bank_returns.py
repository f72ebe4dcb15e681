"""Money back by bank: an account given by the shopper, two people, the books, and nothing of the account left."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from storefront.bank import automatic, files, from_line, proposals, return_batches, returns, transfers
from storefront.bank.models import BankReturn, HeldTransfer, ReturnAccount
from storefront.bank.returns import TooLate
from storefront.books import attention
from storefront.books.four_eyes import Decided, FourEyes
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.mail.models import Message
from storefront.orders.models import Order
from storefront.orders.refund import record_refund
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import Refund
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_failed
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import RefundDecided
from tests.bank_samples import Movement
from tests.banking import Asked, ask_for_transfer, open_bank, paid, settle, states, take_in
from tests.clones import Clone
from tests.factories import make_paid_order
from tests.money_out import Books
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
ACCOUNT = {"bank": "Bank Mandiri", "number": "7700099881", "holder": "Sari Pertiwi"}


@pytest.fixture
def books(db_session: Any) -> Books:
    return open_bank()[0]


@pytest.fixture
def account(books: Books) -> int:
    return files.accounts()[0].id


def arrives(books: Books, account: int, *movements: Movement) -> list[Any]:
    lines = take_in(account, books.first, *movements)
    settle(account)
    return lines


def paid_by_transfer(books: Books, account: int) -> Asked:
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked))
    return asked


def refused(books: Books, asked: Asked, run_jobs: Callable[[], None]) -> BankReturn:
    """A refund of one piece that somebody decided and the way of paying cannot give back."""
    line = asked.order.lines[0]
    refunds.propose(
        asked.order.id,
        [LineWish(line.id, quantity=1, pieces="restock")],
        reason="returned",
        person_id=books.first,
    )
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    return db.session.scalars(select(BankReturn)).one()


def give(back: BankReturn, **changes: str) -> BankReturn:
    order = db.session.get_one(Order, back.order_id)
    found = returns.give_account(order, back.id, **{**ACCOUNT, **changes})
    db.session.commit()
    return found


def approved(books: Books, *backs: BankReturn) -> None:
    batch = return_batches.propose([back.id for back in backs], books.first)
    db.session.commit()
    return_batches.approve(batch.id, books.second)
    db.session.commit()


def pay(books: Books, back: BankReturn, **changes: Any) -> BankReturn:
    values = {"reference": "FT9001", "paid_on": today(), "person_id": books.first, **changes}
    found = return_batches.mark_paid(back.id, **values)
    db.session.commit()
    return found


def later(database: Clone, table: str, change: str) -> None:
    """Time has passed, as no trigger would let it."""
    db.session.commit()
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(f"UPDATE {table} SET {change}")


def accounts_kept() -> int:
    return db.session.scalar(select(func.count()).select_from(ReturnAccount)) or 0


def test_a_refund_of_a_transfer_asks_the_shopper_for_an_account(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    refund = db.session.get_one(Refund, back.refund_id)
    assert (refund.state, refund.failure, back.state, back.amount) == (
        "by_bank",
        "cannot_refund",
        "asked",
        100_000,
    )
    (message,) = db.session.scalars(select(Message).where(Message.kind == "return_asked"))
    assert message.order_id == back.order_id


def test_paid_it_takes_the_shares_and_leaves_our_bank_account(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    asked = paid_by_transfer(books, account)
    back = refused(books, asked, run_jobs)
    give(back)
    approved(books, back)
    before = balance("owed:PKL:premium")
    pay(books, back)
    refund = db.session.get_one(Refund, back.refund_id)
    db.session.refresh(refund)
    assert refund.state == "succeeded"
    assert balance("owed:PKL:premium") == before + 50_000
    assert (balance(f"bank:{account}"), balance("clearing:transfer")) == (asked.total - 100_000, 0)
    assert all(row.difference == 0 for row in attention.gateway_balances())
    assert (
        db.session.scalar(select(func.count()).select_from(Message).where(Message.kind == "return_paid")) == 1
    )


def test_a_refund_counts_on_the_day_the_bank_paid_it(
    books: Books, account: int, run_jobs: Callable[[], None], database: Clone
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    approved(books, back)
    later(database, "return_batches", "approved_at = now() - interval '3 days'")
    yesterday = today() - datetime.timedelta(1)
    pay(books, back, paid_on=yesterday)
    row = db.session.execute(
        text(
            "SELECT e.effective_date, (SELECT min(effective_date) FROM reporting.refunds) AS reported"
            " FROM journal_entries e WHERE source = :source"
        ),
        {"source": f"refund:{back.refund_id}:succeeded"},
    ).one()
    assert (row.effective_date, row.reported) == (yesterday, yesterday)


def test_money_that_paid_nothing_goes_back_the_same_way(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked), paid(asked, day=today() - datetime.timedelta(1)))
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    back = db.session.scalars(select(BankReturn)).one()
    give(back)
    approved(books, back)
    pay(books, back)
    refund = db.session.get_one(Refund, back.refund_id)
    db.session.refresh(refund)
    assert (refund.state, balance("customers:to_return"), balance(f"bank:{account}")) == (
        "succeeded",
        0,
        asked.total,
    )


def test_the_rest_of_a_held_transfer_goes_back(books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked, asked.total + 7_000))
    (held,) = transfers.count(asked.payment.id, books.first)
    db.session.commit()
    settle(account)
    back = returns.of_held(held.id, books.first)
    db.session.commit()
    assert back.amount == 7_000
    with pytest.raises(Decided):
        returns.of_held(held.id, books.first)
    give(back)
    approved(books, back)
    pay(books, back)
    db.session.refresh(held)
    assert (held.left, balance("customers:to_return"), balance(f"bank:{account}")) == (0, 0, asked.total)


def test_a_held_transfer_on_its_way_back_is_not_counted(books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked, 60_000), paid(asked, asked.total - 60_000))
    first = db.session.scalars(select(HeldTransfer).order_by(HeldTransfer.id)).first()
    assert first is not None
    returns.of_held(first.id, books.first)
    db.session.commit()
    with pytest.raises(transfers.NotEnough):
        transfers.count(asked.payment.id, books.first)


def test_the_line_of_the_bank_pays_it_by_one_click(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    approved(books, back)
    (line,) = arrives(books, account, Movement(today(), -100_000, "TRF KE 7700099881 SARI PERTIWI", "FT88"))
    (row,) = [row for row in proposals.for_lines([line])[line.id] if row.kind == "return"]
    assert (row.id, row.is_named) == (str(back.id), True)
    from_line.pay_return(line.id, back.id, books.first)
    db.session.commit()
    db.session.refresh(back)
    assert (back.state, back.bank_reference, states([line])) == ("paid", "FT88", ["matched"])


def test_a_payment_noted_by_hand_is_tied_by_its_reference(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    approved(books, back)
    pay(books, back, reference="FT-123456")
    (line,) = arrives(books, account, Movement(today(), -100_000, "TRANSFER", "FT123456"))
    assert line.state == "matched"


def test_who_proposes_does_not_approve_and_the_database_says_so_too(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    batch = return_batches.propose([back.id], books.first)
    db.session.commit()
    with pytest.raises(FourEyes):
        return_batches.approve(batch.id, books.first)
    db.session.rollback()
    for statement in (
        "UPDATE return_batches SET state = 'approved', approved_by = proposed_by, approved_at = now()",
        "UPDATE bank_returns SET state = 'approved'",
        "UPDATE bank_returns SET amount = amount + 1",
    ):
        with pytest.raises(DBAPIError), db.session.begin_nested():
            db.session.execute(text(statement))


def test_nothing_is_paid_before_two_people_agreed(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    with pytest.raises(Decided):
        return_batches.propose([back.id], books.first)  # no account yet
    db.session.rollback()
    give(back)
    with pytest.raises(Decided):
        pay(books, back)
    db.session.rollback()
    return_batches.propose([back.id], books.first)
    with pytest.raises(Decided):
        pay(books, back)


def test_a_rejected_batch_sets_its_returns_free(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    batch = return_batches.propose([back.id], books.first)
    return_batches.reject(batch.id, books.first)
    db.session.commit()
    db.session.refresh(back)
    assert (back.state, back.batch_id, accounts_kept()) == ("given", None, 1)


def test_the_account_is_gone_once_it_is_paid(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    assert accounts_kept() == 1
    approved(books, back)
    pay(books, back)
    assert accounts_kept() == 0
    # Nowhere else in the database does it stand either.
    tables = db.session.scalars(
        text("SELECT format('%I', table_name) FROM information_schema.tables WHERE table_schema = 'public'"
             " AND table_type = 'BASE TABLE'")
    ).all()  # fmt: skip
    for table in tables:
        found = db.session.scalars(
            text(
                f"SELECT t::text FROM {table} t WHERE t::text LIKE '%7700099881%' OR t::text LIKE '%Sari Pertiwi%'"
            )
        ).all()
        assert found == [], table


@pytest.mark.parametrize("state", ["given", "proposed", "approved"])
def test_after_thirty_days_the_account_is_deleted_whatever_became_of_it(
    books: Books, account: int, run_jobs: Callable[[], None], database: Clone, state: str
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    if state != "given":
        batch = return_batches.propose([back.id], books.first)
        if state == "approved":
            return_batches.approve(batch.id, books.second)
    db.session.commit()
    assert returns.erase_old() == 0
    later(database, "return_accounts", "given_at = now() - interval '30 days 1 minute'")
    assert returns.erase_old() == 1
    db.session.commit()
    db.session.refresh(back)
    assert (accounts_kept(), back.state, back.batch_id, back.times_asked) == (0, "asked", None, 2)
    assert (
        db.session.scalar(select(func.count()).select_from(Message).where(Message.kind == "return_asked"))
        == 2
    )


def test_the_shopper_may_change_the_account_until_it_is_proposed(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    give(back, number="555-666 777")
    assert returns.shown_account(back.id) == "Bank Mandiri ••••6777"
    return_batches.propose([back.id], books.first)
    db.session.commit()
    with pytest.raises(TooLate):
        give(back)
    db.session.rollback()
    with pytest.raises(DBAPIError), db.session.begin_nested():
        db.session.execute(text("UPDATE return_accounts SET number = '99999'"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bank": "B"}, "bank"),
        ({"number": "12a45"}, "number"),
        ({"number": "1234"}, "number"),
        ({"holder": " "}, "holder"),
    ],
)
def test_an_account_that_cannot_be_is_refused_beside_its_field(
    books: Books, account: int, run_jobs: Callable[[], None], changes: dict[str, str], field: str
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    with pytest.raises(Invalid) as wrong:
        give(back, **changes)
    assert set(wrong.value.errors) == {field}
    db.session.rollback()
    assert accounts_kept() == 0


def test_another_orders_return_does_not_exist(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    other = make_paid_order((books.shop.honey, 1))
    with pytest.raises(NotFound):
        returns.give_account(other, back.id, **ACCOUNT)


def test_a_refund_that_any_gateway_refused_may_go_by_bank(books: Books, account: int) -> None:
    order = make_paid_order((books.shop.batik, 1))
    refund = refunds.propose(
        order.id, [LineWish(order.lines[0].id, quantity=1)], reason="returned", person_id=books.first
    )
    refund.state = "requested"
    db.session.flush()
    refund_failed(refund.id, "closed_account")
    db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(BankReturn)) == 0  # a person decides
    back = returns.of_refund(refund.id, books.first)
    db.session.commit()
    assert returns.of_refund(refund.id, books.first).id == back.id
    with pytest.raises(RefundDecided):
        refunds.try_again(refund.id, books.first)
    db.session.rollback()
    give(back)
    approved(books, back)
    pay(books, back)
    assert (balance(f"bank:{account}"), balance("clearing:sandbox") > 0) == (-100_000, True)
    assert all(row.difference == 0 for row in attention.gateway_balances())


def test_news_that_the_gateway_gave_it_back_after_all_stop_for_a_person(
    books: Books, account: int, run_jobs: Callable[[], None]
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    refund = db.session.get_one(Refund, back.refund_id)
    said = ProviderEvent(
        kind=EventKind.REFUND_SUCCEEDED, payment_id=refund.payment_id, reference="x", amount=refund.amount,
        refund_key=f"refund:{refund.id}",
    )  # fmt: skip
    with pytest.raises(Exception, match="on its way by bank"):
        record_refund(said)


def test_many_who_pay_at_once_pay_once(
    books: Books, account: int, run_jobs: Callable[[], None], wide_app: Flask
) -> None:
    back = refused(books, paid_by_transfer(books, account), run_jobs)
    give(back)
    approved(books, back)
    back_id = back.id
    db.session.commit()

    def call() -> bool:
        with wide_app.app_context():
            return_batches.mark_paid(back_id, reference="FT1", paid_on=today(), person_id=books.first)
            db.session.commit()
            return True

    answers = at_once([call] * 5)
    assert answers.count(True) == 1, answers
    assert all(answer is True or isinstance(answer, Decided) for answer in answers)


def test_overlapping_batches_proposed_at_once_take_each_return_once(
    books: Books, account: int, wide_app: Flask
) -> None:
    asked = [ask_for_transfer((books.shop.tempeh, 1)) for _ in range(3)]
    arrives(books, account, *(paid(one, 15_500) for one in asked))
    held = db.session.scalars(select(HeldTransfer.id)).all()
    backs = [give(returns.of_held(held_id, books.first)).id for held_id in held]
    db.session.commit()

    def call(ids: list[int]) -> Callable[[], int]:
        def run() -> int:
            with wide_app.app_context():
                batch = return_batches.propose(ids, books.first).id
                db.session.commit()
                return batch

        return run

    answers = at_once([call(backs[:2]), call(backs[1:]), call(backs[::2]), call(backs)])
    assert sum(isinstance(answer, int) for answer in answers) == 1, answers
    assert all(isinstance(answer, int | Decided) for answer in answers)
    assert automatic.accounts_with_open_lines() == []
