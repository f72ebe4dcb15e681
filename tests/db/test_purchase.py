"""One purchase, and what may happen to its payment: late, twice, failed, expired, unknown."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from storefront.errors import OrderClosed, OutOfStock, PriceChanged
from storefront.orders.cancel import cancel
from storefront.orders.expire import expire_unpaid
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.views import order_status, order_view
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive
from storefront.payments.models import Payment, PaymentEvent, Refund
from storefront.payments.sandbox import SandboxGateway, choose_outcome
from storefront.stock.levels import available
from tests.factories import make_facility, make_order, make_product, make_rule, make_variant, make_workshop

pytestmark = pytest.mark.usefixtures("db_session")


def deliver(payment_id: str, kind: str = "payment.succeeded", amount: int | None = None, event_id: str = "") -> None:
    """Hand the inbox an event as the sandbox would sign it."""
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    event = {
        "id": event_id or f"evt_{kind}_{payment_id}",
        "type": kind,
        "payment": {"id": payment_id, "amount": amount},
    }
    body = json.dumps(event).encode()
    receive("sandbox", provider.signed_headers(body), body)


def postings(session: Session) -> dict[str, int]:
    """Balance of each account."""
    rows = session.execute(
        text("SELECT account_code, sum(amount)::bigint FROM reporting.ledger_postings GROUP BY 1")
    )
    return {code: amount for code, amount in rows if amount}


@pytest.fixture
def order(db_session: Session) -> Order:
    """An unpaid order of two facilities: 3 × 100,000 and 1 × 485,001, 10,000 shipping each."""
    make_rule()
    second = make_facility("PKB", city="Kotawaringin Barat", province="Kalimantan Tengah")
    make_rule(basis="profit", facility=second, valid_from=datetime.date(2023, 1, 1))
    first = make_variant(make_product(make_workshop(make_facility("TGG"))), stock=5, price=100_000)
    other = make_variant(make_product(make_workshop(second)), stock=1, price=485_001, material_cost=5_000)
    order = make_order((first, 3), (other, 1))
    db_session.commit()
    return order


def paid(order: Order, session: Session) -> Payment:
    payment = open_payment(order)
    session.commit()
    payment = start_payment(payment.id)
    record_payment(payment.id, reference=payment.id, amount=payment.amount)
    session.commit()
    return session.get_one(Payment, payment.id)


def test_a_purchase_is_booked_to_each_facility_by_its_own_rule(order: Order, db_session: Session) -> None:
    payment = paid(order, db_session)
    assert order_status(order.id) == ("paid", 805_001, 0)
    assert postings(db_session) == {
        "clearing:sandbox": 805_001,
        "owed:TGG:premium": -150_000,
        "owed:TGG:working_capital": -105_000,
        "owed:TGG:state_revenue": -45_000,
        "owed:TGG:shipping": -10_000,
        # of 480,001 after 5,000 material: 240,000.5 / 168,000.35 / 72,000.15 → the largest remainder takes one
        "owed:PKB:premium": -240_001,
        "owed:PKB:working_capital": -(168_000 + 5_000),
        "owed:PKB:state_revenue": -72_000,
        "owed:PKB:shipping": -10_000,
    }
    sources = db_session.scalars(text("SELECT DISTINCT source FROM reporting.ledger_postings")).all()
    assert sources == [f"payment:{payment.id}:captured"]
    sales = db_session.execute(text("SELECT * FROM reporting.sales ORDER BY line_id")).mappings().all()
    assert [(s["facility_code"], s["premium"], s["working_capital"], s["state_revenue"]) for s in sales] == [
        ("TGG", 150_000, 105_000, 45_000),
        ("PKB", 240_001, 173_000, 72_000),
    ]
    parcels = order_view(order, locale="id").parcels
    assert [(p.facility_code, p.status, p.ready_by is not None) for p in parcels] == [
        ("TGG", "to_pack", True),
        ("PKB", "to_pack", True),
    ]


def test_stock_is_held_then_sold(order: Order, db_session: Session) -> None:
    variant_ids = [line.variant_id for line in order.lines]
    level = text("SELECT on_hand, reserved FROM stock_levels ORDER BY variant_id")
    assert available(variant_ids) == dict(zip(variant_ids, (2, 0), strict=True))
    assert db_session.execute(level).all() == [(5, 3), (1, 1)]
    paid(order, db_session)
    assert db_session.execute(level).all() == [(2, 0), (0, 0)]


def test_the_event_pays_and_fifty_more_of_it_change_nothing(
    order: Order, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    payment = open_payment(order)
    payment_id, amount = payment.id, payment.amount
    db_session.commit()
    start_payment(payment_id)
    for number in range(25):
        deliver(payment_id, amount=amount, event_id="evt_same")
        deliver(payment_id, amount=amount, event_id=f"evt_{number}")
    db_session.commit()
    run_jobs()
    db_session.expire_all()
    assert order_status(order.id)[0] == "paid"
    results = db_session.scalars(select(PaymentEvent.result)).all()
    assert sorted(results) == ["already_recorded"] * 25 + ["paid"]
    assert db_session.scalar(text("SELECT count(*) FROM journal_entries")) == 1
    messages = db_session.execute(text("SELECT kind, sent_at IS NOT NULL FROM messages ORDER BY id")).all()
    assert messages == [("order_placed", True), ("order_paid", True)]


def test_a_second_payment_is_recorded_and_given_back(
    order: Order, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    first, second = open_payment(order), open_payment(order)
    ids, amount = (first.id, second.id), first.amount
    db_session.commit()
    for payment_id in ids:
        start_payment(payment_id)
        assert record_payment(payment_id, reference=payment_id, amount=amount) in ("paid", "paid_twice")
        db_session.commit()
    assert postings(db_session)["customers:to_return"] == -amount
    run_jobs()  # asks the sandbox, which owes us an event that nobody delivers in this test
    refund = db_session.execute(select(Refund)).scalar_one()
    db_session.refresh(refund)
    assert (refund.state, refund.reason, refund.amount) == ("pending", "paid_twice", amount)
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    body = db_session.execute(text("SELECT body FROM sandbox_events WHERE type = 'refund.succeeded'")).scalar_one()
    for event_id in ("evt_1", "evt_2"):
        event = json.loads(body) | {"id": event_id}
        raw = json.dumps(event).encode()
        receive("sandbox", provider.signed_headers(raw), raw)
    db_session.commit()
    run_jobs()
    db_session.expire_all()
    assert db_session.execute(select(Refund.state)).scalar_one() == "succeeded"
    assert postings(db_session)["clearing:sandbox"] == amount
    assert "customers:to_return" not in postings(db_session)
    assert order_status(order.id) == ("paid", amount, 0)


def test_an_unpaid_order_expires_and_gives_its_pieces_back(order: Order, db_session: Session) -> None:
    payment = open_payment(order)
    db_session.commit()
    start_payment(payment.id)
    variant_ids = [line.variant_id for line in order.lines]
    assert expire_unpaid() == 0
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    assert expire_unpaid() == 1
    assert expire_unpaid() == 0
    assert order_status(order.id)[0] == "expired"
    assert available(variant_ids) == dict(zip(variant_ids, (5, 1), strict=True))
    assert {p.status for p in order_view(order, locale="id").parcels} == {"cancelled"}
    with pytest.raises(OrderClosed):
        open_payment(db_session.get_one(Order, order.id))


def test_money_after_expiry_takes_the_pieces_again_while_they_are_there(order: Order, db_session: Session) -> None:
    payment = open_payment(order)
    payment_id, amount = payment.id, payment.amount
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    expire_unpaid()
    assert record_payment(payment_id, reference=payment_id, amount=amount) == "paid"
    db_session.commit()
    assert order_status(order.id)[0] == "paid"
    assert db_session.scalars(text("SELECT on_hand FROM stock_levels ORDER BY variant_id")).all() == [2, 0]


def test_money_after_the_pieces_are_gone_goes_back(order: Order, db_session: Session) -> None:
    payment = open_payment(order)
    payment_id, amount = payment.id, payment.amount
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    expire_unpaid()
    from storefront.catalogue.models import Variant

    other = db_session.get_one(Variant, order.lines[1].variant_id)
    make_order((other, 1))
    db_session.commit()
    assert record_payment(payment_id, reference=payment_id, amount=amount) == "paid_too_late"
    db_session.commit()
    assert order_status(order.id)[0] == "expired"
    assert postings(db_session) == {"clearing:sandbox": amount, "customers:to_return": -amount}
    # nothing of the first facility's pieces was kept by the half that would still have been there
    assert available([order.lines[0].variant_id]) == {order.lines[0].variant_id: 5}


def test_a_page_found_paid_at_expiry_pays_the_order(order: Order, db_session: Session) -> None:
    payment = open_payment(order)
    db_session.commit()
    payment_id = start_payment(payment.id).id
    choose_outcome(payment_id, "succeeded")
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    assert expire_unpaid() == 0
    assert order_status(order.id)[0] == "paid"


def test_a_second_page_of_a_paid_order_is_closed_when_its_time_is_over(order: Order, db_session: Session) -> None:
    first, second = open_payment(order), open_payment(order)
    first_id, second_id, amount = first.id, second.id, first.amount
    db_session.commit()
    start_payment(second_id)
    record_payment(first_id, reference=first_id, amount=amount)
    db_session.execute(update(Payment).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    expire_unpaid()
    assert gateway("sandbox").look_up(second_id).state == "expired"
    assert db_session.get_one(Payment, second_id, populate_existing=True).state == "expired"
    assert order_status(order.id) == ("paid", amount, 0)


def test_a_shopper_cancels_before_paying_and_not_after(order: Order, db_session: Session) -> None:
    cancel(order)
    cancel(db_session.get_one(Order, order.id))
    assert order_status(order.id)[0] == "cancelled"
    variant_ids = [line.variant_id for line in order.lines]
    assert available(variant_ids) == dict(zip(variant_ids, (5, 1), strict=True))


def test_a_provider_that_names_another_amount_pays_nothing(order: Order, db_session: Session) -> None:
    payment = open_payment(order)
    amount = payment.amount
    assert record_payment(payment.id, reference="x", amount=amount - 1) == "held"
    assert record_payment(payment.id, reference="x", amount=amount) == "already_recorded"
    db_session.commit()
    assert order_status(order.id) == ("awaiting_payment", 0, 0)
    assert postings(db_session) == {"clearing:sandbox": amount - 1, "customers:to_return": 1 - amount}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("payment.failed", "awaiting_payment"), ("payment.pending", "awaiting_payment"), ("payment.expired", "expired")],
)
def test_other_outcomes(
    order: Order, db_session: Session, run_jobs: Callable[[], None], kind: str, status: str
) -> None:
    payment = open_payment(order)
    db_session.commit()
    start_payment(payment.id)
    deliver(payment.id, kind, payment.amount)
    db_session.commit()
    run_jobs()
    db_session.expire_all()
    assert order_status(order.id)[0] == status
    # success after whatever was said before still counts
    assert record_payment(payment.id, reference=payment.id, amount=payment.amount) == "paid"


def test_events_for_nobody_are_kept_and_change_nothing(
    order: Order, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    deliver("pay_unknown0000000000000000", amount=5)
    deliver("pay_x", "something.else", 5)
    db_session.commit()
    run_jobs()
    db_session.expire_all()
    assert db_session.scalars(select(PaymentEvent.result)).all() == ["unknown_payment"] * 2
    assert order_status(order.id)[0] == "awaiting_payment"


def test_out_of_stock_names_the_line_and_writes_nothing(order: Order, db_session: Session) -> None:
    from storefront.catalogue.models import Variant

    variant = db_session.get_one(Variant, order.lines[0].variant_id)
    with pytest.raises(OutOfStock) as refused:
        make_order((variant, 3))
    assert refused.value.extra["lines"] == [{"sku": variant.sku, "wanted": 3, "available": 2}]
    db_session.rollback()
    assert db_session.scalar(text("SELECT count(*) FROM orders")) == 1


def test_a_price_that_changed_is_refused_with_both_prices(order: Order, db_session: Session) -> None:
    from storefront.catalogue.models import Variant

    variant = db_session.get_one(Variant, order.lines[0].variant_id)
    seen = variant.price
    variant.price = seen + 1
    db_session.flush()
    variant.price = seen  # what the shopper saw; the row in the database says otherwise
    with db_session.no_autoflush, pytest.raises(PriceChanged) as refused:
        make_order((variant, 1))
    assert refused.value.extra["lines"][0]["price"] == seen + 1


def test_what_is_sold_stays_as_sold(order: Order, db_session: Session, app: Flask) -> None:
    paid(order, db_session)
    before = db_session.execute(text("SELECT * FROM reporting.sales ORDER BY line_id")).all()
    db_session.execute(text("UPDATE products SET title = 'Lain sekali'"))
    db_session.execute(text("UPDATE variants SET price = 1, material_cost = 0"))
    db_session.execute(text("UPDATE facilities SET name = 'Lapas Baru'"))
    assert db_session.execute(text("SELECT * FROM reporting.sales ORDER BY line_id")).all() == before
