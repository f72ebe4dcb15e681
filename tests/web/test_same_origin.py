"""A request that changes something must come from our own pages; pages carry no token for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf


@pytest.fixture(scope="module")
def changing_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app()

    @app.post("/change")
    @app.post("/api/v1/change")
    @app.post("/webhooks/change")
    @app.post("/sandbox/change")
    @app.post("/api/change")
    def change() -> str:
        return "changed"

    @app.get("/token")
    def token() -> str:
        return generate_csrf()

    @app.get("/sign-in")
    def sign_in() -> str:
        session["person"] = 1
        return "in"

    return app


@pytest.fixture
def browser(changing_app: Flask, database: object) -> FlaskClient:
    return changing_app.test_client()


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        # Sec-Fetch-Site decides alone when it is there.
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:80"}, True),
        ({"Origin": "http://LOCALHOST"}, True),
        ({"Origin": "http://localhost:8000"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://evil.example/?localhost"}, False),
        ({"Origin": "http://user@localhost"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://[bad"}, False),
        ({}, True),
    ],
)
def test_where_a_change_may_come_from(browser: FlaskClient, headers: dict[str, str], allowed: bool) -> None:
    answer = browser.post("/change", headers=headers)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert (
            browser.post("/change", headers=headers | {"Accept": "application/json"}).json["code"]
            == "cross_origin"
        )


def test_port_is_part_of_the_own_host(browser: FlaskClient) -> None:
    own = {"Origin": "http://127.0.0.1:8123"}
    assert browser.post("/change", headers=own, base_url="http://127.0.0.1:8123").status_code == 200
    assert browser.post("/change", headers=own, base_url="http://127.0.0.1:8124").status_code == 403


def test_session_without_origin_needs_a_token(browser: FlaskClient) -> None:
    browser.get("/sign-in")
    assert browser.post("/change").status_code == 403
    assert browser.post("/change", data={"csrf_token": "guessed"}).status_code == 403
    token = browser.get("/token").text
    assert browser.post("/change", data={"csrf_token": token}).status_code == 200
    assert browser.post("/change", headers={"X-CSRFToken": token}).status_code == 200


def test_session_cookie_that_is_garbage_counts_as_one(browser: FlaskClient) -> None:
    browser.set_cookie("session", "garbage")
    assert browser.post("/change").status_code == 403


def test_token_of_another_session_does_not_help(changing_app: Flask, database: object) -> None:
    mine, other = changing_app.test_client(), changing_app.test_client()
    mine.get("/sign-in")
    assert mine.post("/change", data={"csrf_token": other.get("/token").text}).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/change", "/webhooks/change", "/sandbox/change"])
def test_addresses_without_cookies_may_be_called_from_anywhere(browser: FlaskClient, path: str) -> None:
    browser.get("/sign-in")
    assert browser.post(path, headers={"Origin": "https://evil.example"}).status_code == 200
    assert browser.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_only_version_one_of_the_api_is_exempt(browser: FlaskClient) -> None:
    assert browser.post("/api/change", headers={"Origin": "https://evil.example"}).status_code == 403


def test_forwarded_host_counts_only_behind_a_trusted_proxy(make_app: Callable[..., Flask]) -> None:
    headers = {"Origin": "http://shop.example", "X-Forwarded-Host": "shop.example"}
    for hops, status in (("0", 403), ("1", 404)):
        client = make_app(TRUSTED_PROXIES=hops).test_client()
        assert client.delete("/tidak-ada", headers=headers).status_code == status


def test_reading_is_free_for_all(browser: FlaskClient) -> None:
    assert browser.get("/healthz", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
