"""Two people, or a person and a provider's news, at the same moment: one of them does it, the other reads why not."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books import (
    bank_accounts,
    budget,
    corrections,
    deposit,
    deposit_paid,
    disputes,
    distribute,
    fee_bearing,
    fees,
    satkers,
    settle,
    settle_paid,
)
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.embedded import SUPERUSER
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.orders.models import OrderLine
from storefront.payments.models import Payment
from storefront.refunds import refund_outcome, refunds
from storefront.refunds.refund_parts import LineWish
from storefront.rules import rule_changes, rule_ends
from storefront.rules.rule_changes import RuleDraft
from tests.clones import Clone
from tests.factories import make_person
from tests.money_out import Books, approved_deposit, billed_deposit, broken, open_books, settled
from tests.threads import at_once, while_held

WORDS = "Salah catat, lihat berita acara 12"


def tomorrow() -> datetime.date:
    return days.today() + datetime.timedelta(days=1)


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_books()


@dataclass(frozen=True)
class Case:
    """A thing that waits: what it is called, and what two people do to it. Each act commits."""

    row: str
    acts: tuple[Callable[[], object], ...]
    #: Rows of the audit trail that the act writes.
    steps: int = 1


def _approved_settlement(books: Books) -> int:
    (one,) = settle.propose([Wish(books.pekalongan, books.funds["premium"], 30_000)], person_id=books.first)
    settle.approve([one.id], books.second)
    return one.id


def _workshop(books: Books) -> int:
    query = select(Workshop.id).where(Workshop.facility_id == books.pekalongan).order_by(Workshop.id)
    return db.session.scalars(query).all()[0]


def settlement_approved(books: Books, third: int) -> Case:
    (one,) = settle.propose([Wish(books.pekalongan, books.funds["premium"], 30_000)], person_id=books.first)
    id = one.id
    return Case(f"settlements WHERE id = {id}", (
        lambda: settle.approve([id], books.second), lambda: settle.approve([id], third),
    ))  # fmt: skip


def settlement_paid_or_rejected(books: Books, third: int) -> Case:
    id = _approved_settlement(books)
    return Case(f"settlements WHERE id = {id}", (
        lambda: settle_paid.mark_paid(Paid(id, "TRF-1", days.today()), books.first),
        lambda: settle.reject(id, third),
    ))  # fmt: skip


def settlement_paid(books: Books, third: int) -> Case:
    id = _approved_settlement(books)
    return Case(f"settlements WHERE id = {id}", (
        lambda: settle_paid.mark_paid(Paid(id, "TRF-1", days.today()), books.first),
        lambda: settle_paid.mark_paid(Paid(id, "TRF-2", days.today()), third),
    ))  # fmt: skip


def settlement_reversed(books: Books, third: int) -> Case:
    id = settled(books, "premium", 30_000, "TRF-1").id
    return Case(f"settlements WHERE id = {id}", (
        lambda: settle_paid.reverse(id, on=days.today(), reason=WORDS, person_id=books.second),
        lambda: settle_paid.reverse(id, on=days.today(), reason=WORDS, person_id=third),
    ))  # fmt: skip


def deposit_approved(books: Books, third: int) -> Case:
    id = deposit.propose(books.pekalongan, person_id=books.first).id
    return Case(f"deposits WHERE id = {id}", (
        lambda: deposit.approve(id, books.second), lambda: deposit.approve(id, third),
    ))  # fmt: skip


def _pay(id: int, ntpn: str, person_id: int) -> object:
    return deposit_paid.mark_paid(
        id, ntpn=ntpn, ntb="123456789012", paid_on=days.today(), person_id=person_id
    )


def deposit_paid_or_rejected(books: Books, third: int) -> Case:
    id = billed_deposit(books).id
    return Case(f"deposits WHERE id = {id}", (
        lambda: _pay(id, "A1B2C3D4E5F60718", books.first), lambda: deposit.reject(id, third),
    ))  # fmt: skip


def deposit_paid_twice(books: Books, third: int) -> Case:
    id = billed_deposit(books).id
    return Case(f"deposits WHERE id = {id}", (
        lambda: _pay(id, "A1B2C3D4E5F60718", books.first), lambda: _pay(id, "B1B2C3D4E5F60718", third),
    ))  # fmt: skip


def one_ntpn_for_two_deposits(books: Books, third: int) -> Case:
    mine, other = billed_deposit(books).id, billed_deposit(books, "820251124000002", books.ambon).id
    return Case(f"deposits WHERE id IN ({mine}, {other})", (
        lambda: _pay(mine, "A1B2C3D4E5F60718", books.first), lambda: _pay(other, "A1B2C3D4E5F60718", third),
    ))  # fmt: skip


def one_billing_code_for_two_deposits(books: Books, third: int) -> Case:
    mine, other = approved_deposit(books).id, approved_deposit(books, books.ambon).id
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
    return Case(f"deposits WHERE id IN ({mine}, {other})", (
        lambda: deposit.set_billing_code(mine, "820251124000001", expires, books.first),
        lambda: deposit.set_billing_code(other, "820251124000001", expires, third),
    ))  # fmt: skip


def deposit_reversed(books: Books, third: int) -> Case:
    id = billed_deposit(books).id
    _pay(id, "A1B2C3D4E5F60718", books.first)
    return Case(f"deposits WHERE id = {id}", (
        lambda: deposit_paid.reverse(id, on=days.today(), reason=WORDS, person_id=books.second),
        lambda: deposit_paid.reverse(id, on=days.today(), reason=WORDS, person_id=third),
    ))  # fmt: skip


def refund_approved(books: Books, third: int) -> Case:
    id = _asked_refund(books)
    return Case(f"refunds WHERE id = {id}", (
        lambda: refunds.approve(id, books.second), lambda: refunds.approve(id, third),
    ))  # fmt: skip


def refund_approved_or_rejected(books: Books, third: int) -> Case:
    id = _asked_refund(books)
    return Case(f"refunds WHERE id = {id}", (
        lambda: refunds.approve(id, books.second), lambda: refunds.reject(id, third),
    ))  # fmt: skip


def refund_sent_again(books: Books, third: int) -> Case:
    id = _asked_refund(books)
    refunds.approve(id, books.second)
    refund_outcome.refund_failed(id, "card closed")
    order = db.session.execute(text("SELECT order_id FROM refunds WHERE id = :id"), {"id": id}).scalar_one()
    return Case(f"orders WHERE id = {order}", (
        lambda: refunds.try_again(id, books.second), lambda: refunds.try_again(id, third),
    ))  # fmt: skip


def one_line_refunded(books: Books, third: int) -> Case:
    """The line has two pieces; each wants both."""
    line = db.session.scalars(select(OrderLine).where(OrderLine.quantity == 2)).one()
    order, id = line.order_id, line.id

    def ask(person_id: int) -> Callable[[], object]:
        return lambda: refunds.propose(order, [LineWish(id, 2)], reason="returned", person_id=person_id)

    return Case(f"orders WHERE id = {order}", (ask(books.first), ask(third)))


def _asked_refund(books: Books) -> int:
    line = db.session.scalars(select(OrderLine).where(OrderLine.quantity == 2)).one()
    return refunds.propose(
        line.order_id, [LineWish(line.id, 1)], reason="returned", person_id=books.first, may_decide=False
    ).id


def distribution_approved(books: Books, third: int) -> Case:
    settled(books, "premium", 60_000, "TRF-1")
    id = distribute.enter(
        books.pekalongan, workshop_id=_workshop(books), distributed_on=days.today(), people=5, amount=10_000,
        person_id=books.first,
    ).id  # fmt: skip
    return Case(f"premium_distributions WHERE id = {id}", (
        lambda: distribute.approve(id, books.second), lambda: distribute.approve(id, third),
    ))  # fmt: skip


def more_distributed_than_paid(books: Books, third: int) -> Case:
    settled(books, "premium", 60_000, "TRF-1")
    workshop = _workshop(books)

    def enter(person_id: int) -> Callable[[], object]:
        return lambda: distribute.enter(
            books.pekalongan, workshop_id=workshop, distributed_on=days.today(), people=5, amount=40_000,
            person_id=person_id,
        )  # fmt: skip

    return Case(f"facilities WHERE id = {books.pekalongan}", (enter(books.first), enter(third)))


def bank_account_approved(books: Books, third: int) -> Case:
    id = bank_accounts.propose(
        books.pekalongan, bank="Bank Contoh", number="3330001111", holder="RPL Contoh",
        permission_letter="S-13/KPPN/2026", valid_from=tomorrow(), person_id=books.first,
    ).id  # fmt: skip
    return Case(
        f"bank_accounts WHERE id = {id}",
        (
            lambda: bank_accounts.approve(id, books.second),
            lambda: bank_accounts.approve(id, third),
        ),
        steps=2,
    )  # fmt: skip  (the account before it ends)


def bank_account_ended(books: Books, third: int) -> Case:
    id = bank_accounts.in_force(books.pekalongan, days.today()).id
    bank_accounts.propose_end(id, tomorrow(), books.first)
    return Case(f"bank_accounts WHERE id = {id}", (
        lambda: bank_accounts.approve_end(id, books.second), lambda: bank_accounts.approve_end(id, third),
    ))  # fmt: skip


def _draft(books: Books) -> RuleDraft:
    return RuleDraft(
        basis="net", valid_from=tomorrow(), valid_to=None, legal_basis="Keputusan Kepala Lapas nomor 12",
        legal_basis_en="Decision 12 of the head", facility_id=books.pekalongan,
        shares=[(books.funds["premium"], 6000), (books.funds["working_capital"], 4000)],
    )  # fmt: skip


def rule_approved(books: Books, third: int) -> Case:
    id = rule_changes.propose(_draft(books), books.first).id
    return Case(f"split_rules WHERE id = {id}", (
        lambda: rule_changes.approve(id, books.second), lambda: rule_changes.approve(id, third),
    ))  # fmt: skip


def rule_approved_or_rejected(books: Books, third: int) -> Case:
    id = rule_changes.propose(_draft(books), books.first).id
    return Case(f"split_rules WHERE id = {id}", (
        lambda: rule_changes.approve(id, books.second), lambda: rule_changes.reject(id, third, WORDS),
    ))  # fmt: skip


def _narrow_rule(books: Books) -> int:
    id = rule_changes.propose(_draft(books), books.first).id
    rule_changes.approve(id, books.second)
    return id


def end_of_rule_proposed(books: Books, third: int) -> Case:
    id, last = _narrow_rule(books), tomorrow() + datetime.timedelta(days=30)
    return Case(f"split_rules WHERE id = {id}", (
        lambda: rule_ends.propose_end(id, last, WORDS, books.first),
        lambda: rule_ends.propose_end(id, last, WORDS, third),
    ))  # fmt: skip


def end_of_rule_approved(books: Books, third: int) -> Case:
    rule = _narrow_rule(books)
    id = rule_ends.propose_end(rule, tomorrow() + datetime.timedelta(days=30), WORDS, books.first).id
    return Case(f"split_rules WHERE id = {rule}", (
        lambda: rule_ends.approve_end(id, books.second), lambda: rule_ends.approve_end(id, third),
    ))  # fmt: skip


def two_bearers_from_one_day(books: Books, third: int) -> Case:
    ids = [
        fee_bearing.propose(
            fund_id=books.funds["premium"], valid_from=tomorrow(), legal_basis="", person_id=books.first
        ).id
        for _ in range(2)
    ]
    return Case(f"fee_bearers WHERE id IN ({ids[0]}, {ids[1]})", (
        lambda: fee_bearing.approve(ids[0], books.second), lambda: fee_bearing.approve(ids[1], third),
    ))  # fmt: skip


def correction_approved(books: Books, third: int) -> Case:
    legs = [("corrections:difference", 7), ("clearing:sandbox", -7)]
    id = corrections.propose(reason=WORDS, effective_date=days.today(), legs=legs, person_id=books.first).id
    return Case(f"corrections WHERE id = {id}", (
        lambda: corrections.approve(id, books.second), lambda: corrections.approve(id, third),
    ))  # fmt: skip


def budget_approved(books: Books, third: int) -> Case:
    _pay(billed_deposit(books).id, "A1B2C3D4E5F60718", books.first)
    id = budget.propose(
        books.pekalongan, books.funds["premium"], amount=10_000, reference="SP2D-1", returned_on=days.today(),
        person_id=books.first,
    ).id  # fmt: skip
    return Case(f"budget_returns WHERE id = {id}", (
        lambda: budget.approve(id, books.second), lambda: budget.approve(id, third),
    ))  # fmt: skip


def more_budget_than_deposited(books: Books, third: int) -> Case:
    _pay(billed_deposit(books).id, "A1B2C3D4E5F60718", books.first)

    def ask(person_id: int, reference: str) -> Callable[[], object]:
        return lambda: budget.propose(
            books.pekalongan, books.funds["premium"], amount=20_000, reference=reference,
            returned_on=days.today(), person_id=person_id,
        )  # fmt: skip

    row = f"facilities WHERE id = {books.pekalongan}"
    return Case(row, (ask(books.first, "SP2D-1"), ask(third, "SP2D-2")))


CASES = [
    settlement_approved, settlement_paid_or_rejected, settlement_paid, settlement_reversed,
    deposit_approved, deposit_paid_or_rejected, deposit_paid_twice, one_ntpn_for_two_deposits,
    one_billing_code_for_two_deposits, deposit_reversed,
    refund_approved, refund_approved_or_rejected, refund_sent_again, one_line_refunded,
    distribution_approved, more_distributed_than_paid, bank_account_approved, bank_account_ended,
    rule_approved, rule_approved_or_rejected, end_of_rule_proposed, end_of_rule_approved,
    two_bearers_from_one_day, correction_approved, budget_approved, more_budget_than_deposited,
]  # fmt: skip


@pytest.mark.parametrize("make", CASES, ids=[case.__name__ for case in CASES])
def test_one_does_it_and_the_other_reads_why_not(
    wide_app: Flask, books: Books, database: Clone, make: Callable[[Books, int], Case]
) -> None:
    """Both stand at the same row before either has written anything."""
    third = make_person(name="Bendahara Tiga").id
    case = make(books, third)
    db.session.commit()
    before = db.session.scalar(select(func.count(AuditEvent.id)))

    def committed(act: Callable[[], object]) -> Callable[[], str]:
        def call() -> str:
            with wide_app.app_context():
                act()
                db.session.commit()
                return "done"

        return call

    lock = f"SELECT FROM {case.row} FOR UPDATE"
    answers = while_held(database.addresses[SUPERUSER], lock, [committed(act) for act in case.acts])
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert answers.count("done") == 1, answers
    assert [isinstance(refusal, DomainError) for refusal in refused] == [True], refused
    with wide_app.test_request_context("/"):
        assert str(refused[0].message)  # type: ignore[attr-defined]
    db.session.rollback()
    assert db.session.scalar(select(func.count(AuditEvent.id))) == (before or 0) + case.steps
    assert broken() == {}


def test_two_deadlines_for_one_day(wide_app: Flask, books: Books) -> None:
    def set_one(person_id: int) -> Callable[[], str]:
        def call() -> str:
            with wide_app.app_context():
                satkers.set_deadline(tomorrow(), 5, "Peraturan 5 tahun 2026", person_id)
                db.session.commit()
                return "done"

        return call

    answers = at_once([set_one(books.first), set_one(books.second)] * 2)
    assert answers.count("done") == 1
    assert sum(isinstance(answer, DomainError) for answer in answers) == 3


def test_the_same_outcome_of_a_refund_told_by_many_jobs(wide_app: Flask, books: Books) -> None:
    id = _asked_refund(books)
    refunds.approve(id, books.second)
    db.session.commit()

    def tell() -> str:
        with wide_app.app_context():
            said = refund_outcome.refund_succeeded(id)
            db.session.commit()
            return said

    answers = at_once([tell] * 4)
    assert sorted(map(str, answers)) == ["already_recorded"] * 3 + ["refunded"]
    assert broken() == {}


def test_a_fee_and_a_dispute_of_one_payment_do_not_block_each_other(
    wide_app: Flask, books: Books, database: Clone
) -> None:
    order_id, payment_id = db.session.execute(select(Payment.order_id, Payment.id)).one()
    db.session.rollback()

    def committed(act: Callable[[], str]) -> Callable[[], str]:
        def call() -> str:
            with wide_app.app_context():
                said = act()
                db.session.commit()
                return said

        return call

    answers = while_held(
        database.addresses[SUPERUSER],
        f"SELECT FROM orders WHERE id = {order_id} FOR UPDATE",
        [
            committed(lambda: disputes.record_dispute(payment_id, "du_1", 1_000, "opened")),
            committed(lambda: fees.book_fee(payment_id, 500)),
            committed(lambda: disputes.record_dispute(payment_id, "du_2", 1_000, "opened")),
        ],
    )
    assert answers == ["opened", "booked", "opened"]
    assert broken() == {}
