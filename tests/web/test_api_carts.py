"""Carts for programs: adding up, live stock, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.selling import Shop, new_cart, open_shop


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def add(client: FlaskClient, token: str, sku: Any, quantity: Any) -> Any:
    return client.post(f"/api/v1/carts/{token}/lines", json={"sku": sku, "quantity": quantity})


def test_a_new_cart_is_empty(shop: Shop, client: FlaskClient) -> None:
    answer = client.post("/api/v1/carts")
    assert answer.status_code == 201
    assert (answer.json["lines"], answer.json["total"]) == ([], 0)
    assert len(answer.json["id"]) >= 22
    assert answer.headers["Location"].endswith(answer.json["id"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_the_hash_of_a_carts_id_is_kept(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client)
    (kept,) = db_session.execute(text("SELECT token_hash FROM carts")).scalars()
    assert len(kept) == 32
    assert token.encode() not in bytes(kept)


def test_the_same_sku_again_adds_up(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 2))
    cart = add(client, token, "PKL-BATIK", 3).json
    assert [(line["sku"], line["quantity"], line["amount"]) for line in cart["lines"]] == [("PKL-BATIK", 5, 500_000)]
    assert cart["total"] == 500_000
    assert cart["lines"][0]["facility"] == {"code": "PKL", "name": "Lapas Kelas IIA Pekalongan"}


def test_more_than_there_are_is_refused_and_changes_nothing(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 4))
    refused = add(client, token, "PKL-BATIK", 2)
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert refused.json["lines"] == [{"sku": "PKL-BATIK", "wanted": 6, "available": 5}]
    assert refused.mimetype == "application/problem+json"
    assert client.get(f"/api/v1/carts/{token}").json["total"] == 400_000


def test_what_is_made_to_order_never_runs_out(shop: Shop, client: FlaskClient) -> None:
    cart = add(client, new_cart(client), "PKL-KURSI", 40).json
    assert cart["lines"][0]["available"] is None
    assert cart["total"] == 40 * 485_000


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 1.0, True, "2", None, 10_001, 10**400, [1], {"a": 1}])
def test_a_quantity_is_a_whole_number_of_pieces(shop: Shop, client: FlaskClient, quantity: Any) -> None:
    refused = add(client, new_cart(client), "PKL-KURSI", quantity)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    assert set(refused.json["errors"]) == {"quantity"}


@pytest.mark.parametrize("sku", ["NOPE-1", "x" * 500, "PKL BATIK", "'; DROP", "ＰＫＬ"])
def test_an_unknown_sku_is_said_so(shop: Shop, client: FlaskClient, sku: str) -> None:
    refused = add(client, new_cart(client), sku, 1)
    assert (refused.status_code, refused.json["code"]) == (404, "unknown_sku")


@pytest.mark.parametrize("sku", [None, "", 5, ["PKL-BATIK"]])
def test_a_sku_is_text(shop: Shop, client: FlaskClient, sku: Any) -> None:
    refused = add(client, new_cart(client), sku, 1)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET status = 'archived'",
        "UPDATE variants SET is_active = false",
        "UPDATE facilities SET status = 'suspended'",
    ],
)
def test_what_is_not_on_sale_is_unknown(shop: Shop, client: FlaskClient, db_session: Session, change: str) -> None:
    db_session.execute(text(change))
    db_session.commit()
    assert add(client, new_cart(client), "PKL-BATIK", 1).json["code"] == "unknown_sku"


def test_a_line_can_be_changed_and_taken_out(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 2), ("NML-MADU", 1))
    address = f"/api/v1/carts/{token}/lines"
    assert client.put(f"{address}/PKL-BATIK", json={"quantity": 1}).json["total"] == 160_000
    assert client.put(f"{address}/PKL-BATIK", json={"quantity": 9}).status_code == 409
    assert client.put(f"{address}/PKL-TEMPE", json={"quantity": 1}).status_code == 404
    assert client.delete(f"{address}/PKL-BATIK").json["total"] == 60_000
    assert client.delete(f"{address}/PKL-BATIK").status_code == 200


def test_what_is_wrong_with_a_cart_is_said_line_by_line(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 5), ("NML-MADU", 1), ("PKL-TEMPE", 1))
    db_session.execute(text("UPDATE variants SET price = 110000 WHERE sku = 'PKL-BATIK'"))
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = 'madu'"))
    db_session.execute(
        text("UPDATE stock_levels SET reserved = 3 WHERE variant_id = :id"), {"id": shop.batik.id}
    )
    db_session.commit()
    cart = client.get(f"/api/v1/carts/{token}").json
    problems = {line["sku"]: [problem["code"] for problem in line["problems"]] for line in cart["lines"]}
    assert problems == {
        "PKL-BATIK": ["out_of_stock", "price_changed"],
        "PKL-TEMPE": [],
        "NML-MADU": ["listing_unavailable"],
    }
    assert cart["total"] == 5 * 110_000 + 15_000


def test_an_unknown_cart_is_not_found(shop: Shop, client: FlaskClient) -> None:
    for answer in (
        client.get("/api/v1/carts/nope"),
        add(client, "nope", "PKL-BATIK", 1),
        client.get("/api/v1/carts/%00%ff"),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_shipping_can_be_asked_before_ordering(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1), ("PKL-TEMPE", 1), ("NML-MADU", 1))
    asked = {"province": "Jawa Tengah", "city": "kota PEKALONGAN"}
    parcels = client.get(f"/api/v1/carts/{token}/shipping", query_string=asked).json["parcels"]
    assert [(p["facility"], [o["method"] for o in p["options"]], p["not_delivered"]) for p in parcels] == [
        ("PKL", ["regular", "cargo", "pickup"], []),
        ("NML", ["regular", "cargo", "pickup"], []),
    ]
    assert parcels[0]["options"][0]["amount"] == 9_000
    far = client.get(f"/api/v1/carts/{token}/shipping", query_string={"province": "Bali", "city": "Badung"})
    assert [p["not_delivered"] for p in far.json["parcels"]] == [["PKL-TEMPE"], []]
    refused = client.get(f"/api/v1/carts/{token}/shipping", query_string={"province": "Atlantis", "city": "x"})
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"province"})


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"sku": "A", "quantity": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 20_000, "application/json", 400),
        (b'{"quantity": ' + b"1" * 5_000 + b"}", "application/json", 400),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "application/json", 422),
        (b"[1]", "application/json", 422),
        (b'"x"', "application/json", 422),
        (b'{"sku": "PKL\\u0000", "quantity": 1}', "application/json", 422),
        (b'{"sku": "PKL\\ud800", "quantity": 1}', "application/json", 422),
        (b'{"\\u0000": 1}', "application/json", 422),
        (b"sku=PKL-BATIK&quantity=1", "application/x-www-form-urlencoded", 415),
        (b'{"sku": "PKL-BATIK", "quantity": 1}', "text/plain", 415),
        (b"", "application/json", 400),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_odd_bodies_get_a_clear_answer(
    shop: Shop, client: FlaskClient, data: bytes, content_type: str, status: int
) -> None:
    token = new_cart(client)
    for path in ("lines", "checkout"):
        answer = client.post(
            f"/api/v1/carts/{token}/{path}", data=data, content_type=content_type, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == status


def test_cookies_mean_nothing_to_the_api(shop: Shop, client: FlaskClient) -> None:
    client.set_cookie("cart", new_cart(client, ("PKL-BATIK", 1)))
    assert client.get("/api/v1/carts/me").status_code == 404
    foreign = client.post("/api/v1/carts", headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 201
    assert "Set-Cookie" not in foreign.headers
