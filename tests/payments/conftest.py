"""The fake of Stripe, a shop that pays through it, and each provider for the contract suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from stripe import HTTPClient

from config import Settings
from storefront.payments.stripe_gateway import StripeGateway
from tests.clones import Clone
from tests.payments.connecting import (  # noqa: F401 - fixtures
    connect_app,
    own_fake,
    running_own_fake,
    shared_connect_app,
    shop,
)
from tests.payments.providers import PROVIDERS, Provider, StripeProvider
from tests.stripe_fake.run import FakeStripe, fake_stripe


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakeStripe]:
    """One fake for this worker; its objects stay, so tests look for their own."""
    # Between its tries the library waits half a second; the promise is that it tries, not how patiently.
    HTTPClient.INITIAL_DELAY = 0.01
    with fake_stripe() as fake:
        yield fake


@pytest.fixture
def fake(running_fake: FakeStripe) -> Iterator[FakeStripe]:
    """The fake, well again after the test, and without memory of what was asked before it."""
    running_fake.tell("calls/forget")
    yield running_fake
    running_fake.tell("faults", faults=[])
    running_fake.tell("delivery", url=None, manner="at_once")


@pytest.fixture(scope="session")
def stripe_shop(running_fake: FakeStripe, make_app: Callable[..., Flask]) -> Flask:
    """A shop on this worker's database that takes money through the fake; the sandbox is in use too."""
    return make_app(**running_fake.settings())


@pytest.fixture
def app(stripe_shop: Flask, fake: FakeStripe, database: Clone) -> Flask:
    """That shop on a clean database."""
    return stripe_shop


@pytest.fixture
def make_gateway(fake: FakeStripe, tmp_path: Path) -> Callable[..., StripeGateway]:
    """Stripe's gateway on the fake, alone: it needs neither shop nor database."""

    def make(**env: str) -> StripeGateway:
        values = {"VAR_DIR": str(tmp_path), "DEMO": "on", **fake.settings(), **env}
        return StripeGateway(Settings.from_env(values))

    return make


@pytest.fixture
def stripe_side(make_gateway: Callable[..., StripeGateway], fake: FakeStripe) -> StripeProvider:
    """Stripe with its other side."""
    return StripeProvider(make_gateway(), fake)


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    """Each gateway in turn, with its other side."""
    if request.param == "stripe":
        found: Provider = request.getfixturevalue("stripe_side")
        return found
    request.getfixturevalue("db_session")
    own: Provider = PROVIDERS[request.param]()
    return own
