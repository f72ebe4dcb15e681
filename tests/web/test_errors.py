"""People get a page in their language with a way on, scripts get problem+json; nothing of the inside shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.errors import OutOfStock
from storefront.extensions import db


@pytest.fixture(scope="module")
def broken_app(make_app: Callable[..., Flask]) -> Flask:
    """The shop with addresses that fail in several ways."""
    app = make_app()

    @app.get("/api/v1/broken/<kind>")
    @app.get("/broken/<kind>")
    def broken(kind: str) -> str:
        if kind == "rule":
            raise OutOfStock([{"sku": "BGL-KRS-01", "wanted": 3, "available": 1}])
        if kind == "constraint":
            db.session.execute(text("INSERT INTO funds SELECT * FROM funds"))
        if kind == "query":
            db.session.execute(text("SELECT secret_column FROM nowhere"))
        raise RuntimeError("inside story")

    return app


@pytest.fixture
def broken(broken_app: Flask, database: object) -> FlaskClient:
    return broken_app.test_client()


def test_script_gets_problem_json_with_stable_code(broken: FlaskClient) -> None:
    answer = broken.get("/api/v1/broken/rule")
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert answer.json["code"] == "out_of_stock"
    assert answer.json["lines"][0]["available"] == 1
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_accept_header_asks_for_json(broken: FlaskClient) -> None:
    assert broken.get("/broken/rule", headers={"Accept": "application/json"}).is_json
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert broken.get("/broken/rule", headers=browser).mimetype == "text/html"
    assert broken.get("/broken/rule", headers={"Accept": "*/*"}).mimetype == "text/html"


@pytest.mark.parametrize("kind", ["constraint", "query", "other"])
def test_nothing_of_the_inside_is_shown(broken: FlaskClient, kind: str) -> None:
    for path in (f"/broken/{kind}", f"/api/v1/broken/{kind}"):
        answer = broken.get(path)
        assert answer.status_code == 500
        assert answer.headers["X-Request-ID"] in answer.text
        for secret in ("inside story", "secret_column", "funds", "psycopg", "Traceback"):
            assert secret not in answer.text


def test_page_speaks_the_language_of_the_address(broken: FlaskClient) -> None:
    missing = broken.get("/tidak-ada")
    assert missing.status_code == 404
    assert "Tidak ditemukan" in missing.text
    assert 'href="/"' in missing.text or "href='/'" in missing.text
    english = broken.get("/en/tidak-ada")
    assert 'href="/en/"' in english.text or "href='/en/'" in english.text


def test_errors_are_never_cached(broken: FlaskClient) -> None:
    assert broken.get("/broken/other").headers["Cache-Control"] == "no-store"


def test_wrong_method_names_the_allowed_ones(client: FlaskClient) -> None:
    answer = client.post("/healthz")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("address", "above"),
    [
        ("/finance/refunds/7/approve", "/finance/refunds/7"),
        ("/en/seller/PKL/parcels/9/packed?state=to_pack&q=a%20b", "/en/seller/PKL/parcels/9?state=to_pack&q=a%20b"),
        ("/seller/PKL/switch-off", None),
        ("/logout", None),
    ],
)
def test_address_of_a_form_opened_again_leads_to_its_page(client: FlaskClient, address: str, above: str | None) -> None:
    answer = client.get(address)
    assert answer.headers.get("Location") == above
    assert answer.status_code == (302 if above else 404 if "switch" in address else 405)


def test_programs_are_told_the_method_instead(client: FlaskClient) -> None:
    assert client.get("/finance/refunds/7/approve", headers={"Accept": "application/json"}).status_code == 405
    assert client.put("/cart").status_code == 405


def test_database_that_is_away_gives_503_with_a_way_on(make_app: Callable[..., Flask]) -> None:
    app = make_app(DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/none")

    @app.get("/reads")
    def reads() -> str:
        return str(db.session.execute(text("SELECT 1")).scalar())

    client = app.test_client()
    answer = client.get("/reads")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_session_stays_usable_after_a_refused_statement(broken: FlaskClient, db_session: Session) -> None:
    broken.get("/broken/constraint")
    assert broken.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/products/a%00b",
        "/facilities/%00",
        "/orders/KB-0000-0000%00",
        "/p/%00",
        "/products?q=%00&page=9&category=%00",
    ],
)
def test_signs_that_cannot_be_stored_are_no_crash(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in (200, 404)


def test_a_form_with_a_nul_sign_is_told_what_to_do(client: FlaskClient) -> None:
    assert client.post("/cart/lines", data={"sku": "A\x00", "quantity": "1"}).status_code in (404, 422)
