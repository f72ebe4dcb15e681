"""A day that a person chose in a closed month is refused; the sentence names the month, and nothing is half done."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import (
    budget,
    corrections,
    deposit,
    deposit_paid,
    distribute,
    payouts,
    settle,
    settle_paid,
)
from storefront.books.models import Period
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.books.span import month as whole_month
from storefront.days import ACCOUNTING_ZONE
from storefront.display import format_month
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.ledger.cash import book_cash_banked
from tests.factories import make_order, make_paid_order
from tests.money_out import Books, open_books

WORDS = "Salah catat, lihat berita acara 12"
LAST = whole_month(days.today()).before
assert LAST is not None
#: Everything that could be half done.
STATE = """
    SELECT (SELECT count(*) FROM journal_entries), (SELECT count(*) FROM postings), (SELECT count(*) FROM payouts),
           (SELECT array_agg(state ORDER BY id) FROM settlements), (SELECT array_agg(state ORDER BY id) FROM deposits),
           (SELECT array_agg(state ORDER BY id) FROM premium_distributions), (SELECT count(*) FROM accounts),
           (SELECT array_agg(state ORDER BY id) FROM budget_returns), (SELECT array_agg(state ORDER BY id)
           FROM corrections), (SELECT count(*) FROM audit_events)"""


def at(day: int) -> datetime.datetime:
    assert LAST is not None
    return datetime.datetime(LAST.first.year, LAST.first.month, day, 12, tzinfo=ACCOUNTING_ZONE)


THEN = at(20).date()


@dataclass(frozen=True)
class Waiting:
    """Ids of things that wait for a person to date or to decide them."""

    books: Books
    order: int
    workshop: int
    settlement_approved: int
    settlement_paid: int
    deposit_billed: int
    deposit_paid: int
    distribution: int
    budget: int
    correction: int
    bank_account: int


@pytest.fixture
def waiting(db_session: Session) -> Waiting:
    """What was begun last month, before that month was closed."""
    books = open_books()
    for _n in range(2):
        make_paid_order((books.shop.batik, 1), paid_at=at(2))
    return _begun(books)


def _begun(books: Books) -> Waiting:
    first, second = books.first, books.second
    premium, capital = books.funds["premium"], books.funds["working_capital"]
    ids = {}
    for name, fund in (("paid", premium), ("approved", capital)):
        (one,) = settle.propose([Wish(books.pekalongan, fund, 30_000)], person_id=first, at=at(3))
        settle.approve([one.id], second, at=at(4))
        ids[name] = one.id
    settle_paid.mark_paid(Paid(ids["paid"], "TRF-1", at(5).date()), first, at=at(5))
    deposits = []
    for facility, code in ((books.pekalongan, "820251124000001"), (books.ambon, "820251124000002")):
        found = deposit.propose(facility, person_id=first, at=at(3) if facility == books.pekalongan else None)
        deposit.approve(found.id, second, at=at(4))
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
        deposit.set_billing_code(found.id, code, expires, first)
        deposits.append(found.id)
    deposit_paid.mark_paid(
        deposits[0],
        ntpn="A1B2C3D4E5F60718",
        ntb="123456789012",
        paid_on=at(5).date(),
        person_id=first,
        at=at(5),
    )
    workshop = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == books.pekalongan)).first()
    assert workshop is not None
    passed_on = distribute.enter(
        books.pekalongan, workshop_id=workshop, distributed_on=THEN, people=5, amount=10_000, person_id=first
    )
    returned = budget.propose(
        books.pekalongan, premium, amount=1_000, reference="SP2D-1", returned_on=THEN, person_id=first
    )
    legs = [("corrections:difference", 7), ("clearing:sandbox", -7)]
    correction = corrections.propose(reason=WORDS, effective_date=THEN, legs=legs, person_id=first)
    order = make_order((books.shop.tempeh, 1))
    account = db.session.execute(text("SELECT id FROM bank_accounts WHERE facility_id IS NULL")).scalar_one()
    db.session.commit()
    assert LAST is not None
    digest = db.session.execute(select(func.period_hash(LAST.first, None))).scalar_one()
    db.session.add(Period(month=LAST.first, state="closed", closed_by=second, hash=digest, entries=0))
    db.session.commit()
    return Waiting(
        books, order.id, workshop, ids["approved"], ids["paid"], deposits[1], deposits[0], passed_on.id,
        returned.id, correction.id, account,
    )  # fmt: skip


ACTS: dict[str, Callable[[Waiting], object]] = {
    "payout": lambda w: payouts.record_payout(
        gateway="sandbox", reference="po_1", amount=10, arrived_on=THEN, person_id=w.books.first
    ),
    "settlement paid": lambda w: settle_paid.mark_paid(
        Paid(w.settlement_approved, "TRF-9", THEN), w.books.first
    ),
    "many settlements paid": lambda w: settle_paid.mark_many_paid(
        [Paid(w.settlement_approved, "TRF-9", THEN)], w.books.first
    ),
    "settlement reversed": lambda w: settle_paid.reverse(
        w.settlement_paid, on=THEN, reason=WORDS, person_id=w.books.second
    ),
    "deposit paid": lambda w: deposit_paid.mark_paid(
        w.deposit_billed, ntpn="B1B2C3D4E5F60718", ntb="123456789012", paid_on=THEN, person_id=w.books.first
    ),
    "deposit reversed": lambda w: deposit_paid.reverse(
        w.deposit_paid, on=THEN, reason=WORDS, person_id=w.books.second
    ),
    "distribution entered": lambda w: distribute.enter(
        w.books.pekalongan, workshop_id=w.workshop, distributed_on=THEN, people=5, amount=10, person_id=w.books.first
    ),
    "distribution approved": lambda w: distribute.approve(w.distribution, w.books.second),
    "budget proposed": lambda w: budget.propose(
        w.books.pekalongan, w.books.funds["premium"], amount=10, reference="SP2D-2", returned_on=THEN,
        person_id=w.books.first,
    ),
    "budget approved": lambda w: budget.approve(w.budget, w.books.second),
    "correction proposed": lambda w: corrections.propose(
        reason=WORDS, effective_date=THEN, legs=[("corrections:difference", 7), ("clearing:sandbox", -7)],
        person_id=w.books.first,
    ),
    "correction approved": lambda w: corrections.approve(w.correction, w.books.second),
    "cash banked": lambda w: book_cash_banked(
        1, "pameran", 10, w.bank_account, on=THEN, person_id=w.books.first
    ),
}  # fmt: skip
#: What was dated in time but not decided in time: somebody turns it down, and it is written down anew.
TURNED_DOWN: dict[str, Callable[[Waiting], object]] = {
    "distribution": lambda w: distribute.reject(w.distribution, w.books.second),
    "budget": lambda w: budget.reject(w.budget, w.books.second),
    "correction": lambda w: corrections.reject(w.correction, w.books.second),
    "settlement": lambda w: settle.reject(w.settlement_approved, w.books.second),
    "deposit": lambda w: deposit.reject(w.deposit_billed, w.books.second),
}


@pytest.mark.parametrize("name", ACTS)
def test_it_is_refused_with_the_name_of_the_month(waiting: Waiting, name: str) -> None:
    before = db.session.execute(text(STATE)).one()
    with pytest.raises(DomainError) as refused:
        ACTS[name](waiting)
    said = " ".join([str(refused.value.message), *map(str, getattr(refused.value, "errors", {}).values())])
    assert f"Buku {format_month(THEN)} sudah ditutup" in said
    db.session.rollback()
    assert db.session.execute(text(STATE)).one() == before


@pytest.mark.parametrize("name", TURNED_DOWN)
def test_nothing_waits_for_ever_behind_a_closed_month(waiting: Waiting, name: str) -> None:
    TURNED_DOWN[name](waiting)
    db.session.commit()


def test_the_same_is_taken_on_an_open_day(waiting: Waiting) -> None:
    today, books = days.today(), waiting.books
    distribute.reject(waiting.distribution, books.second)
    settle_paid.mark_paid(Paid(waiting.settlement_approved, "TRF-9", today), books.first)
    settle_paid.reverse(waiting.settlement_paid, on=today, reason=WORDS, person_id=books.second)
    budget.reject(waiting.budget, books.second)
    deposit_paid.reverse(waiting.deposit_paid, on=today, reason=WORDS, person_id=books.second)
    payouts.record_payout(
        gateway="sandbox", reference="po_1", amount=10, arrived_on=today, person_id=books.first
    )
    db.session.commit()
