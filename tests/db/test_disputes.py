"""Disputes: opened, won, lost; whatever comes twice or in the wrong order ends the same, to the rupiah."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.books.disputes import Disputed, DisputeDiffers, record_dispute
from storefront.books.taken_back_models import Dispute
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.book import Leg, bank, book, owed
from storefront.orders.models import Order
from storefront.orders.payment import open_payment
from storefront.payments.gateway import PaymentRequest, gateway
from storefront.payments.inbox import receive
from storefront.payments.models import Payment, SandboxEvent
from storefront.payments.sandbox import SandboxGateway, choose_outcome, dispute
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import refundable
from storefront.refunds.refunds import approve, propose
from tests.factories import (
    make_facility,
    make_order,
    make_paid_order,
    make_person,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
REFERENCE = "dp_1"
#: 3 × 33,333 and 485,001, 10,000 shipping each.
TOTAL = 99_999 + 485_001 + 20_000


@pytest.fixture
def order(db_session: Session) -> Order:
    """A paid order of two facilities, one by net and one by profit."""
    make_rule()
    second = make_facility("PKB", city="Kotawaringin Barat", province="Kalimantan Tengah")
    make_rule(basis="profit", facility=second, valid_from=datetime.date(2023, 1, 1))
    first = make_variant(make_product(make_workshop(make_facility("TGG"))), stock=5, price=33_333)
    other = make_variant(make_product(make_workshop(second)), stock=2, price=485_001, material_cost=5_000)
    order = make_paid_order((first, 3), (other, 1))
    db_session.commit()
    return order


def payment_id(order: Order) -> str:
    return db.session.scalars(select(Payment.id).where(Payment.order_id == order.id)).one()


def balances() -> dict[str, int]:
    rows = db.session.execute(
        text("SELECT account_code, sum(amount)::bigint FROM reporting.ledger_postings GROUP BY 1")
    )
    return {code: amount for code, amount in rows if amount}


def test_while_it_is_open_nobodys_share_changes(order: Order) -> None:
    before = balances()
    assert record_dispute(payment_id(order), REFERENCE, TOTAL, "opened") == "opened"
    after = balances()
    assert after.pop("disputed:sandbox") == before.pop("clearing:sandbox") == TOTAL
    assert after == before


def test_a_won_dispute_leaves_all_as_it_was(order: Order) -> None:
    before = balances()
    record_dispute(payment_id(order), REFERENCE, 50_000, "opened")
    assert record_dispute(payment_id(order), REFERENCE, 50_000, "won") == "won"
    assert balances() == before


def test_a_lost_dispute_of_all_takes_every_share_back(order: Order) -> None:
    record_dispute(payment_id(order), REFERENCE, TOTAL, "opened")
    assert record_dispute(payment_id(order), REFERENCE, TOTAL, "lost") == "lost"
    assert balances() == {}
    taken = db.session.execute(
        text(
            "SELECT count(*) FROM order_line_shares s FULL JOIN dispute_shares d USING (order_line_id, position)"
            " WHERE COALESCE(s.amount, 0) <> COALESCE(d.amount, 0)"
        )
    ).scalar_one()
    assert taken == 0


def test_part_of_it_is_taken_in_proportion(order: Order) -> None:
    half = TOTAL // 2
    record_dispute(payment_id(order), REFERENCE, half, "lost")
    found = balances()
    assert found["clearing:sandbox"] == TOTAL - half
    assert -sum(amount for code, amount in found.items() if code.startswith("owed:")) == TOTAL - half
    # Half of each, to the rupiah.
    assert abs(found["owed:TGG:premium"] + 25_000) <= 1
    assert abs(found["owed:TGG:shipping"] + 5_000) <= 1


def test_what_was_passed_on_comes_back_from_the_next_settlement(order: Order) -> None:
    line = order.lines[0]
    fund_id = db.session.scalar(text("SELECT id FROM funds WHERE code = 'premium'"))
    account = owed(line.facility_id, "TGG", fund_id, "premium")
    legs = [Leg(account, 49_999), Leg(bank(1), -49_999)]
    db.session.execute(text("INSERT INTO accounts (code, kind) VALUES ('bank:1', 'asset')"))
    book("settlement:1:paid", "settlement", datetime.date(2026, 11, 1), legs)
    record_dispute(payment_id(order), REFERENCE, TOTAL, "lost")
    assert balance("owed:TGG:premium") == 0
    assert balance("receivable:TGG:premium") == 49_999


def test_a_refund_before_it_leaves_the_rest_to_the_operator(order: Order) -> None:
    line = order.lines[0]
    refund = propose(order.id, [LineWish(line.id, 3)], person_id=make_person().id, reason="returned")
    if refund.state == "proposed":
        approve(refund.id, make_person().id)
    refund_succeeded(refund.id)
    record_dispute(payment_id(order), REFERENCE, TOTAL, "lost")
    found = balances()
    # Nothing is owed any more; what came back twice is the operator's loss, and missing at the gateway.
    assert found == {"losses:operator": 99_999, "clearing:sandbox": -99_999}


def test_nothing_is_refunded_while_it_is_open_and_only_what_is_left_after_it(order: Order) -> None:
    record_dispute(payment_id(order), REFERENCE, TOTAL - 10_000, "opened")
    line = order.lines[0]
    with pytest.raises(Disputed):
        propose(order.id, [LineWish(line.id, 1)], person_id=make_person().id, reason="returned")
    record_dispute(payment_id(order), REFERENCE, TOTAL - 10_000, "lost")
    left = refundable(order)
    assert left is not None
    assert left.total == 10_000
    wishes = [LineWish(part.id, amount=part.amount) for part in left.lines.values()]
    shipping = {parcel: amount for parcel, amount in left.shipping.items() if amount}
    refund = propose(order.id, wishes, shipping=shipping, person_id=make_person().id, reason="goodwill")
    assert refund_succeeded(refund.id) == "refunded"
    db.session.commit()
    assert balances() == {}


def test_lost_before_opened_and_everything_twice(order: Order) -> None:
    news = [record_dispute(payment_id(order), REFERENCE, TOTAL, what) for what in ("lost", "opened", "lost")]
    assert news == ["lost", "opened", "already_recorded"]
    assert balances() == {}
    sources = db.session.scalars(text("SELECT source FROM journal_entries WHERE kind = 'dispute'")).all()
    dispute_id = db.session.scalars(select(Dispute.id)).one()
    assert sorted(sources) == [f"dispute:{dispute_id}:lost", f"dispute:{dispute_id}:opened"]


def test_news_that_contradict_each_other_wait_for_a_person(order: Order) -> None:
    record_dispute(payment_id(order), REFERENCE, TOTAL, "won")
    for amount, outcome in ((TOTAL, "lost"), (TOTAL - 1, "won")):
        with pytest.raises(DisputeDiffers):
            record_dispute(payment_id(order), REFERENCE, amount, outcome)
    with pytest.raises(DisputeDiffers):
        record_dispute(payment_id(order), "dp_2", TOTAL + 1, "opened")
    assert record_dispute("nobody-knows-this-payment-0", "dp_3", 1, "opened") == "unknown_payment"


def test_a_closed_dispute_stays_closed_in_the_database(order: Order) -> None:
    record_dispute(payment_id(order), REFERENCE, TOTAL, "won")
    db.session.commit()
    for statement in (
        "UPDATE disputes SET state = 'lost'",
        "UPDATE disputes SET amount = 1",
        "UPDATE disputes SET state = 'open', closed_at = NULL",
    ):
        with pytest.raises(DBAPIError), db.session.begin_nested():
            db.session.execute(text(statement))


def test_the_providers_events_are_followed_once(order: Order, run_jobs: Callable[[], None]) -> None:
    variant = order.lines[1].variant_id
    from storefront.catalogue.models import Variant

    fresh = make_order((db.session.get_one(Variant, variant), 1))
    payment = open_payment(fresh)
    db.session.commit()
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    provider.start(
        PaymentRequest(
            payment.id, payment.amount, fresh.number, "http://localhost/", "id", payment.expires_at
        )
    )
    before = balances()
    choose_outcome(payment.id, "succeeded")
    dispute(payment.id, "opened", amount=100_000)
    dispute(payment.id, "lost")
    bodies = [body.encode() for body in db.session.scalars(select(SandboxEvent.body).order_by("created_at"))]
    db.session.execute(text("DELETE FROM procrastinate_jobs"))
    paid = [body for body in bodies if b"payment.succeeded" in body]
    for body in paid:
        receive("sandbox", provider.signed_headers(body), body)
    db.session.commit()
    run_jobs()
    for number, body in enumerate(reversed([b for b in bodies if b not in paid] * 2)):
        changed = body.replace(b'"evt_', f'"evt_{number}'.encode())
        receive("sandbox", provider.signed_headers(changed), changed)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    found = balances()
    assert found["clearing:sandbox"] == before["clearing:sandbox"] + payment.amount - 100_000
    assert "disputed:sandbox" not in found
    assert sum(found.values()) == 0


def test_the_same_news_at_once_count_once(order: Order, app: Flask) -> None:
    payment = payment_id(order)
    db.session.commit()

    def tell() -> str:
        with app.app_context():
            result = record_dispute(payment, REFERENCE, TOTAL, "lost")
            db.session.commit()
            return result

    assert sorted(map(str, at_once([tell] * 4))) == ["already_recorded"] * 3 + ["lost"]
    assert balances() == {}


@given(parts=st.lists(st.integers(1, TOTAL), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_lost_disputes_ends_exactly_at_what_was_sold(order: Order, parts: list[int]) -> None:
    """Whatever is beyond the order is the operator's; the facilities give back what they got and no more."""
    with db.session.begin_nested() as savepoint:
        payment = payment_id(order)
        for number, amount in enumerate(parts):
            record_dispute(payment, f"dp_{number}", amount, "lost")
        found = balances()
        gone = min(TOTAL, sum(parts))
        assert -sum(amount for code, amount in found.items() if code.startswith("owed:")) == TOTAL - gone
        assert all(amount <= 0 for code, amount in found.items() if code.startswith("owed:"))
        assert found.get("losses:operator", 0) == sum(parts) - gone
        savepoint.rollback()
    db.session.expire_all()
