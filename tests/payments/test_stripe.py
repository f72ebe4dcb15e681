"""What is particular to Stripe: what it is told, what may go wrong on the way, and what its events mean."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from storefront.payments import stripe_client
from storefront.payments.gateway import (
    BadSignature,
    EventKind,
    GatewayUnavailable,
    Item,
    ParcelOfGoods,
    ProviderRefused,
    TooLateToStart,
)
from storefront.payments.stripe_client import API_VERSION
from storefront.payments.stripe_events import TYPES
from storefront.payments.stripe_gateway import StripeGateway
from storefront.payments.stripe_money import nearest, to_stripe, whole
from storefront.payments.stripe_page import session_params
from tests.payments.providers import StripeProvider, request_for
from tests.stripe_fake.run import FakeStripe, fake_stripe

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def stripe_gateway(stripe_side: StripeProvider) -> StripeGateway:
    assert isinstance(stripe_side.gateway, StripeGateway)
    return stripe_side.gateway


@pytest.fixture
def another_side(make_gateway: Callable[..., StripeGateway]) -> Iterator[StripeProvider]:
    """A fake for one test alone, whose clock may be put forward."""
    with fake_stripe() as fake:
        yield StripeProvider(make_gateway(**fake.settings()), fake)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# ── what Stripe is told ───────────────────────────────────────────────────────────────────────────────────


def test_stripe_is_told_the_order_parcel_by_parcel_in_hundredths(
    stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    request = request_for()
    stripe_gateway.start(request)
    told = fake.calls("POST", "/checkout/sessions")[-1]["params"]
    lines = [
        (
            line["price_data"]["product_data"]["name"],
            line["price_data"]["product_data"]["description"],
            line["quantity"],
            line["price_data"]["unit_amount"],
            line["price_data"]["currency"],
        )
        for line in told["line_items"]
    ]
    assert lines == [
        ("Kursi kayu", "Lapas Tenggarong", "3", "10000000", "idr"),
        ("Ongkos kirim", "Lapas Tenggarong", "1", "1000000", "idr"),
        ("Tas rotan, besar", "Lapas Pangkalan Bun", "1", "48500100", "idr"),
        ("Ongkos kirim", "Lapas Pangkalan Bun", "1", "1000000", "idr"),
    ]
    about = {"payment": request.id, "order": "KB-7Q2M-4XPA", "facilities": "TGG,PKB"}
    assert told["metadata"] == told["payment_intent_data"]["metadata"] == about
    assert (told["client_reference_id"], told["customer_email"], told["locale"]) == (
        request.id,
        "ratna@contoh.id",
        "id",
    )
    assert told["success_url"] == told["cancel_url"] == request.return_url
    assert told["expires_at"] == str(int(request.expires_at.timestamp()))
    # The dashboard says what is offered, and everybody pays in rupiah.
    assert not [name for name in told if name.startswith("payment_method")]
    assert told["adaptive_pricing"] == {"enabled": "false"}


def test_every_write_has_its_key_and_every_call_our_version(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    request = request_for()
    reference = stripe_gateway.start(request).reference
    stripe_side.pays(reference)
    stripe_gateway.refund(reference, 100_000, f"refund:{request.id}")
    stripe_gateway.expire(stripe_gateway.start(request_for()).reference)
    calls = fake.calls()
    assert {call["version"] for call in calls} == {API_VERSION}
    writes = [call["idempotency_key"] for call in calls if call["method"] == "POST"]
    assert request.id in writes
    assert [key for key in writes if key.startswith("pi_") and key.endswith(f":refund:{request.id}")]
    assert len(writes) == len(set(writes))
    assert all(":" in key or key.startswith("pay_") for key in writes), (
        "keys of our own, not the library's random"
    )
    assert not [
        call for call in calls if "telemetry_id" in call["user_agent"] or "platform" in call["user_agent"]
    ]


def test_our_version_stays_when_the_library_moves_on(
    make_gateway: Callable[..., StripeGateway], fake: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_client, "API_VERSION", "2026-01-01.older")
    make_gateway().start(request_for())
    assert fake.calls()[-1]["version"] == "2026-01-01.older"


def test_in_english_the_page_is_english(stripe_gateway: StripeGateway, fake: FakeStripe) -> None:
    stripe_gateway.start(request_for(locale="en"))
    told = fake.calls("POST", "/checkout/sessions")[-1]["params"]
    assert told["locale"] == "en"
    assert told["line_items"][1]["price_data"]["product_data"]["name"] == "Shipping"


def test_an_instalment_is_one_line_of_its_own_amount() -> None:
    (line,) = session_params(request_for(300_000))["line_items"]
    assert (line["price_data"]["unit_amount"], line["price_data"]["product_data"]["name"]) == (
        30_000_000,
        "KB-7Q2M-4XPA",
    )


def test_more_lines_than_stripe_takes_become_one_for_each_parcel(stripe_gateway: StripeGateway) -> None:
    many = tuple(
        ParcelOfGoods(f"F{number}", f"Lapas {number}", (Item("Tas " + "x" * 300, 1, 20_000),) * 40, 1_000)
        for number in range(3)
    )
    request = request_for(3 * 801_000, parcels=many)
    lines = session_params(request)["line_items"]
    assert [line["price_data"]["product_data"]["name"] for line in lines] == ["Lapas 0", "Lapas 1", "Lapas 2"]
    assert sum(line["price_data"]["unit_amount"] for line in lines) == 240_300_000
    assert stripe_gateway.look_up(stripe_gateway.start(request).reference).amount == 3 * 801_000
    crowd = tuple(ParcelOfGoods(f"F{number}", "Lapas", (Item("Tas", 1, 10_000),)) for number in range(101))
    assert len(session_params(request_for(1_010_000, parcels=crowd))["line_items"]) == 1


def test_facility_codes_end_at_a_whole_one() -> None:
    crowd = tuple(ParcelOfGoods(f"F{number:04}", "Lapas", (Item("Tas", 1, 10_000),)) for number in range(200))
    codes = session_params(request_for(parcels=crowd))["metadata"]["facilities"]
    assert len(codes) <= 500
    assert all(len(code) == 5 for code in codes.split(","))


def test_an_address_that_stripe_finds_odd_stops_nobody(
    stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    request = request_for(email="ratna@büro.example")
    page = stripe_gateway.start(request)
    assert stripe_gateway.start(request) == page
    assert "customer_email" not in fake.calls("POST", "/checkout/sessions")[-1]["params"]
    assert stripe_gateway.look_up(page.reference).payment_id == request.id


# ── rupiah ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rupiah", [0, 1, 150_000, 9_999_999_999])
def test_rupiah_survive_the_way_there_and_back(rupiah: int) -> None:
    assert to_stripe(rupiah) == rupiah * 100
    assert whole(to_stripe(rupiah), "idr") == rupiah
    assert nearest(to_stripe(rupiah)) == rupiah


def test_a_part_of_a_rupiah_is_never_taken_for_what_was_asked() -> None:
    with pytest.raises(ValueError, match="no whole rupiah"):
        whole(80_500_140, "idr")
    assert whole(5_000, "usd") == 5_000
    assert [nearest(amount) for amount in (149, 150, -149, -150, 50, 49)] == [1, 2, -1, -2, 1, 0]


# ── what may go wrong on the way ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "fail", "status": 500},
        {"kind": "fail", "status": 429},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
    ],
)
def test_what_goes_wrong_once_is_tried_again_and_happens_once(
    stripe_gateway: StripeGateway, fake: FakeStripe, fault: dict[str, Any]
) -> None:
    request = request_for()
    fake.fail_next(path="/checkout/sessions", **fault)
    if fault.get("status") == 429:
        # Stripe says how it wants to be asked less; the library leaves that to us.
        with pytest.raises(GatewayUnavailable):
            stripe_gateway.start(request)
    page = stripe_gateway.start(request)
    assert stripe_gateway.look_up(request.id).reference == page.reference
    assert (
        len(
            {call["idempotency_key"] for call in fake.calls("POST", "/checkout/sessions")[-2:]} & {request.id}
        )
        == 1
    )


@pytest.mark.parametrize("fault", [{"kind": "fail", "status": 503}, {"kind": "drop_after"}])
def test_while_stripe_is_down_everything_says_so(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, fake: FakeStripe, fault: dict[str, Any]
) -> None:
    request = request_for()
    reference = stripe_gateway.start(request).reference
    stripe_side.pays(reference)
    other = request_for()
    fake.tell("faults", faults=[{"times": 1000, **fault}])
    ask: list[Callable[[], Any]] = [
        lambda: stripe_gateway.start(other),
        lambda: stripe_gateway.look_up(reference),
        lambda: stripe_gateway.expire(reference),
        lambda: stripe_gateway.refund(reference, 1, "refund:1"),
        lambda: list(stripe_gateway.events(now() - MINUTE)),
        lambda: list(stripe_gateway.balance_lines(now().date(), now().date())),
        lambda: list(stripe_gateway.payouts(now().date())),
        lambda: stripe_gateway.payout_lines("po_x"),
    ]
    for call in ask:
        with pytest.raises(GatewayUnavailable):
            call()
    fake.tell("faults", faults=[])
    # The answers were lost, or nothing was done: by the same key it happens once, either way.
    assert stripe_gateway.look_up(stripe_gateway.start(other).reference).payment_id == other.id


def test_a_stripe_that_does_not_answer_is_waited_for_no_longer_than_we_say(
    make_gateway: Callable[..., StripeGateway], fake: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (stripe_client.TIMEOUT, stripe_client.RETRIES) == (10, 2)
    monkeypatch.setattr(stripe_client, "TIMEOUT", 0.1)
    fake.tell("faults", faults=[{"kind": "slow", "seconds": 1, "times": 3, "path": "/checkout/sessions"}])
    begun = now()
    with pytest.raises(GatewayUnavailable):
        make_gateway().start(request_for())
    assert now() - begun < datetime.timedelta(seconds=3)


def test_a_wrong_key_is_said_without_saying_it(
    make_gateway: Callable[..., StripeGateway],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    key = "sk_test_wrong_key_zqzqzqzq"
    with pytest.raises(GatewayUnavailable) as caught:
        make_gateway(STRIPE_SECRET_KEY=key).start(request_for())
    said = f"{caught.value!r} {caught.value} {caught.value.__cause__} {capfd.readouterr()} {caplog.text}"
    assert "AuthenticationError" in said
    for secret in (key, key[-4:], "whsec", "ratna@contoh.id"):
        assert secret not in said


def test_a_page_that_would_live_too_short_is_not_opened(stripe_gateway: StripeGateway) -> None:
    request = request_for(expires_at=now() + 20 * MINUTE)
    with pytest.raises(TooLateToStart):
        stripe_gateway.start(request)
    with pytest.raises(LookupError):
        stripe_gateway.look_up(request.id)
    assert stripe_gateway.start(request_for(expires_at=now() + stripe_gateway.shortest_page)).url


def test_a_page_that_is_closed_meanwhile_is_not_given_out_again(stripe_gateway: StripeGateway) -> None:
    request = request_for()
    stripe_gateway.expire(stripe_gateway.start(request).reference)
    # The key still answers as it did, with a page that Stripe itself says is closed; under a changed request:
    with pytest.raises(TooLateToStart):
        stripe_gateway.start(request_for(id=request.id, locale="en"))


def test_a_request_that_reads_otherwise_gets_the_page_it_has(stripe_gateway: StripeGateway) -> None:
    """A link that was revoked changes the address to come back to; the payment still has one page."""
    request = request_for()
    page = stripe_gateway.start(request)
    changed = request_for(id=request.id, return_url="http://localhost/orders/KB-7Q2M-4XPA?token=new")
    assert stripe_gateway.start(changed) == page


def test_less_than_stripe_takes_is_refused_and_known_before(stripe_gateway: StripeGateway) -> None:
    assert not any(method.takes(8_000) for method in stripe_gateway.methods)
    with pytest.raises(ProviderRefused) as refused:
        stripe_gateway.start(request_for(8_000))
    assert refused.value.code == "amount_too_small"
    assert stripe_gateway.start(request_for(10_000)).url


def test_a_page_whose_time_is_over_is_expired(another_side: StripeProvider) -> None:
    reference = another_side.gateway.start(request_for()).reference
    another_side.fake.tell("clock", seconds=3_601)
    assert another_side.gateway.look_up(reference).state == "expired"
    (post,) = another_side.posts()
    assert another_side.gateway.read(post[1]).kind is EventKind.PAYMENT_EXPIRED


def test_a_refund_is_never_repeated_although_its_key_was_forgotten(another_side: StripeProvider) -> None:
    reference = another_side.gateway.start(request_for()).reference
    another_side.pays(reference)
    first = another_side.gateway.refund(reference, 100_000, "refund:1")
    another_side.fake.tell("clock", seconds=25 * 60 * 60)
    assert another_side.gateway.refund(reference, 100_000, "refund:1") == first
    assert len(another_side.fake.calls("POST", "/refunds")) == 1


def test_the_same_number_of_another_shop_on_the_account_is_another_refund(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway
) -> None:
    found = set()
    for amount in (100_000, 5_000):
        reference = stripe_gateway.start(request_for()).reference
        stripe_side.pays(reference)
        found.add(stripe_gateway.refund(reference, amount, "refund:1"))
    assert len(found) == 2


def test_a_disputed_payment_is_not_given_back(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway
) -> None:
    reference = stripe_gateway.start(request_for()).reference
    stripe_side.pays(reference)
    stripe_side.disputes(reference, 200_000)
    with pytest.raises(ProviderRefused) as refused:
        stripe_gateway.refund(reference, 100_000, "refund:3")
    assert refused.value.code == "disputed"


def test_a_slow_refund_is_pending_until_it_arrives(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    request = request_for()
    reference = stripe_gateway.start(request).reference
    fake.tell("pay", session=reference, method="gopay")
    key = f"refund:{request.id}"
    refund = stripe_gateway.refund(reference, 100_000, key)
    assert stripe_gateway.look_up_refund(reference, key).state == "pending"
    fake.tell("refunds/finish", refund=refund)
    assert stripe_gateway.look_up_refund(reference, key).state == "succeeded"
    read = [stripe_gateway.read(body) for _, body in stripe_side.posts()]
    own = [event.kind for event in read if event.payment_id == request.id]
    assert own == [
        EventKind.PAYMENT_SUCCEEDED,
        EventKind.REFUND_PENDING,
        EventKind.REFUND_SUCCEEDED,
        EventKind.REFUNDS_CHANGED,
    ]


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_fake_signs_as_the_official_library_verifies(
    stripe_side: StripeProvider, fake: FakeStripe
) -> None:
    stripe_side.pays(stripe_side.gateway.start(request_for()).reference)
    headers, body = stripe_side.posts()[-1]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], fake.webhook_secret)
    assert event["type"] == "checkout.session.completed"


def test_two_webhook_secrets_are_valid_at_once_and_then_the_new_one_alone(
    stripe_side: StripeProvider, make_gateway: Callable[..., StripeGateway], fake: FakeStripe
) -> None:
    body = b'{"id": "evt_1", "type": "x", "livemode": false}'
    headers = stripe_side.signs(body)
    both = make_gateway(STRIPE_WEBHOOK_SECRET=f"whsec_new, {fake.webhook_secret}")
    assert both.verify(headers, body).id == "evt_1"
    stamp = int(now().timestamp())
    new = stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_new", stamp)
    assert both.verify({"Stripe-Signature": new}, body).id == "evt_1"
    with pytest.raises(BadSignature):
        make_gateway(STRIPE_WEBHOOK_SECRET="whsec_new").verify(headers, body)


@pytest.mark.parametrize(("seconds", "is_good"), [(-290, True), (-310, False), (290, True), (310, False)])
def test_an_event_from_too_long_ago_or_from_the_future_is_refused(
    stripe_gateway: StripeGateway, fake: FakeStripe, seconds: int, is_good: bool
) -> None:
    body = '{"id": "evt_1", "type": "x"}'
    headers = fake.tell("sign", body=body, at=int(now().timestamp()) + seconds)
    if is_good:
        assert stripe_gateway.verify(headers, body.encode()).id == "evt_1"
    else:
        with pytest.raises(BadSignature):
            stripe_gateway.verify(headers, body.encode())


def test_an_event_of_the_other_mode_says_nothing(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, make_gateway: Callable[..., StripeGateway]
) -> None:
    stripe_side.pays(stripe_gateway.start(request_for()).reference)
    _, body = stripe_side.posts()[-1]
    live = json.dumps(json.loads(body) | {"livemode": True}).encode()
    for gateway, foreign in (
        (stripe_gateway, live),
        (make_gateway(DEMO="off", STRIPE_SECRET_KEY="sk_live_x", STRIPE_API_BASE="", **PRODUCTION), body),
    ):
        event = gateway.read(foreign)
        assert (event.kind, event.payment_id, event.capture_reference, event.amount) == (
            EventKind.OTHER_MODE,
            "",
            None,
            0,
        )


PRODUCTION = {"SECRET_KEY": "k", "BASE_URL": "https://shop.example"}


def test_an_inquiry_moves_no_money_until_it_becomes_a_dispute(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    reference = stripe_gateway.start(request_for()).reference
    stripe_side.pays(reference)
    intent = stripe_gateway.look_up(reference).capture_reference
    inquiry = fake.tell("disputes/open", intent=intent, inquiry=True)["id"]

    def of_inquiry() -> list[EventKind]:
        read = [stripe_gateway.read(body) for _, body in stripe_side.posts() if inquiry.encode() in body]
        return list(dict.fromkeys(event.kind for event in read))

    assert of_inquiry() == [EventKind.UNKNOWN]
    fake.tell("disputes/escalate", dispute=inquiry)
    assert of_inquiry() == [EventKind.UNKNOWN, EventKind.DISPUTE_OPENED]


def test_events_of_others_say_nothing(stripe_side: StripeProvider, stripe_gateway: StripeGateway) -> None:
    """Another use of the same account, and accounts that are connected to it."""
    reference = stripe_gateway.start(request_for()).reference
    stripe_side.pays(reference)
    event = json.loads(stripe_side.posts()[-1][1])
    connected = stripe_gateway.read(json.dumps(event | {"account": "acct_1"}).encode())
    assert (connected.kind, connected.payment_id) == (EventKind.UNKNOWN, "")
    event["data"]["object"] |= {"client_reference_id": None, "metadata": {}}
    foreign = stripe_gateway.read(json.dumps(event).encode())
    assert (foreign.payment_id, foreign.capture_reference) == ("", None)


def test_everything_that_we_read_is_asked_for(fake: FakeStripe, stripe_gateway: StripeGateway) -> None:
    list(stripe_gateway.events(now() - MINUTE))
    assert fake.calls("GET", "/events")[-1]["params"]["types"] == list(TYPES)
    assert len(TYPES) <= 20, "more are not taken at once"


# ── Stripe's own books ────────────────────────────────────────────────────────────────────────────────────


def test_parts_of_a_rupiah_add_up_to_stripes_own_sum(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, fake: FakeStripe
) -> None:
    intents = []
    for amount in (805_001, 10_007, 123_456_789):
        reference = stripe_gateway.start(request_for(amount, parcels=())).reference
        stripe_side.pays(reference)
        intents.append(stripe_gateway.look_up(reference).capture_reference)
    day = now().date()
    lines = [
        line
        for line in stripe_gateway.balance_lines(day - 1440 * MINUTE, day + 1440 * MINUTE)
        if line.capture_reference in intents
    ]
    assert len(lines) == 3
    own = sum(fake.tell("object", id=line.reference)["net"] for line in lines)
    assert sum(100 * line.net + line.hundredths for line in lines) == own
    assert any(line.hundredths for line in lines), "fees in per cent are seldom whole"
    assert all(abs(line.hundredths) <= 50 for line in lines)


def test_long_lists_are_read_to_their_end(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.payments.stripe_gateway.PAGE", 2)
    begun = now() - datetime.timedelta(seconds=2)
    own = []
    for _ in range(5):
        request = request_for()
        stripe_side.pays(stripe_gateway.start(request).reference)
        own.append(request.id)
    read = [stripe_gateway.read(event.body).payment_id for event in stripe_gateway.events(begun)]
    assert [payment_id for payment_id in read if payment_id in own] == own
    day = now().date()
    lines = stripe_gateway.balance_lines(day - 1440 * MINUTE, day + 1440 * MINUTE)
    assert [line.payment_id for line in lines if line.payment_id in own] == own


def test_a_fee_in_another_currency_is_not_guessed_at(
    stripe_side: StripeProvider, stripe_gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = stripe_gateway.start(request_for()).reference
    stripe_side.pays(reference)
    monkeypatch.setattr("storefront.payments.stripe_sessions.CURRENCY", "sgd")
    status = stripe_gateway.look_up(reference)
    assert (status.state, status.fee) == ("succeeded", None)
