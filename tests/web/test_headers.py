"""What every answer carries, and what static files and long pages look like on the wire."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable

import brotli
import pytest
import zstandard
from flask import Flask, Response
from flask.testing import FlaskClient

from storefront.web import cacheable

PAGE = "<p>Kursi rotan dari bengkel kayu</p>" * 100


@pytest.fixture(scope="module")
def page_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app()
    app.add_url_rule("/page", view_func=lambda: cacheable(PAGE), endpoint="page")
    app.add_url_rule("/short", view_func=lambda: "<p>pendek</p>", endpoint="short")
    app.add_url_rule("/orders/<number>", view_func=lambda number: number, endpoint="an_order")
    chunks = [f"{number},kursi\n" * 50 for number in range(200)]
    app.add_url_rule(
        "/stream", view_func=lambda: Response(iter(chunks), mimetype="text/csv"), endpoint="stream"
    )
    return app


@pytest.fixture
def browser(page_app: Flask, database: object) -> FlaskClient:
    return page_app.test_client()


def test_security_headers(browser: FlaskClient) -> None:
    headers = browser.get("/page").headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "form-action 'self'" in policy
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Strict-Transport-Security" not in headers


def test_order_pages_tell_nobody_where_one_came_from(browser: FlaskClient) -> None:
    headers = browser.get("/orders/ABC").headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("same-origin", "no-store")


def test_public_page_touches_no_session(browser: FlaskClient) -> None:
    headers = browser.get("/page").headers
    assert "Set-Cookie" not in headers
    assert headers["Vary"] == "Accept-Encoding"
    assert "public" in headers["Cache-Control"]


def test_outside_the_demo(make_app: Callable[..., Flask]) -> None:
    app = make_app(
        DEMO="off",
        BASE_URL="https://shop.example",
        PAYMENT_GATEWAY="stripe",
        STRIPE_SECRET_KEY="sk_test",
        STRIPE_WEBHOOK_SECRET="whsec",
    )
    headers = app.test_client().get("/healthz").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "X-Robots-Tag" not in headers
    assert "https://checkout.stripe.com" in headers["Content-Security-Policy"]
    assert app.config["SESSION_COOKIE_NAME"] == "__Host-session"
    assert app.config["SESSION_COOKIE_SECURE"]


def test_forms_may_lead_to_the_page_of_a_fake_stripe(make_app: Callable[..., Flask]) -> None:
    app = make_app(
        PAYMENT_GATEWAY="stripe", STRIPE_SECRET_KEY="sk_test", STRIPE_WEBHOOK_SECRET="whsec",
        STRIPE_API_BASE="http://127.0.0.1:8420",
    )  # fmt: skip
    policy = app.test_client().get("/healthz").headers["Content-Security-Policy"]
    (forms,) = [part for part in policy.split("; ") if part.startswith("form-action")]
    assert forms.split()[1:] == [
        "'self'", "http://localhost", "https://checkout.stripe.com", "http://127.0.0.1:8420",
    ]  # fmt: skip


def test_every_answer_and_log_line_has_the_request_id(
    browser: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = next(h for h in logging.getLogger().handlers if getattr(h, "of_storefront", False))
    lines: list[str] = []
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    try:
        answer = browser.get("/page?token=secret-token")
    finally:
        del handler.emit  # type: ignore[method-assign]
    events = [json.loads(line) for line in lines]
    assert events[-1]["request_id"] == answer.headers["X-Request-ID"]
    assert events[-1]["status"] == 200
    assert "secret-token" not in "".join(lines)


def test_request_id_is_taken_from_a_trusted_proxy_alone(make_app: Callable[..., Flask]) -> None:
    given = {"X-Request-ID": "from-the-proxy-1"}
    assert (
        make_app().test_client().get("/healthz", headers=given).headers["X-Request-ID"] != "from-the-proxy-1"
    )
    trusting = make_app(TRUSTED_PROXIES="1").test_client()
    assert trusting.get("/healthz", headers=given).headers["X-Request-ID"] == "from-the-proxy-1"
    odd = {"X-Request-ID": 'x"\tinjected: 1'}
    assert trusting.get("/healthz", headers=odd).headers["X-Request-ID"] != odd["X-Request-ID"]


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("zstd;q=0, br", "br"),
        ("", None),
    ],
)
def test_long_text_is_compressed(browser: FlaskClient, accept: str, encoding: str | None) -> None:
    undo = {
        "zstd": lambda data: zstandard.ZstdDecompressor().decompress(data, max_output_size=1_000_000),
        "br": brotli.decompress,
        "gzip": gzip.decompress,
        None: bytes,
    }[encoding]
    answer = browser.get("/page", headers={"Accept-Encoding": accept})
    assert answer.headers.get("Content-Encoding") == encoding
    assert undo(answer.data).decode() == PAGE
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_short_text_is_not_compressed(browser: FlaskClient) -> None:
    assert "Content-Encoding" not in browser.get("/short", headers={"Accept-Encoding": "br"}).headers


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
def test_streams_are_compressed_as_they_flow(browser: FlaskClient, encoding: str) -> None:
    plain = browser.get("/stream").data
    answer = browser.get("/stream", headers={"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    if encoding == "zstd":
        found = zstandard.ZstdDecompressor().decompressobj().decompress(answer.data)
    else:
        found = brotli.decompress(answer.data) if encoding == "br" else gzip.decompress(answer.data)
    assert found == plain


def test_reader_with_the_same_page_gets_304(browser: FlaskClient) -> None:
    for accept in ("br", "identity"):
        first = browser.get("/page", headers={"Accept-Encoding": accept})
        again = browser.get(
            "/page", headers={"If-None-Match": first.headers["ETag"], "Accept-Encoding": accept}
        )
        assert (again.status_code, again.data) == (304, b"")


def test_static_files_have_hashed_names_and_stay_for_a_year(browser: FlaskClient, page_app: Flask) -> None:
    address = page_app.jinja_env.globals["asset"]("css/app.css")
    assert address != "/static/css/app.css"
    answer = browser.get(address, headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "br"
    assert browser.get("/static/css/app.css").status_code == 404
