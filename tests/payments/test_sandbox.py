"""The sandbox delivers well or badly, as it is told, and keeps its own books."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.blueprints.sandbox.desk import DELIVERIES
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.views import order_status
from storefront.payments import sandbox_books, tasks
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive_fetched
from storefront.payments.models import PaymentEvent, Refund, SandboxLine
from storefront.payments.sandbox import SandboxGateway
from storefront.payments.sandbox_delivery import Delivery, set_delivery
from tests.factories import make_order, make_person, make_rule, make_variant
from tests.payments.providers import request_for


@pytest.fixture
def app(shared_app: Flask, database: object) -> Flask:
    """A shop that pays through the sandbox."""
    return shared_app


@pytest.fixture
def heard(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reached the shop: the type of each event, in the order of its arrival; its web is this test's client."""
    arrived: list[str] = []

    class Answer:
        status = 200

    def post(method: str, url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        answer = app.test_client().post("/webhooks/sandbox", data=body, headers=headers)
        assert answer.status_code == 200
        arrived.append(gateway("sandbox").read(body).kind)
        return Answer()

    monkeypatch.setattr(tasks.http, "request", post)
    return arrived


@pytest.fixture
def order(db_session: Session) -> Order:
    make_rule()
    order = make_order((make_variant(stock=5, price=100_000), 1))
    db_session.commit()
    return order


@pytest.fixture
def started(order: Order, db_session: Session) -> str:
    """The id of the order's payment, its page open."""
    payment_id = open_payment(order).id
    db_session.commit()
    start_payment(payment_id)
    return payment_id


def happens(payment_id: str, *outcomes: str) -> None:
    for outcome in outcomes:
        sandbox_books.choose_outcome(payment_id, outcome)
        db.session.commit()


def time_passes() -> None:
    """Whatever waits for its time is due."""
    db.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'"))
    db.session.commit()


def tell(delivery: str | None, **more: object) -> None:
    set_delivery(delivery, **more)  # type: ignore[arg-type]
    db.session.commit()


def test_at_once_is_at_once(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    happens(started, "succeeded")
    run_jobs()
    assert heard == ["payment_succeeded"]
    assert order_status(order.id)[0] == "paid"


@pytest.mark.parametrize("whose", ["all", "this"])
def test_late_news_come_late(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None], whose: str
) -> None:
    tell("late", payment_id=started if whose == "this" else None, late_seconds=300)
    happens(started, "succeeded")
    run_jobs()
    assert heard == []
    due = db.session.scalar(
        text("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'sandbox.deliver_event'")
    )
    assert isinstance(due, datetime.datetime)
    late = (due - datetime.datetime.now(datetime.UTC)).total_seconds()
    assert (290 if whose == "all" else 100) < late <= 300
    time_passes()
    run_jobs()
    assert heard == ["payment_succeeded"]
    assert order_status(order.id)[0] == "paid"


def test_news_that_come_twice_change_nothing_twice(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    tell("twice")
    happens(started, "succeeded")
    run_jobs()
    assert heard == ["payment_succeeded"] * 2
    assert db.session.scalar(select(func.count()).select_from(PaymentEvent)) == 1
    assert balance("clearing:sandbox") == order.total


def test_out_of_order_the_later_news_overtake_the_earlier(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    tell("out_of_order")
    happens(started, "failed", "succeeded")
    run_jobs()
    assert heard == ["payment_succeeded"]
    time_passes()
    run_jobs()
    assert heard == ["payment_succeeded", "payment_failed"]
    assert order_status(order.id)[0] == "paid"


def test_out_of_order_the_last_news_come_nevertheless(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    tell("out_of_order", payment_id=started)
    happens(started, "succeeded")
    run_jobs()
    assert heard == []
    time_passes()
    run_jobs()
    assert heard == ["payment_succeeded"]


def test_what_is_never_delivered_can_be_fetched_and_heals_by_the_same_path(
    started: str, order: Order, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    begun = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
    tell("never")
    happens(started, "succeeded")
    time_passes()
    run_jobs()
    assert heard == []
    assert order_status(order.id)[0] == "awaiting_payment"
    for _ in range(2):
        kept = [receive_fetched("sandbox", event) for event in gateway("sandbox").events(begun)]
        db.session.commit()
        run_jobs()
    assert kept == [False]
    assert order_status(order.id)[0] == "paid"
    assert db.session.scalars(select(PaymentEvent.result)).all() == ["paid"]


def test_one_payments_way_wins_over_that_of_all(
    started: str, heard: list[str], run_jobs: Callable[[], None]
) -> None:
    tell("never")
    tell("at_once", payment_id=started)
    happens(started, "failed")
    run_jobs()
    assert heard == ["payment_failed"]
    tell(None, payment_id=started)
    happens(started, "succeeded")
    run_jobs()
    assert heard == ["payment_failed"]


def test_an_unknown_way_or_payment_is_refused(started: str) -> None:
    with pytest.raises(ValueError):
        set_delivery("by pigeon")
    with pytest.raises(LookupError):
        set_delivery("late", payment_id="pay_none")


# ── as pages and for scripts ──────────────────────────────────────────────────────────────────────────────


def test_scripts_set_the_delivery_of_one_or_of_all(
    client: FlaskClient, started: str, db_session: Session
) -> None:
    assert client.post("/sandbox/delivery", json={"delivery": "late", "late_seconds": 9}).status_code == 200
    assert client.post(f"/sandbox/payments/{started}/delivery", json={"delivery": "never"}).json == {
        "delivery": "never"
    }
    rules = db_session.execute(text("SELECT delivery, late_seconds FROM sandbox_settings")).one()
    assert tuple(rules) == ("late", 9)
    assert db_session.scalar(text("SELECT delivery FROM sandbox_payments")) == "never"
    for path, body, status in (
        ("/sandbox/delivery", {"delivery": "pigeon"}, 422),
        ("/sandbox/delivery", {"delivery": "late", "late_seconds": 0}, 422),
        ("/sandbox/delivery", {"delivery": "late", "late_seconds": True}, 422),
        ("/sandbox/payments/pay_none/delivery", {"delivery": "late"}, 404),
        ("/sandbox/refunds/re_none/outcome", {"outcome": "failed"}, 404),
        ("/sandbox/payouts/po_none/outcome", {"outcome": "failed"}, 404),
        ("/sandbox/payouts/po_none/outcome", {"outcome": "paid"}, 422),
        ("/sandbox/payouts", {}, 422),
    ):
        assert client.post(path, json=body).status_code == status, (path, body)


def test_people_set_it_on_the_payments_page_and_at_the_desk(
    client: FlaskClient, started: str, db_session: Session
) -> None:
    page = client.get(f"/sandbox/payments/{started}").text
    assert all(
        word in page for word in ("Segera", "Terlambat", "Dua kali", "Tidak berurutan", "Tidak pernah")
    )
    done = client.post(f"/sandbox/payments/{started}/delivery", data={"delivery": "twice", "sent": "1"})
    assert (done.status_code, done.headers["Location"]) == (303, f"/sandbox/payments/{started}")
    assert '<option value="twice" selected>' in client.get(f"/sandbox/payments/{started}").text
    client.post("/sandbox/delivery", data={"delivery": "out_of_order", "late_seconds": "60"})
    assert '<option value="out_of_order" selected>' in client.get("/sandbox/").text


def test_a_payment_without_refunds_is_chosen_on_the_page(client: FlaskClient, started: str) -> None:
    client.post(f"/sandbox/payments/{started}", data={"outcome": "succeeded", "no_refunds": "1"})
    assert gateway("sandbox").look_up(started).can_refund is False


def test_the_desk_pays_out_what_lies_there(client: FlaskClient, started: str, order: Order) -> None:
    assert "Rp\xa00" in client.get("/sandbox/").text
    client.post(f"/sandbox/payments/{started}/outcome", json={"outcome": "succeeded", "fee": 3_000})
    assert "Rp\xa0107.000" in client.get("/sandbox/").text
    sent = client.post("/sandbox/payouts", json={})
    assert (sent.status_code, sent.json["amount"]) == (201, 107_000)
    page = client.get("/sandbox/").text
    assert "Rp\xa00" in page
    assert sent.json["id"] in page
    assert (
        client.post(f"/sandbox/payouts/{sent.json['id']}/outcome", json={"outcome": "failed"}).status_code
        == 202
    )
    page = client.get("/sandbox/").text
    assert "dikembalikan bank" in page
    assert "Rp\xa0107.000" in page


def test_the_sandbox_is_no_door_outside_the_demo(make_app: Callable[..., Flask], database: object) -> None:
    production = make_app(
        DEMO="off", BASE_URL="https://shop.example", PAYMENT_GATEWAY="stripe",
        STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET="whsec_x",
    )  # fmt: skip
    outside = production.test_client()
    for path in ("/sandbox/delivery", "/sandbox/payouts", "/sandbox/payments/x/delivery"):
        assert outside.post(path, json={}).status_code == 404
    assert outside.get("/sandbox/").status_code == 404
    assert outside.post("/webhooks/sandbox", data=b"{}").status_code == 404


# ── money of before ───────────────────────────────────────────────────────────────────────────────────────


def test_payments_of_before_the_books_are_entered_once(order: Order, db_session: Session) -> None:
    """As the demo writes its invented months: straight into the tables."""
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    payment = open_payment(order)
    provider.start(request_for(payment.amount, id=payment.id, parcels=()))
    record_payment(payment.id, reference=payment.id, amount=payment.amount)
    payment.fee = 2_000
    db_session.execute(
        text(
            "INSERT INTO sandbox_refunds (id, payment_id, amount, idempotency_key) VALUES ('re_1', :id, 10000, 'k')"
        ),
        {"id": payment.id},
    )
    db_session.add(
        Refund(
            payment_id=payment.id, order_id=order.id, amount=payment.amount, reason="paid_twice", state="succeeded",
            reference="re_1", finished_at=datetime.datetime.now(datetime.UTC),
        )
    )  # fmt: skip
    account = db_session.scalar(
        text(
            """INSERT INTO bank_accounts (bank, number, holder, permission_letter, valid_from, proposed_by,
                                          approved_by, approved_at)
               VALUES ('BRI', '12345', 'Kantor Pusat', 'S-1', '2020-01-01', :one, :two, now()) RETURNING id"""
        ),
        {"one": make_person().id, "two": make_person().id},
    )
    db_session.execute(
        text(
            """INSERT INTO payouts (gateway, reference, amount, bank_account_id, arrived_on)
               VALUES ('sandbox', 'po_1', 98000, :account, accounting_date(now()) + 1)"""
        ),
        {"account": account},
    )
    for _ in range(2):
        db_session.execute(text("SELECT sandbox_fill_in()"))
    lines = db_session.execute(
        select(SandboxLine.kind, SandboxLine.amount, SandboxLine.fee, SandboxLine.payout_id).order_by(
            SandboxLine.id
        )
    ).all()
    assert sorted(map(tuple, lines)) == [
        ("payment", 110_000, 2_000, "po_1"), ("payout", -98_000, 0, "po_1"), ("refund", -10_000, 0, "po_1"),
    ]  # fmt: skip


def test_every_way_of_delivery_has_its_words() -> None:
    assert {code for code, _ in DELIVERIES} == set(Delivery)
