"""DEMO off means: no account whose password everybody knows."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask

from config import ConfigError

PRODUCTION = {
    "DEMO": "off",
    "BASE_URL": "https://shop.example",
    "PAYMENT_GATEWAY": "stripe",
    "STRIPE_SECRET_KEY": "sk_test",
    "STRIPE_WEBHOOK_SECRET": "whsec",
}


@pytest.mark.parametrize(
    ("email", "is_demo"), [("finance@demo.test", False), ("somebody@office.example", True)]
)
def test_demo_accounts_left_in_the_database_are_named(
    make_app: Callable[..., Flask], owner_connection: psycopg.Connection, email: str, is_demo: bool
) -> None:
    make_app(**PRODUCTION)
    owner_connection.execute(
        "INSERT INTO people (email, name, password_hash, is_demo) VALUES (%s, 'x', 'x', %s)", [email, is_demo]
    )
    owner_connection.commit()
    with pytest.raises(ConfigError, match=email):
        make_app(**PRODUCTION)
    make_app(DEMO="on")


def test_database_away_at_start_serves_nothing_before_the_check(make_app: Callable[..., Flask]) -> None:
    app = make_app(**PRODUCTION, DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/none")
    answer = app.test_client().get("/healthz", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
