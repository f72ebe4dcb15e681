"""Transfers at Stripe, without shop or database: once for each key, found again, refused, taken back."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from storefront.payments.connect import BalanceShort, TransferRequest
from storefront.payments.gateway import GatewayUnavailable, ProviderRefused
from storefront.payments.provider_books import LineKind
from storefront.payments.stripe_connect import StripeConnect
from storefront.payments.stripe_gateway import StripeGateway
from tests.payments.providers import request_for
from tests.stripe_fake.run import FakeStripe, fake_stripe

DAY = datetime.timedelta(days=1)


@pytest.fixture
def connect(fake: FakeStripe, tmp_path: Path) -> StripeConnect:
    values = {"VAR_DIR": str(tmp_path), "DEMO": "on", **fake.settings(), "STRIPE_CONNECT": "on"}
    return StripeConnect(Settings.from_env(values))


@pytest.fixture
def account(fake: FakeStripe) -> str:
    return str(fake.tell("accounts/open")["id"])


def captured(gateway: StripeGateway, fake: FakeStripe) -> TransferRequest:
    """A payment of 805.001 that was captured, and the wish to pass 100.000 of it on; the account is to be named."""
    request = request_for()
    reference = gateway.start(request).reference
    fake.tell("pay", session=reference)
    intent = str(gateway.look_up(reference).capture_reference)
    return TransferRequest(
        "facility_transfer:7",
        1,
        intent,
        "",
        100_000,
        request.order_number,
        {"payment": request.id, "facility": "TGG"},
    )


@pytest.fixture
def wish(make_gateway: Callable[..., StripeGateway], fake: FakeStripe, account: str) -> TransferRequest:
    return replace(captured(make_gateway(STRIPE_CONNECT="on"), fake), account=account)


def test_stripe_is_told_charge_order_account_and_our_key(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest
) -> None:
    made = connect.transfer(wish)
    (asked,) = fake.calls("POST", "/transfers")
    charge = fake.tell("object", id=wish.capture_reference)["latest_charge"]
    assert asked["params"] == {
        "amount": "10000000",
        "currency": "idr",
        "destination": wish.account,
        "source_transaction": charge,
        "transfer_group": wish.group,
        "metadata": {"key": wish.key, **wish.about},
    }
    assert asked["idempotency_key"] == f"{charge}:{wish.key}:1"
    assert made.reference.startswith("tr_")
    assert abs(made.at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    page = [call for call in fake.calls("POST", "/checkout/sessions") if not call["path"].endswith("expire")][
        -1
    ]
    assert page["params"]["payment_intent_data"]["transfer_group"] == wish.group


def test_pages_carry_no_group_while_transfers_are_off(
    make_gateway: Callable[..., StripeGateway], fake: FakeStripe
) -> None:
    make_gateway().start(request_for())
    assert (
        "transfer_group" not in fake.calls("POST", "/checkout/sessions")[-1]["params"]["payment_intent_data"]
    )


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "fail"])
def test_a_lost_answer_makes_no_second_transfer(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest, fault: str
) -> None:
    fake.tell("faults", faults=[{"kind": fault, "path": "/transfers", "method": "POST", "times": 3}])
    with pytest.raises(GatewayUnavailable):
        connect.transfer(wish)
    fake.tell("faults", faults=[])
    made = connect.transfer(wish)
    assert connect.transfer(replace(wish, attempt=2)) == made
    assert fake.tell("object", id=wish.account)["balance"] == 10_000_000


@pytest.fixture
def another_fake() -> Iterator[FakeStripe]:
    """One for a test alone, whose clock may be put forward."""
    with fake_stripe() as fake:
        yield fake


def test_it_is_found_by_our_key_when_stripe_has_forgotten_it(
    another_fake: FakeStripe, make_gateway: Callable[..., StripeGateway], tmp_path: Path
) -> None:
    settings = {"VAR_DIR": str(tmp_path), "DEMO": "on", **another_fake.settings()}
    connect = StripeConnect(Settings.from_env(settings))
    wish = replace(
        captured(make_gateway(**another_fake.settings()), another_fake),
        account=another_fake.tell("accounts/open")["id"],
    )
    made = connect.transfer(wish)
    back = connect.reverse(made.reference, 40_000, "transfer_reversal:3", 1)
    another_fake.tell("clock", seconds=26 * 60 * 60)
    assert connect.transfer(wish) == made
    assert connect.reverse(made.reference, 40_000, "transfer_reversal:3", 1) == back
    assert another_fake.tell("object", id=wish.account)["balance"] == 6_000_000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account": "acct_unknownunknown"}, "no_such_account"),
        ({"amount": 805_002}, "invalid_request"),
    ],
)
def test_what_stripe_refuses_is_refused(
    connect: StripeConnect, wish: TransferRequest, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(ProviderRefused) as refusal:
        connect.transfer(replace(wish, **change))
    assert refusal.value.code == code
    assert "acct_" not in str(refusal.value), "codes alone, never Stripe's sentences"


def test_all_transfers_of_a_charge_are_no_more_than_it(connect: StripeConnect, wish: TransferRequest) -> None:
    connect.transfer(replace(wish, amount=800_000))
    with pytest.raises(ProviderRefused):
        connect.transfer(replace(wish, key="facility_transfer:8", amount=5_002))
    connect.transfer(replace(wish, key="facility_transfer:9", amount=5_001))


def test_a_no_is_remembered_by_stripe_so_another_try_has_another_key(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest
) -> None:
    closed = fake.tell("accounts/open", can_receive=False)["id"]
    refused = replace(wish, account=closed)
    with pytest.raises(ProviderRefused) as refusal:
        connect.transfer(refused)
    assert refusal.value.code == "insufficient_capabilities_for_transfer"
    fake.tell("accounts/allow", account=closed)
    with pytest.raises(ProviderRefused):
        connect.transfer(refused)
    assert connect.transfer(replace(refused, attempt=2)).reference.startswith("tr_")


def test_another_transfer_by_our_key_is_never_taken_for_ours(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest
) -> None:
    connect.transfer(wish)
    with pytest.raises(ProviderRefused) as refusal:
        connect.transfer(replace(wish, amount=100_001))
    assert refusal.value.code == "same_key"


def test_a_reversal_happens_once_and_no_more_than_was_transferred(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest
) -> None:
    made = connect.transfer(wish)
    fake.tell("faults", faults=[{"kind": "drop_after", "path": "/reversals", "method": "POST", "times": 3}])
    with pytest.raises(GatewayUnavailable):
        connect.reverse(made.reference, 30_000, "transfer_reversal:1", 1)
    fake.tell("faults", faults=[])
    once = connect.reverse(made.reference, 30_000, "transfer_reversal:1", 1)
    assert once == connect.reverse(made.reference, 30_000, "transfer_reversal:1", 1)
    assert fake.tell("object", id=wish.account)["balance"] == 7_000_000
    with pytest.raises(ProviderRefused):
        connect.reverse(made.reference, 70_001, "transfer_reversal:2", 1)
    with pytest.raises(LookupError):
        connect.reverse("tr_unknown", 1, "transfer_reversal:2", 1)


def test_an_account_that_holds_too_little_is_no_refusal_for_good(
    connect: StripeConnect, fake: FakeStripe, wish: TransferRequest
) -> None:
    made = connect.transfer(wish)
    fake.tell("accounts/empty", account=wish.account)
    with pytest.raises(BalanceShort):
        connect.reverse(made.reference, 30_000, "transfer_reversal:1", 1)


def test_stripes_books_name_our_keys(
    connect: StripeConnect, make_gateway: Callable[..., StripeGateway], wish: TransferRequest
) -> None:
    made = connect.transfer(wish)
    back = connect.reverse(made.reference, 30_000, "transfer_reversal:1", 1)
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        line
        for line in make_gateway().balance_lines(today - DAY, today + DAY)
        if line.transfer_reference in (made.reference, back.reference)
    ]
    assert [(line.kind, line.amount, line.fee, line.transfer_key) for line in lines] == [
        (LineKind.TRANSFER, -100_000, 0, wish.key),
        (LineKind.TRANSFER, 30_000, 0, "transfer_reversal:1"),
    ]
