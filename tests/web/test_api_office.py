"""The API for the office's other systems: tokens, sales page by page, statements, facilities."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import days
from storefront.blueprints.api import bearer as bearing
from storefront.exports.columns import SALES
from storefront.extensions import db
from storefront.integrations import tokens
from storefront.integrations.models import ApiToken
from tests.factories import make_paid_order, make_person
from tests.schema import breaks
from tests.selling import Shop, open_shop
from tests.staff import make_account, sign_in
from tests.tokens import bearer, make_token

DAYS = {"from": "2000-01-01", "to": "2999-12-31"}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def sold(shop: Shop, pieces: int = 1) -> str:
    """The number of a paid order of two facilities, committed."""
    number: str = make_paid_order((shop.chair, pieces), (shop.batik, 1)).number
    db.session.commit()
    return number


def sales(client: FlaskClient, token: str, **more: Any) -> Any:
    headers = {**bearer(token), **more.pop("headers", {})}
    db.session.commit()
    return client.get("/api/v1/sales", query_string={**DAYS, **more}, headers=headers)


def test_sales_come_page_by_page_as_they_stood_when_the_first_was_read(shop: Shop, client: FlaskClient) -> None:
    orders = [sold(shop) for _ in range(3)]
    token = make_token("sales:read")
    first = sales(client, token, limit=2)
    assert first.status_code == 200, first.text
    assert list(first.json["items"][0]) == sorted(column.name for column in SALES)
    later = sold(shop)
    # Booked now, and sold long before all others.
    db.session.execute(text("UPDATE orders SET paid_at = '2020-01-01T00:00Z' WHERE number = :n"), {"n": later})
    db.session.commit()
    seen, page = list(first.json["items"]), first
    while page.json["next"]:
        page = sales(client, token, limit=2, after=page.json["next"])
        assert page.json["as_of"] == first.json["as_of"]
        seen += page.json["items"]
    assert [row["order_number"] for row in seen] == [number for number in orders for _ in range(2)]
    assert len({row["line_id"] for row in seen}) == 6
    # What came since is asked for by the moment of the last time: nothing is missed, nothing comes twice.
    new = sales(client, token, booked_after=first.json["as_of"]).json
    assert {row["order_number"] for row in new["items"]} == {later}
    assert sales(client, token, booked_after=new["as_of"]).json["items"] == []


def test_the_rows_are_those_of_the_reporting_view(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    sold(shop)
    (row, other) = sales(client, make_token()).json["items"]
    query = text("SELECT * FROM reporting.sales ORDER BY paid_at, line_id LIMIT 1")
    kept = db_session.execute(query).mappings().one()
    assert datetime.datetime.fromisoformat(row.pop("paid_at")) == kept["paid_at"]
    assert row == {name: value for name, value in kept.items() if name != "paid_at"}
    assert other["net_amount"] == 100_000


def test_an_etag_says_that_nothing_has_come_to_any_page(shop: Shop, client: FlaskClient) -> None:
    sold(shop)
    token = make_token()
    for more in ({}, {"limit": 1}):
        first = sales(client, token, **more)
        assert first.headers["Cache-Control"] == "private, no-cache"
        known = {"If-None-Match": first.headers["ETag"]}
        again = sales(client, token, **more, headers=known)
        assert (again.status_code, again.data) == (304, b"")
        # The first page of one row says the same as before, and what lies behind it does not.
        sold(shop)
        assert sales(client, token, **more, headers=known).status_code == 200


def test_pages_of_a_moment_that_is_past_never_change(shop: Shop, client: FlaskClient) -> None:
    sold(shop)
    token = make_token()
    following = sales(client, token, limit=1).json["next"]
    page = sales(client, token, limit=1, after=following)
    sold(shop)
    known = {"If-None-Match": page.headers["ETag"]}
    assert sales(client, token, limit=1, after=following, headers=known).status_code == 304


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-11-30", "to": "2026-11-01"}, "bad_range"),
        ({"from": "30-11-2026"}, "invalid"),
        ({"to": "2026-02-30"}, "invalid"),
        ({"to": ""}, "invalid"),
        ({"limit": "0"}, "invalid"),
        ({"limit": "1001"}, "invalid"),
        ({"limit": "sepuluh"}, "invalid"),
        ({"booked_after": "kemarin"}, "invalid"),
        ({"after": "x"}, "bad_cursor"),
        ({"after": "WyIyMDI2Il0.é"}, "bad_cursor"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(
    shop: Shop, client: FlaskClient, query: dict[str, str], code: str
) -> None:
    refused = sales(client, make_token(), **query)
    assert (refused.status_code, refused.json["code"]) == (422, code), refused.text
    assert refused.mimetype == "application/problem+json"
    assert refused.json["detail"].endswith(".")


def test_a_page_belongs_to_its_filters(shop: Shop, client: FlaskClient) -> None:
    sold(shop)
    token = make_token()
    following = sales(client, token, limit=1).json["next"]
    assert sales(client, token, after=following, to="2999-12-30").json["code"] == "bad_cursor"
    assert sales(client, token, after=following, facility="PKL").json["code"] == "bad_cursor"


def test_a_token_reads_within_its_facilities_alone(shop: Shop, client: FlaskClient) -> None:
    make_paid_order((shop.chair, 1), (shop.honey, 1))
    token = make_token(facilities=("NML",))
    assert {row["facility_code"] for row in sales(client, token).json["items"]} == {"NML"}
    assert sales(client, token, facility="NML").status_code == 200
    assert sales(client, token, facility="PKL").status_code == 404
    month = f"{days.today():%Y-%m}"
    for code, status in (("NML", 200), ("PKL", 404), ("ZZZ", 404)):
        answer = client.get(f"/api/v1/statements/{code}/{month}", headers=bearer(token))
        assert answer.status_code == status
    listed = client.get("/api/v1/facilities", headers=bearer(token)).json["items"]
    assert [one["code"] for one in listed] == ["NML"]


def test_a_statement_says_what_the_books_say(shop: Shop, client: FlaskClient) -> None:
    sold(shop)
    address, headers = f"/api/v1/statements/PKL/{days.today():%Y-%m}", bearer(make_token("statements:read"))
    told = client.get(address, headers=headers)
    assert (told.json["closed"], told.json["hash"]) == (False, None)
    sale = next(one for one in told.json["movements"] if one["kind"] == "sale")
    assert sale["total"] == sum(sale["amounts"].values()) == sum(told.json["closing"].values())
    assert sum(amount for fund, amount in sale["amounts"].items() if fund != "shipping") == 585_000
    assert "people" not in told.text
    again = client.get(address, headers={**headers, "If-None-Match": told.headers["ETag"]})
    assert again.status_code == 304
    for period in ("2026-13", "oktober", "2026-10-01--2026-10-02", "0000-01"):
        refused = client.get(f"/api/v1/statements/PKL/{period}", headers=headers)
        assert (refused.status_code, refused.json["code"]) == (422, "bad_span")


def test_without_a_good_token_nothing_is_read(shop: Shop, client: FlaskClient) -> None:
    revoked, expired = make_token(), make_token()
    by_ending = {token.ending: token for token in db.session.query(ApiToken)}
    tokens.revoke(by_ending[revoked[-4:]].id, make_person().id)
    db.session.commit()
    # Time passes: nobody but the owner of the tables can change when a token ends.
    assert tokens.read(expired) is not None
    wrong: list[dict[str, str]] = [{}, {"Authorization": "Basic a2I="}, {"Authorization": "Bearer "}]
    for headers in wrong:
        answer = client.get("/api/v1/facilities", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "token_needed")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    for shown in ("kb_x", revoked, "kb_" + "A" * 43, "é", expired[:-1]):
        answer = client.get("/api/v1/facilities", headers=bearer(shown))
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_token"), shown
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_ends_with_its_last_day(app: Flask, client: FlaskClient, owner_connection: Any, shop: Shop) -> None:
    shown = make_token()
    assert client.get("/api/v1/facilities", headers=bearer(shown)).status_code == 200
    assert db.session.query(ApiToken).one().last_used_at is not None
    owner_connection.execute(
        "UPDATE api_tokens SET created_at = now() - interval '2 days', expires_at = now() - interval '1 second'"
    )
    owner_connection.commit()
    assert client.get("/api/v1/facilities", headers=bearer(shown)).json["code"] == "invalid_token"


def test_beyond_its_scope_a_token_is_refused(shop: Shop, client: FlaskClient) -> None:
    token = make_token("facilities:read")
    assert client.get("/api/v1/facilities", headers=bearer(token)).status_code == 200
    refused = sales(client, token)
    assert (refused.status_code, refused.json["code"], refused.json["scope"]) == (
        403, "insufficient_scope", "sales:read",
    )  # fmt: skip
    assert 'scope="sales:read"' in refused.headers["WWW-Authenticate"]


def test_a_token_is_no_session_and_a_session_no_token(app: Flask, shop: Shop) -> None:
    token = make_token()
    page = app.test_client().get("/finance/", headers=bearer(token))
    assert page.headers["Location"].startswith("/login")
    assert app.test_client().get("/api/v1/facilities", headers=bearer(token)).headers.get("Set-Cookie") is None
    staff = sign_in(app.test_client(), make_account("administrator"))
    assert staff.get("/api/v1/facilities").status_code == 401


def test_guessing_tokens_is_stopped_and_a_good_one_still_reads(shop: Shop, client: FlaskClient) -> None:
    token = make_token()
    answers = [client.get("/api/v1/facilities", headers=bearer(f"kb_{n:043}")).status_code for n in range(62)]
    assert (answers[0], answers[-1]) == (401, 429)
    assert client.get("/api/v1/facilities", headers=bearer(token)).status_code == 200


def test_each_token_has_a_pace_of_its_own(
    shop: Shop, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bearing, "PACE", "2 per minute")
    client, fast, other = make_app(RATE_LIMITS="on").test_client(), make_token(), make_token()
    answers = [client.get("/api/v1/facilities", headers=bearer(fast)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (answers[-1].json["code"], "Retry-After" in answers[-1].headers) == ("too_many_requests", True)
    assert client.get("/api/v1/facilities", headers=bearer(other)).status_code == 200


def test_only_the_hash_of_a_token_is_kept(shop: Shop, db_session: Session) -> None:
    shown = make_token()
    row = db_session.execute(text("SELECT t::text FROM api_tokens t")).scalar_one()
    assert shown not in row
    assert shown[3:20] not in row


def test_real_answers_agree_with_the_document(shop: Shop, client: FlaskClient) -> None:
    sold(shop)
    token = make_token("sales:read", "statements:read", facilities=("PKL",))
    document = client.get("/api/v1/openapi.json").json
    month = f"{days.today():%Y-%m}"
    for path, answer in (
        ("/sales", sales(client, token)),
        ("/sales", sales(client, token, limit=1)),
        ("/sales", sales(client, token, to="1999-01-01")),
        ("/sales", sales(client, token, facility="NML")),
        ("/sales", sales(client, "kb_")),
        ("/statements/{facility}/{period}", client.get(f"/api/v1/statements/PKL/{month}", headers=bearer(token))),
        ("/statements/{facility}/{period}", client.get("/api/v1/statements/PKL/x", headers=bearer(token))),
        ("/facilities", client.get("/api/v1/facilities", headers=bearer(token))),
        ("/facilities", client.get("/api/v1/facilities", headers=bearer(make_token()))),
    ):
        described = document["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]
        assert list(breaks(answer.json, described[answer.mimetype]["schema"], document)) == [], answer.text
