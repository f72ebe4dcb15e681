"""A purchase paid through Stripe, from the checkout to the books, and what may happen to its money on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from stripe import RequestsClient

from storefront.books.fees import FeeNotKnown, learn_fee
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.orders.expire import expire_unpaid
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.refund import idempotency_key, look_up_refunds
from storefront.orders.views import order_status
from storefront.payments.gateway import gateway
from storefront.payments.models import Payment, PaymentAttempt, PaymentEvent, Refund
from storefront.stock.levels import available
from tests.factories import make_order, make_rule, make_variant
from tests.selling import check_out, new_cart, open_shop
from tests.stripe_fake.run import FakeStripe

RunJobs = Callable[[], None]


@pytest.fixture(autouse=True)
def nothing_is_held_while_stripe_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks Stripe holds no transaction open, here and in the worker's threads."""
    ask = RequestsClient.request_with_retries

    def watched(self: RequestsClient, *args: Any, **more: Any) -> Any:
        assert not db.session().in_transaction(), f"a transaction is open during {args[:2]}"
        return ask(self, *args, **more)

    monkeypatch.setattr(RequestsClient, "request_with_retries", watched)


@pytest.fixture
def order(db_session: Session) -> Order:
    make_rule()
    order = make_order((make_variant(stock=5, price=100_000), 3))
    db_session.commit()
    return order


@pytest.fixture
def started(order: Order, db_session: Session) -> Payment:
    """The order's payment, its page open."""
    payment_id = open_payment(order).id
    db_session.commit()
    return start_payment(payment_id)


@pytest.fixture
def deliver(fake: FakeStripe, client: FlaskClient, started: Payment) -> Callable[..., list[str]]:
    """Post what Stripe has to say of the payment, once each; the types of what was posted."""
    own = {started.id, str(started.reference)}

    def post(*wanted: str) -> list[str]:
        session = fake.tell("object", id=started.reference)
        names = own | {str(session["payment_intent"])}
        posted = []
        for event in fake.tell("events"):
            if any(name in event["body"] for name in names) and event["type"] in (wanted or [event["type"]]):
                answer = client.post(
                    "/webhooks/stripe", data=event["body"].encode(), headers=event["headers"]
                )
                assert answer.status_code == 200
                posted.append(event["type"])
        return posted

    return post


def results(session: Session) -> list[str | None]:
    """What each kept event came to, in the order of their arrival."""
    session.expire_all()
    return list(session.scalars(select(PaymentEvent.result).order_by(PaymentEvent.id)))


def try_again() -> None:
    """Jobs that failed and wait for their next try are due."""
    db.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'"))
    db.session.commit()


def test_the_order_is_paid_and_the_fee_is_learned_after(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    assert started.url == f"{fake.address}/c/pay/{started.reference}"
    fake.tell("pay", session=started.reference)
    assert deliver() == deliver() == ["checkout.session.completed"]
    assert results(db_session) == [None]
    run_jobs()
    assert results(db_session) == ["paid"]
    assert order_status(order.id) == ("paid", order.total, 0)
    payment = db_session.get_one(Payment, started.id)
    assert payment.fee
    assert str(payment.capture_reference).startswith("pi_")
    fee, reference = payment.fee, str(payment.reference)
    db_session.rollback()
    assert gateway("stripe").look_up(reference).fee == fee
    assert balance("fees:operator") == fee
    assert balance("clearing:stripe") == order.total - fee


def test_a_page_and_its_event_know_the_order_by_its_parcels(
    started: Payment, order: Order, fake: FakeStripe
) -> None:
    told = fake.calls("POST", "/checkout/sessions")[-1]["params"]
    assert told["metadata"]["order"] == order.number
    assert told["metadata"]["facilities"] == order.lines[0].facility_code
    names = [line["price_data"]["product_data"]["name"] for line in told["line_items"]]
    assert names == [order.lines[0].title, "Ongkos kirim"]
    assert told["expires_at"] == str(int(order.expires_at.timestamp()))


def test_money_on_its_way_holds_the_pieces_until_it_arrives(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    variant_id = order.lines[0].variant_id
    fake.tell("pay", session=started.reference, method="id_bank_transfer")
    deliver()
    run_jobs()
    db_session.expire_all()
    payment = db_session.get_one(Payment, started.id)
    assert payment.state == "pending"
    assert order.expires_at == payment.expires_at + gateway("stripe").settles_within
    # The hold of an hour is over; the shopper has done their part.
    db_session.execute(update(Payment).values(expires_at=text("now() - interval '1 hour'")))
    db_session.commit()
    assert expire_unpaid() == 0
    assert available([variant_id]) == {variant_id: 2}
    fake.tell("settle", session=started.reference, outcome="succeeded")
    deliver()
    run_jobs()
    assert order_status(order.id)[0] == "paid"
    assert results(db_session) == ["on_its_way", "paid"]


def test_a_failure_that_overtakes_the_word_before_it_stays(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    held_until = order.expires_at
    fake.tell("pay", session=started.reference, method="id_bank_transfer")
    fake.tell("settle", session=started.reference, outcome="failed")
    assert deliver("checkout.session.async_payment_failed")
    run_jobs()
    assert deliver("checkout.session.completed")
    run_jobs()
    assert results(db_session) == ["failed", "asked"]
    # Neither is the payment under way again, nor are the pieces held for three days.
    assert db_session.get_one(Payment, started.id).state == "failed"
    assert db_session.get_one(Order, order.id).expires_at == held_until


def test_whoever_never_pays_does_not_hold_the_pieces_for_ever(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    fake.tell("pay", session=started.reference, method="id_bank_transfer")
    deliver()
    run_jobs()
    for table in (Order, Payment):
        db_session.execute(update(table).values(expires_at=text("now() - interval '73 hours'")))
    db_session.commit()
    assert expire_unpaid() == 1
    assert order_status(order.id)[0] == "expired"
    # The money comes after all, and the pieces are still there.
    fake.tell("settle", session=started.reference, outcome="succeeded")
    deliver()
    run_jobs()
    assert order_status(order.id)[0] == "paid"


def test_an_expired_order_closes_its_page_at_stripe(
    order: Order, started: Payment, fake: FakeStripe, db_session: Session
) -> None:
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    assert expire_unpaid() == 1
    assert fake.tell("object", id=started.reference)["status"] == "expired"


def test_a_page_whose_answer_was_lost_is_closed_all_the_same(
    order: Order, fake: FakeStripe, db_session: Session
) -> None:
    payment_id = open_payment(order).id
    db_session.commit()
    fake.tell("faults", faults=[{"kind": "drop_after", "path": "/checkout/sessions", "times": 3}])
    assert start_payment(payment_id).reference is None
    fake.tell("faults", faults=[])
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    assert expire_unpaid() == 1
    assert gateway("stripe").look_up(payment_id).state == "expired"


def test_while_stripe_is_down_the_order_waits_and_is_paid_later(
    order: Order, started: Payment, fake: FakeStripe, db_session: Session, run_jobs: RunJobs
) -> None:
    fake.tell("faults", faults=[{"kind": "fail", "status": 500, "times": 100}])
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.commit()
    assert expire_unpaid() == 0
    assert order_status(order.id)[0] == "awaiting_payment"
    fake.tell("faults", faults=[])
    fake.tell("pay", session=started.reference)
    assert expire_unpaid() == 0  # found paid
    run_jobs()
    db_session.expire_all()
    assert order_status(order.id)[0] == "paid"
    payment = db_session.get_one(Payment, started.id)
    assert payment.fee
    assert payment.capture_reference


def test_a_payment_asked_for_too_late_is_asked_for_anew(
    fake: FakeStripe, client: FlaskClient, db_session: Session
) -> None:
    open_shop()
    fake.tell("faults", faults=[{"kind": "fail", "status": 500, "times": 3}])
    answer = check_out(client, new_cart(client, ("PKL-BATIK", 1)))
    assert (answer.status_code, answer.json["payment"]["url"]) == (201, None)
    fake.tell("faults", faults=[])
    number, token = answer.json["order"]["number"], answer.json["order"]["token"]
    client.get(f"/orders/{number}?token={token}")
    # 40 minutes later only 20 of the hold are left: less than Stripe's shortest page.
    for table, begun in (("orders", "placed_at"), ("payments", "created_at")):
        past = f"{begun} = {begun} - interval '40 minutes', expires_at = expires_at - interval '40 minutes'"
        db_session.execute(text(f"UPDATE {table} SET {past}"))
    db_session.commit()
    assert fake.address in client.post(f"/orders/{number}/pay").headers["Location"]
    states = db_session.execute(text("SELECT state, expires_at FROM payments ORDER BY created_at")).all()
    assert [row.state for row in states] == ["expired", "pending"]
    held_until = db_session.execute(text("SELECT expires_at FROM orders")).scalar_one()
    assert states[1].expires_at > held_until, "the page lives longer, and is closed when the hold ends"


def paid_twice(
    order: Order, started: Payment, fake: FakeStripe, session: Session, method: str = "card"
) -> Refund:
    """The order is paid by another payment; `started` is paid too, and given back."""
    second = open_payment(order).id
    session.commit()
    page = start_payment(second)
    fake.tell("pay", session=page.reference)
    fake.tell("pay", session=started.reference, method=method)
    known = [(payment.id, str(payment.reference)) for payment in (page, started)]
    for payment_id, reference in known:
        session.rollback()
        status = gateway("stripe").look_up(reference)
        record_payment(
            payment_id,
            reference=status.reference,
            amount=status.amount,
            capture_reference=status.capture_reference,
        )
        session.commit()
    return session.scalars(select(Refund)).one()


def test_a_second_payment_goes_back_and_stripe_confirms_it(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    refund_id = paid_twice(order, started, fake, db_session).id
    run_jobs()
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "pending"
    assert deliver("refund.created") == ["refund.created"]
    run_jobs()
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "succeeded"
    assert balance("customers:to_return") == 0
    assert fake.tell("object", id=str(started.reference))["payment_status"] == "paid"
    (asked,) = fake.calls("POST", "/refunds")
    assert asked["params"]["amount"] == str(order.total * 100)
    assert asked["params"]["metadata"] == {
        "key": idempotency_key(db_session.get_one(Refund, refund_id)),
        "payment": started.id,
        "order": order.number,
    }


def test_news_that_name_no_refund_are_looked_up(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    refund_id = paid_twice(order, started, fake, db_session).id
    run_jobs()
    assert deliver("charge.refunded") == ["charge.refunded"]
    run_jobs()
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "succeeded"


def test_a_slow_refund_is_done_when_stripe_says_so(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    refund_id = paid_twice(order, started, fake, db_session, "gopay").id
    run_jobs()
    deliver()
    run_jobs()
    look_up_refunds(started.id)
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "pending"
    fake.tell("refunds/finish", refund=db_session.get_one(Refund, refund_id).reference)
    db_session.rollback()
    look_up_refunds(started.id)
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "succeeded"


def test_a_refund_that_stripe_refuses_has_failed_and_says_why(
    order: Order, started: Payment, fake: FakeStripe, run_jobs: RunJobs, db_session: Session
) -> None:
    refund_id = paid_twice(order, started, fake, db_session, "qris").id
    run_jobs()
    db_session.expire_all()
    refund = db_session.get_one(Refund, refund_id)
    # The shopper is asked for a bank account instead.
    assert (refund.state, refund.failure) == ("by_bank", "cannot_refund")
    assert balance("customers:to_return") == -order.total
    assert fake.calls("POST", "/refunds") == []


def test_a_dispute_that_comes_before_the_payment_is_sorted_out(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session
) -> None:
    fake.tell("pay", session=started.reference)
    intent = fake.tell("object", id=started.reference)["payment_intent"]
    dispute = fake.tell("disputes/open", intent=intent, amount=20_000_000)
    deliver("charge.dispute.created")
    db_session.rollback()
    run_jobs()
    # It names the captured money only, of which we have not heard: Stripe was asked whose it is, and what became of it.
    assert results(db_session) == ["opened"]
    assert intent in [call["params"].get("payment_intent") for call in fake.calls("GET", "/checkout/sessions")]
    assert order_status(order.id)[0] == "paid"
    assert balance("disputed:stripe") == 200_000
    deliver("checkout.session.completed")
    run_jobs()
    assert results(db_session) == ["opened", "already_recorded"]
    assert balance("disputed:stripe") == 200_000
    fake.tell("disputes/close", dispute=dispute["id"], outcome="won")
    deliver()
    run_jobs()
    assert balance("disputed:stripe") == 0
    assert db_session.scalar(text("SELECT state FROM disputes")) == "won"


def test_what_is_not_for_us_is_kept_and_changes_nothing(
    order: Order, started: Payment, fake: FakeStripe, client: FlaskClient, run_jobs: RunJobs, db_session: Session
) -> None:
    fake.tell("pay", session=started.reference)
    event = next(json.loads(e["body"]) for e in fake.tell("events")[::-1] if started.id in e["body"])
    payout = {"id": "po_1", "object": "payout", "amount": 500_000, "currency": "idr"}
    foreign = {"client_reference_id": None, "metadata": {}, "payment_intent": "pi_other"}
    refund = {"id": "re_x", "object": "refund", "amount": 100, "currency": "idr", "status": "succeeded"}
    others: list[dict[str, Any]] = [
        event | {"id": "evt_1", "livemode": True},
        event | {"id": "evt_2", "type": "customer.created"},
        event | {"id": "evt_3", "type": "payout.paid", "data": {"object": payout}},
        event | {"id": "evt_4", "data": {"object": event["data"]["object"] | foreign}},
        event | {"id": "evt_5", "account": "acct_1"},
        event
        | {
            "id": "evt_6",
            "type": "refund.created",
            "data": {"object": refund | {"payment_intent": "pi_none"}},
        },
    ]
    for other in others:
        body = json.dumps(other).encode()
        headers = fake.tell("sign", body=body.decode())
        assert client.post("/webhooks/stripe", data=body, headers=headers).status_code == 200
    run_jobs()
    assert results(db_session) == [
        "other_mode",
        "ignored",
        "kept",
        "unknown_payment",
        "ignored",
        "not_ours",
    ]
    assert order_status(order.id)[0] == "awaiting_payment"
    assert db_session.scalar(text("SELECT count(*) FROM journal_entries")) == 0


@pytest.mark.parametrize("wrong", [{"amount_total": 30_999_900}, {"currency": "usd"}])
def test_another_amount_or_currency_is_held_for_a_person(
    order: Order, started: Payment, fake: FakeStripe, client: FlaskClient, run_jobs: RunJobs, db_session: Session,
    wrong: dict[str, Any],
) -> None:  # fmt: skip
    assert order.total == 310_000
    fake.tell("pay", session=started.reference)
    event = next(json.loads(e["body"]) for e in fake.tell("events")[::-1] if started.id in e["body"])
    event["data"]["object"] |= wrong
    body = json.dumps(event).encode()
    client.post("/webhooks/stripe", data=body, headers=fake.tell("sign", body=body.decode()))
    run_jobs()
    assert results(db_session) == ["held"]
    payment = db_session.get_one(Payment, started.id)
    assert (payment.state, payment.counts) == ("held", False)
    assert order_status(order.id)[0] == "awaiting_payment"


def test_an_amount_that_no_rupiah_can_be_is_left_for_a_person(
    order: Order, started: Payment, fake: FakeStripe, client: FlaskClient, run_jobs: RunJobs, db_session: Session
) -> None:
    fake.tell("pay", session=started.reference)
    event = next(json.loads(e["body"]) for e in fake.tell("events")[::-1] if started.id in e["body"])
    event["data"]["object"] |= {"amount_total": 31_000_050}
    body = json.dumps(event).encode()
    client.post("/webhooks/stripe", data=body, headers=fake.tell("sign", body=body.decode()))
    run_jobs()
    kept = db_session.scalars(select(PaymentEvent)).one()
    db_session.refresh(kept)
    assert (kept.handled_at, kept.attempts) == (None, 1)
    assert kept.last_error
    assert order_status(order.id)[0] == "awaiting_payment"


def test_a_fee_is_asked_for_until_stripe_says_it(
    order: Order, started: Payment, fake: FakeStripe, deliver: Any, run_jobs: RunJobs, db_session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fake.tell("pay", session=started.reference)
    with monkeypatch.context() as patch:
        patch.setattr("storefront.payments.stripe_sessions.WITH_MONEY", ["payment_intent.latest_charge"])
        deliver()
        run_jobs()
        db_session.expire_all()
        assert db_session.get_one(Payment, started.id).fee is None
        db_session.rollback()
        with pytest.raises(FeeNotKnown):
            learn_fee(started.id)
    try_again()
    run_jobs()
    db_session.expire_all()
    assert db_session.get_one(Payment, started.id).fee
    db_session.rollback()
    assert learn_fee(started.id) == "already_booked"


def test_a_total_below_stripes_least_is_said_before_anybody_is_sent_there(
    client: FlaskClient, fake: FakeStripe, db_session: Session
) -> None:
    shop = open_shop()
    shop.tempeh.price = 5_000
    db_session.commit()
    token = new_cart(client, (shop.tempeh.sku, 1))
    facility = "PKL"
    refused = check_out(client, token, shipping={facility: "pickup"})
    assert (refused.status_code, refused.json["code"], refused.json["minimum"]) == (
        409,
        "not_payable",
        10_000,
    )
    assert db_session.scalar(text("SELECT count(*) FROM orders")) == 0
    assert fake.calls("POST") == []
    shop.tempeh.price = 10_000
    db_session.commit()
    again = new_cart(client, (shop.tempeh.sku, 1))
    assert check_out(client, again, key="key-2", shipping={facility: "pickup"}).status_code == 201


def test_the_checkout_page_says_so_too(client: FlaskClient, db_session: Session) -> None:
    shop = open_shop()
    shop.tempeh.price = 5_000
    db_session.commit()
    client.post("/cart/add", data={"sku": shop.tempeh.sku, "quantity": 1})
    page = client.post("/checkout/shipping", data={"shipping-PKL": "pickup"}).text
    assert "Pembayaran paling sedikit Rp\xa010.000" in page
    assert "QRIS" in page
    assert "Rp\xa010.000 sampai Rp\xa010.000.000" in page


def test_no_page_attempt_or_log_holds_a_secret(
    order: Order, started: Payment, fake: FakeStripe, client: FlaskClient, db_session: Session,
    make_app: Callable[..., Flask], capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    wrong = make_app(**fake.settings(STRIPE_SECRET_KEY="sk_test_revoked_zqzqzqzq"))
    with wrong.app_context():
        payment_id = open_payment(db.session.get_one(Order, order.id)).id
        db.session.commit()
        assert start_payment(payment_id).url is None
        said = " ".join(db.session.scalars(select(PaymentAttempt.detail)))
        assert "AuthenticationError" in said
        settings = repr(wrong.extensions["settings"])
    refused = client.post("/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": "t=1,v1=00"})
    assert refused.status_code == 400
    everything = said + settings + refused.text + "".join(capfd.readouterr())
    for secret in ("sk_test_revoked", "zqzq", fake.key, fake.webhook_secret):
        assert secret not in everything


def test_one_order_that_cannot_be_ended_stops_no_other(
    order: Order, started: Payment, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe answers what nobody understands: a person must look, and the other orders end all the same."""
    monkeypatch.setattr(gateway("stripe"), "expire", lambda *_args, **_more: 1 / 0)
    other = make_order((make_variant(stock=1), 1))  # without a page at Stripe
    db_session.execute(update(Order).values(expires_at=text("now() - interval '1 second'")))
    db_session.execute(
        update(Order).where(Order.id == order.id).values(expires_at=text("now() - interval '1 day'"))
    )
    db_session.commit()
    assert expire_unpaid() == 1
    assert [order_status(order.id)[0], order_status(other.id)[0]] == ["awaiting_payment", "expired"]


def test_a_hold_that_was_extended_outlives_stripes_page_and_gets_a_new_one(
    client: FlaskClient, fake: FakeStripe, db_session: Session
) -> None:
    open_shop()
    answer = check_out(client, new_cart(client, ("PKL-BATIK", 1)))
    number, token = answer.json["order"]["number"], answer.json["order"]["token"]
    old = answer.json["payment"]["url"]
    client.get(f"/orders/{number}?token={token}")
    # Five minutes are left; Stripe's session cannot be made to live longer.
    for table in ("orders", "payments"):
        db_session.execute(text(f"UPDATE {table} SET expires_at = now() + interval '5 minutes'"))
    db_session.commit()
    assert old in client.get(f"/orders/{number}").text
    assert client.post(f"/orders/{number}/hold").status_code == 303
    assert old not in client.get(f"/orders/{number}").text
    page = client.post(f"/orders/{number}/pay").headers["Location"]
    assert fake.address in page
    assert page != old
    held_until = db_session.execute(text("SELECT expires_at FROM orders")).scalar_one()
    lives_until = db_session.execute(text("SELECT max(expires_at) FROM payments")).scalar_one()
    assert lives_until >= held_until
    assert expire_unpaid() == 0
