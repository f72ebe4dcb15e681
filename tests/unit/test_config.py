"""Settings are understood or refused, never guessed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import ConfigError, Settings, shared_secret, sqlalchemy_url

PRODUCTION = {
    "SECRET_KEY": "k",
    "BASE_URL": "https://shop.example",
    "PAYMENT_GATEWAY": "stripe",
    "STRIPE_SECRET_KEY": "sk",
    "STRIPE_WEBHOOK_SECRET": "whsec",
}


def settings(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_env({"VAR_DIR": str(tmp_path), **env})


def refusal(tmp_path: Path, **env: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, **env)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "value"), [("on", True), ("1", True), ("TRUE", True), ("off", False), ("0", False)]
)
def test_switches_take_several_words(tmp_path: Path, word: str, value: bool) -> None:
    assert settings(tmp_path, DEMO="on", BANK_TRANSFER=word).bank_transfer is value


def test_switch_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    assert "DEMO" in refusal(tmp_path, DEMO="yes please")


def test_production_without_secret_key_is_refused(tmp_path: Path) -> None:
    assert "SECRET_KEY" in refusal(tmp_path, **PRODUCTION | {"SECRET_KEY": ""})


def test_production_on_the_sandbox_is_refused(tmp_path: Path) -> None:
    assert "sandbox" in refusal(tmp_path, **PRODUCTION | {"PAYMENT_GATEWAY": "sandbox"})


def test_production_on_plain_http_is_refused(tmp_path: Path) -> None:
    assert "BASE_URL" in refusal(tmp_path, **PRODUCTION | {"BASE_URL": "http://shop.example"})


def test_stripe_without_webhook_secret_is_refused(tmp_path: Path) -> None:
    assert "STRIPE_WEBHOOK_SECRET" in refusal(tmp_path, **PRODUCTION | {"STRIPE_WEBHOOK_SECRET": ""})


@pytest.mark.parametrize("missing", ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
@pytest.mark.parametrize("value", ["", " ", ","])
def test_stripe_without_key_or_secret_is_refused_in_the_demo_too(tmp_path: Path, missing: str, value: str) -> None:
    if (missing, value) == ("STRIPE_SECRET_KEY", ","):
        value = ""
    given = PRODUCTION | {"DEMO": "on", missing: value}
    assert f"needs {missing}" in refusal(tmp_path, **given)


@pytest.mark.parametrize("key", ["sk_live_123456", "rk_live_123456"])
@pytest.mark.parametrize("gateway", ["stripe", "sandbox"])
def test_a_live_key_is_refused_while_the_demo_is_on(tmp_path: Path, key: str, gateway: str) -> None:
    live = PRODUCTION | {"STRIPE_SECRET_KEY": key}
    said = refusal(tmp_path, **live | {"DEMO": "on", "PAYMENT_GATEWAY": gateway})
    assert "live key" in said
    assert "123456" not in said
    assert settings(tmp_path, **live).stripe_is_live
    assert not settings(tmp_path, **PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_1"}).stripe_is_live


def test_a_live_key_is_sent_to_stripe_alone(tmp_path: Path) -> None:
    elsewhere = {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:8420"}
    assert "STRIPE_API_BASE" in refusal(tmp_path, **PRODUCTION | elsewhere)


def test_transfers_to_facilities_are_off_unless_switched_on(tmp_path: Path) -> None:
    assert not settings(tmp_path, **PRODUCTION).stripe_connect
    assert not settings(tmp_path, **PRODUCTION | {"STRIPE_CONNECT": "off"}).stripe_connect
    assert settings(tmp_path, **PRODUCTION | {"STRIPE_CONNECT": "on"}).stripe_connect


@pytest.mark.parametrize("missing", ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
def test_transfers_to_facilities_need_stripe(tmp_path: Path, missing: str) -> None:
    beside = PRODUCTION | {"DEMO": "on", "PAYMENT_GATEWAY": "sandbox", "STRIPE_CONNECT": "on"}
    assert settings(tmp_path, **beside).stripe_connect, "what was paid through Stripe before can be transferred"
    said = refusal(tmp_path, **beside | {missing: ""})
    assert said.startswith("STRIPE_CONNECT=on")
    assert missing in said


def test_a_publishable_key_is_refused(tmp_path: Path) -> None:
    assert "publishable" in refusal(tmp_path, **PRODUCTION | {"STRIPE_SECRET_KEY": "pk_test_1"})


@pytest.mark.parametrize("address", ["127.0.0.1:8420", "ftp://x", "http://x/v1"])
def test_an_address_of_the_fake_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    assert "STRIPE_API_BASE" in refusal(tmp_path, **PRODUCTION | {"STRIPE_API_BASE": address})


def test_two_webhook_secrets_may_be_valid(tmp_path: Path) -> None:
    found = settings(tmp_path, **PRODUCTION | {"STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old,"})
    assert found.stripe_webhook_secrets == ("whsec_new", "whsec_old")


def test_ways_to_pay_are_named_in_the_order_given(tmp_path: Path) -> None:
    assert settings(tmp_path, **PRODUCTION).stripe_methods == ("card", "qris", "gopay")
    assert settings(tmp_path, **PRODUCTION, STRIPE_METHODS="GoPay, card").stripe_methods == ("gopay", "card")
    assert "STRIPE_METHODS" in refusal(tmp_path, **PRODUCTION, STRIPE_METHODS="card,cash")


def test_settings_that_are_shown_hide_their_secrets(tmp_path: Path) -> None:
    shown = repr(settings(tmp_path, **PRODUCTION | {"SECRET_KEY": "hidden1", "STRIPE_SECRET_KEY": "hidden2",
                                                    "STRIPE_WEBHOOK_SECRET": "hidden3"}))  # fmt: skip
    assert "hidden" not in shown


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, PAYMENT_GATEWAY="cash", TRUSTED_PROXIES="-1", DATABASE_URL="mysql://x/y")
    for name in ("SECRET_KEY", "PAYMENT_GATEWAY", "TRUSTED_PROXIES", "DATABASE_URL"):
        assert name in said


def test_safe_production_starts_and_keeps_no_secret_on_disk(tmp_path: Path) -> None:
    found = settings(tmp_path, **PRODUCTION)
    assert (found.demo, found.session_cookie, found.secure) == (False, "__Host-session", True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_address_in_any_spelling(tmp_path: Path, scheme: str) -> None:
    found = settings(tmp_path, DEMO="on", DATABASE_URL=f"{scheme}://a:b@c/d?sslmode=require")
    assert found.database_url == "postgresql://a:b@c/d?sslmode=require"
    assert found.database_owner_url == found.database_direct_url == found.database_url
    assert sqlalchemy_url(found.database_url) == "postgresql+psycopg://a:b@c/d?sslmode=require"
    assert not found.behind_pooler


def test_demo_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(12) as pool:
        secrets = set(pool.map(lambda _: shared_secret(tmp_path, "secret-key"), range(24)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 40
    assert settings(tmp_path, DEMO="on").secret_key == shared_secret(tmp_path, "secret-key")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_demo_address_follows_host_and_port(tmp_path: Path) -> None:
    assert settings(tmp_path, DEMO="on", PORT="8001").base_url == "http://127.0.0.1:8001"
    assert settings(tmp_path, DEMO="on", HOST="0.0.0.0").base_url == "http://127.0.0.1:8000"


def test_a_command_beside_the_demo_knows_that_it_is_one(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    assert Settings.from_env({"VAR_DIR": str(tmp_path)}).demo
    with pytest.raises(ConfigError):
        Settings.from_env({"VAR_DIR": str(tmp_path), "DEMO": "off"})
    with pytest.raises(ConfigError):
        Settings.from_env({"VAR_DIR": str(tmp_path), "DATABASE_URL": "postgresql://x@localhost/x"})
