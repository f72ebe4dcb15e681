"""Fees: booked as the provider reports them, once, borne by whom the setting of the day names."""

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

from storefront.books.fee_bearing import approve, propose, reject
from storefront.books.fees import book_fee, borne_by_facilities
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import FeeBearer, Period
from storefront.days import accounting_day, today
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.fee_bearers import bearer_on
from storefront.ledger.models import Fund, JournalEntry
from storefront.ledger.shares import money_split
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.orders.models import Order
from storefront.orders.payment import open_payment
from storefront.orders.views import order_money
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive
from storefront.payments.models import Payment, SandboxEvent
from storefront.payments.sandbox import SandboxGateway, choose_outcome
from tests.factories import make_order, make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
DAY = datetime.timedelta(days=1)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def payment_of(order: Order) -> Payment:
    return db.session.scalars(select(Payment).where(Payment.order_id == order.id)).one()


def fund(code: str) -> int:
    return db.session.execute(select(Fund.id).where(Fund.code == code)).scalar_one()


def let_bear(code: str | None, since: datetime.date | None = None, basis: str = "") -> None:
    """A bearer in force; written straight, since rules refuse days that are past."""
    first, second = make_person(), make_person()
    db.session.add(
        FeeBearer(
            fund_id=fund(code) if code else None,
            valid_from=since or today(),
            legal_basis=basis,
            proposed_by=first.id,
            approved_by=second.id,
            approved_at=datetime.datetime.now(datetime.UTC),
        )
    )
    db.session.flush()


def test_the_operator_bears_a_fee_unless_told_otherwise(shop: Shop) -> None:
    payment = payment_of(make_paid_order((shop.batik, 1)))
    assert book_fee(payment.id, 4_000) == "booked"
    assert balance("fees:operator") == 4_000
    assert balance("clearing:sandbox") == 110_000 - 4_000
    assert balance("owed:PKL:premium") == -50_000


def test_a_fee_is_booked_once_and_on_the_day_of_its_payment(shop: Shop) -> None:
    paid_at = datetime.datetime.now(datetime.UTC) - 3 * DAY
    payment = payment_of(make_paid_order((shop.batik, 1), paid_at=paid_at))
    assert [book_fee(payment.id, 4_000) for _ in range(3)] == ["booked", "already_booked", "already_booked"]
    entry = db.session.scalars(select(JournalEntry).where(JournalEntry.kind == "fee")).one()
    assert entry.source == f"payment:{payment.id}:fee"
    assert entry.effective_date == accounting_day(paid_at)


def test_a_fee_told_after_the_month_was_closed_counts_today(shop: Shop) -> None:
    paid_at = datetime.datetime.combine(today().replace(day=1) - DAY, datetime.time(3), datetime.UTC)
    payment = payment_of(make_paid_order((shop.batik, 1), paid_at=paid_at))
    month = accounting_day(paid_at).replace(day=1)
    db.session.add(Period(month=month, state="closed", closed_by=make_person().id, entries=0))
    db.session.flush()
    book_fee(payment.id, 4_000)
    entry = db.session.scalars(select(JournalEntry).where(JournalEntry.kind == "fee")).one()
    assert entry.effective_date == today()


def test_a_fund_bears_its_facilitys_part_by_net_amount(shop: Shop) -> None:
    let_bear("working_capital")
    payment = payment_of(make_paid_order((shop.batik, 1), (shop.honey, 1)))
    book_fee(payment.id, 4_001)
    # 100,000 and 60,000 of 160,000: 2,500.625 and 1,500.375, the rupiah left over to the larger remainder.
    assert balance("owed:PKL:working_capital") == -35_000 + 2_501
    assert balance("owed:NML:working_capital") == -21_000 + 1_500
    assert balance("fees:operator") == 0


def test_what_the_fund_no_longer_has_becomes_a_receivable(shop: Shop) -> None:
    let_bear("working_capital")
    payment = payment_of(make_paid_order((shop.tempeh, 1)))
    book_fee(payment.id, 6_000)
    assert balance("owed:PKL:working_capital") == 0
    assert balance("receivable:PKL:working_capital") == 6_000 - 5_250


def test_the_fee_of_a_payment_that_paid_nothing_is_the_operators(shop: Shop) -> None:
    let_bear("premium")
    order = make_paid_order((shop.batik, 1))
    second = Payment(
        id="x" * 30, order_id=order.id, instalment_id=order.instalments[0].id, gateway="sandbox", amount=order.total,
        state="succeeded", counts=False, reference="x" * 30, expires_at=order.expires_at, succeeded_at=order.paid_at,
    )  # fmt: skip
    db.session.add(second)
    db.session.flush()
    book_fee(second.id, 4_000)
    assert balance("fees:operator") == 4_000
    assert balance("owed:PKL:premium") == -50_000


def test_a_fee_that_cannot_be_is_refused(shop: Shop) -> None:
    paid, unpaid = make_paid_order((shop.batik, 1)), open_payment(make_order((shop.honey, 1)))
    for amount in (-1, 110_001):
        with pytest.raises(ValueError, match="a fee of"):
            book_fee(payment_of(paid).id, amount)
    with pytest.raises(LookupError):
        book_fee(unpaid.id, 1)
    assert book_fee(payment_of(paid).id, 0) == "no_fee"


def test_the_providers_event_brings_the_fee(shop: Shop, app: Flask, run_jobs: Callable[[], None]) -> None:
    from storefront.payments.gateway import PaymentRequest

    order = make_order((shop.batik, 1))
    payment = open_payment(order)
    db.session.commit()
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    provider.start(
        PaymentRequest(
            payment.id, payment.amount, order.number, "http://localhost/", "id", payment.expires_at
        )
    )
    choose_outcome(payment.id, "succeeded", fee=3_300)
    body = db.session.scalars(select(SandboxEvent.body)).one().encode()
    # The same news three times; the worker's own delivery is left out.
    db.session.execute(text("DELETE FROM procrastinate_jobs"))
    for number in range(3):
        changed = body.replace(b'"evt_', f'"evt_{number}'.encode())
        assert receive("sandbox", provider.signed_headers(changed), changed)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert balance("fees:operator") == 3_300
    assert payment_of(order).fee == 3_300


def test_two_jobs_book_a_fee_once(shop: Shop, app: Flask) -> None:
    payment_id = payment_of(make_paid_order((shop.batik, 1))).id
    db.session.commit()

    def book() -> str:
        with app.app_context():
            result = book_fee(payment_id, 4_000)
            db.session.commit()
            return result

    assert sorted(map(str, at_once([book] * 4))) == ["already_booked"] * 3 + ["booked"]
    assert balance("fees:operator") == 4_000


@given(amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=2), fee=st.integers(1, 10**6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_parts_of_a_fee_add_up_to_it(shop: Shop, amounts: list[int], fee: int) -> None:
    variants = [shop.chair, shop.honey][: len(amounts)]
    with db.session.begin_nested() as savepoint:
        if bearer_on(today()) != "premium":
            let_bear("premium")
        shop.honey.made_to_order, shop.honey.lead_time_days = True, 3
        for variant, amount in zip(variants, amounts, strict=True):
            variant.price = amount
        db.session.flush()
        payment = payment_of(make_paid_order(*((variant, 1) for variant in variants)))
        parts = borne_by_facilities(payment, fee, today())
        assert sum(part.amount for part in parts) == fee
        assert all(part.amount >= 0 for part in parts)
        savepoint.rollback()


def test_a_bearer_is_proposed_and_approved_by_two_people_for_a_day_to_come(shop: Shop) -> None:
    first, second = make_person(), make_person()
    bearer = propose(fund_id=fund("premium"), valid_from=today() + DAY, legal_basis="", person_id=first.id)
    assert bearer_on(today() + DAY) == "operator"
    with pytest.raises(FourEyes):
        approve(bearer.id, first.id)
    approve(bearer.id, second.id)
    assert (bearer_on(today()), bearer_on(today() + DAY)) == ("operator", "premium")
    with pytest.raises(Decided):
        reject(bearer.id, second.id)
    with pytest.raises(Invalid) as refused:
        propose(fund_id=None, valid_from=today() + DAY, legal_basis="", person_id=first.id)
    assert "Sudah ada" in refused.value.errors["valid_from"]


def test_two_proposals_for_one_day_cannot_both_hold(shop: Shop) -> None:
    first, second = make_person(), make_person()
    twins = [
        propose(fund_id=None, valid_from=today() + DAY, legal_basis="", person_id=first.id) for _ in range(2)
    ]
    approve(twins[0].id, second.id)
    with pytest.raises(DomainError, match="day_refused"):
        approve(twins[1].id, second.id)


def test_state_revenue_bears_fees_only_with_a_legal_basis(shop: Shop) -> None:
    person, state = make_person(), fund("state_revenue")
    with pytest.raises(Invalid) as refused:
        propose(fund_id=state, valid_from=today() + DAY, legal_basis="", person_id=person.id)
    assert "dasar hukum" in refused.value.errors["legal_basis"]
    with pytest.raises(Invalid) as refused:
        propose(fund_id=state, valid_from=today(), legal_basis="PMK 155/2021", person_id=person.id)
    assert set(refused.value.errors) == {"valid_from"}
    propose(fund_id=state, valid_from=today() + DAY, legal_basis="PMK 155/2021", person_id=person.id)
    db.session.commit()
    with pytest.raises(DBAPIError, match="legal basis"):
        db.session.execute(
            text("INSERT INTO fee_bearers (valid_from, fund_id, proposed_by) VALUES ('2030-01-01', :f, :p)"),
            {"f": state, "p": person.id},
        )


def test_the_money_bar_says_whom_the_fee_burdens(shop: Shop, app: Flask) -> None:
    scope = [Scope(shop.pekalongan.id, 0)]
    order = make_paid_order((shop.batik, 1))

    def note(on: datetime.date) -> str | None:
        [rule] = rules_in_force(scope, on)
        return money_split([(rule, 100_000, 0)]).fee_note

    let_bear("premium", today() + DAY)
    with app.test_request_context():
        assert (
            note(today()) == "Biaya pembayaran ditanggung pengelola toko; bagian-bagian ini tidak berkurang."
        )
        assert note(today() + DAY) == "Biaya pembayaran diambil dari bagian Upah pembuat (premi)."
        assert "pengelola toko" in (order_money(order.id).fee_note or "")
        assert db.session.scalar(select(func.count()).select_from(JournalEntry)) == 1
