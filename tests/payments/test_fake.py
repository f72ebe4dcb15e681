"""The fake is as strict as Stripe where a mistake of ours would otherwise go unseen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe
import urllib3
from flask import Flask, request
from werkzeug.serving import make_server

from storefront.payments.stripe_page import session_params
from tests.payments.providers import request_for
from tests.stripe_fake.run import FakeStripe, fake_stripe
from tests.threads import at_once

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def client(fake: FakeStripe) -> stripe.StripeClient:
    """The official client, with no module of ours between."""
    return stripe.StripeClient(fake.key, base_addresses={"api": fake.address})


@pytest.fixture
def ask(fake: FakeStripe) -> Ask:
    """A bare call, for what the client itself would not send."""
    http = urllib3.PoolManager(retries=False)

    def call(
        method: str, path: str, fields: dict[str, str], key: str = "", token: str = ""
    ) -> tuple[int, Any]:
        headers = {
            "Authorization": f"Bearer {token or fake.key}",
            **({"Idempotency-Key": key} if key else {}),
        }
        answer = http.request_encode_body(
            method, f"{fake.address}{path}", fields=fields, headers=headers, encode_multipart=False
        )
        return answer.status, answer.json()

    return call


def a_page() -> dict[str, Any]:
    return dict(session_params(request_for()))


def test_a_parameter_that_stripe_does_not_know_is_refused(client: stripe.StripeClient) -> None:
    odd: list[dict[str, Any]] = [
        {"success_uri": "http://localhost"},
        {"metadata": {"payment": {"id": "x"}}},
        {"adaptive_pricing": {"on": False}},
        {"expires_at": "tomorrow"},
        {"line_items": [{"quantity": 1, "price_data": {"currency": "idr", "amount": 100}}]},
    ]
    for wrong in odd:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.checkout.sessions.create(a_page() | wrong)  # type: ignore[arg-type]
        assert refused.value.param
    for wrong in ({"cart": "x"}, {"limit": 101}, {"limit": 0}, {"created": {"after": 1}}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.list(wrong)  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment": "pay_1"})  # type: ignore[typeddict-unknown-key]


def test_a_property_that_is_none_cannot_be_shown(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(a_page())  # type: ignore[arg-type]
    for path in ("payment", "payment_intent.latest_charge.balance_transaction.source.refund"):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})


def test_a_key_answers_as_it_did_and_knows_one_body(fake: FakeStripe, client: stripe.StripeClient) -> None:
    page, key = a_page(), request_for().id
    first = client.v1.checkout.sessions.create(page, {"idempotency_key": key})  # type: ignore[arg-type]
    again = client.v1.checkout.sessions.create(page, {"idempotency_key": key})  # type: ignore[arg-type]
    assert again.id == first.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(page | {"locale": "en"}, {"idempotency_key": key})  # type: ignore[arg-type]
    # What was refused before it began is not kept.
    early = a_page() | {"expires_at": int(time.time()) + 60}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(early, {"idempotency_key": f"{key}:2"})  # type: ignore[arg-type]
    assert client.v1.checkout.sessions.create(page, {"idempotency_key": f"{key}:2"}).id != first.id  # type: ignore[arg-type]


def test_a_key_is_forgotten_after_a_day() -> None:
    price = {"currency": "idr", "unit_amount": 1_000_000, "product_data": {"name": "Tas"}}
    page: Any = {
        "mode": "payment",
        "success_url": "http://localhost/",
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    with fake_stripe() as fake:
        own = stripe.StripeClient(fake.key, base_addresses={"api": fake.address})

        def create() -> str:
            return own.v1.checkout.sessions.create(page, {"idempotency_key": "one"}).id

        first = create()
        fake.tell("clock", seconds=24 * 60 * 60 - 60)
        assert create() == first
        fake.tell("clock", seconds=120)
        assert create() != first


def test_many_at_once_with_one_key_get_one_page(client: stripe.StripeClient) -> None:
    page, key = a_page(), request_for().id

    def create() -> str:
        return client.v1.checkout.sessions.create(page, {"idempotency_key": key}).id  # type: ignore[arg-type]

    assert len(set(at_once([create] * 6))) == 1


def test_without_the_right_key_nobody_gets_in(ask: Ask) -> None:
    status, answer = ask("GET", "/v1/payouts", {}, token="sk_test_other")
    assert (status, answer["error"]["type"]) == (401, "invalid_request_error")


def test_its_objects_carry_none_of_its_own_notes(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(a_page())  # type: ignore[arg-type]
    fake.tell("pay", session=session.id)
    shown = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    ).to_dict()
    assert not [name for name in shown if name.startswith("_")]
    assert shown["payment_intent"]["latest_charge"]["amount_captured"] == 80_500_100
    assert not [event for event in fake.tell("events") if '"_' in event["body"]]


@pytest.fixture
def shop_door() -> Any:
    """A web server that takes webhooks: its address, what arrived, and how it answers."""
    app, arrived, answers = Flask("door"), [], []

    @app.post("/webhooks/stripe")
    def take() -> tuple[str, int]:
        body = request.get_data()
        stripe.Webhook.construct_event(body, request.headers["Stripe-Signature"], "whsec_door")
        arrived.append(request.get_json()["id"])
        return "", answers.pop(0) if answers else 200

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/webhooks/stripe", arrived, answers
    server.shutdown()


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes true in time."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        pause.wait(0.02)
    return condition()


def test_webhooks_arrive_signed_and_come_again_until_they_are_taken(shop_door: Any) -> None:
    address, arrived, answers = shop_door
    with fake_stripe(webhook_secrets=("whsec_door",)) as fake:
        own = stripe.StripeClient(fake.key, base_addresses={"api": fake.address})

        def happens() -> str:
            session = own.v1.checkout.sessions.create(a_page())  # type: ignore[arg-type]
            fake.tell("pay", session=session.id)
            return str(fake.tell("events")[-1]["id"])

        fake.tell("delivery", url=address)
        answers.extend([500, 503])
        first = happens()
        assert until(lambda: arrived.count(first) == 3)
        fake.tell("delivery", manner="twice")
        second = happens()
        assert until(lambda: arrived.count(second) == 2)
        fake.tell("delivery", manner="never")
        lost = happens()
        assert until(lambda: not [e for e in fake.tell("events", waiting=True) if e["id"] != lost])
        assert arrived.count(lost) == 0
        fake.tell("delivery", manner="shuffled", late=1.5)
        late = [happens() for _ in range(6)]
        assert until(lambda: set(late) <= set(arrived))
        assert [event for event in arrived if event in late] != late
        fake.tell("delivery", manner="at_once")
        fake.tell("redeliver", waiting=True)
        assert until(lambda: arrived.count(lost) == 1)


def test_mixed_delivery_loses_doubles_and_delays_and_says_how_many(shop_door: Any) -> None:
    address, arrived, _ = shop_door
    with fake_stripe(webhook_secrets=("whsec_door",)) as fake:
        own = stripe.StripeClient(fake.key, base_addresses={"api": fake.address})
        fake.tell("delivery", url=address, manner="mixed", late=0.5, seed=4)
        for _ in range(40):
            fake.tell("pay", session=own.v1.checkout.sessions.create(a_page()).id)  # type: ignore[arg-type]
        assert until(lambda: not fake.tell("deliveries")["under_way"])
        said = fake.tell("deliveries")
        happened = [event["id"] for event in fake.tell("objects", kind="event")][::-1]
    assert said["dropped"] + said["doubled"] + said["delayed"] + said["on_time"] == 40
    assert len(set(happened) - set(arrived)) == said["dropped"] > 0
    assert len(arrived) - len(set(arrived)) == said["doubled"] > 0
    assert arrived != sorted(arrived, key=happened.index)
    assert said["overtaken"] > 0
