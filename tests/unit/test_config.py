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
