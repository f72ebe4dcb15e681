"""Ordering for programs: once for each key, at the price that was seen, only what can be delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.payments.gateway import GatewayUnavailable
from storefront.payments.sandbox import SandboxGateway
from tests.selling import ADDRESS, Shop, body, check_out, new_cart, open_shop, pay


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def change(session: Session, statement: str) -> None:
    session.execute(text(statement))
    session.commit()


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_an_order_names_its_parcels_and_where_to_pay(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 2), ("NML-MADU", 1))
    answer = check_out(client, token)
    assert answer.status_code == 201, answer.text
    order, payment = answer.json["order"], answer.json["payment"]
    assert order["status"] == "awaiting_payment"
    # Within the province 12,000; from Maluku to Java 72,000.
    assert order["total"] == 260_000 + 12_000 + 72_000
    assert [(p["facility"], p["status"], p["shipping"]["amount"]) for p in order["parcels"]] == [
        ("PKL", "waiting", 12_000),
        ("NML", "waiting", 72_000),
    ]
    assert order["parcels"][0]["lines"][0]["sku"] == "PKL-BATIK"
    assert len(payment["id"]) >= 22
    assert payment["url"].endswith(payment["id"])
    assert payment["expires_at"] == order["expires_at"]
    assert payment["expires_at"].endswith("Z")


def test_the_same_key_gives_the_same_answer(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 2))
    first, again = check_out(client, token), check_out(client, token)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert count(db_session, "orders") == 1


def test_the_same_key_answers_the_same_after_payment(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 2))
    first = check_out(client, token)
    pay(first.json["payment"]["id"])
    order = first.json["order"]
    now = client.get(f"/api/v1/orders/{order['number']}?token={order['token']}")
    assert now.json["status"] == "paid"
    assert check_out(client, token).json == first.json


def test_the_same_key_with_another_body_is_refused(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    assert check_out(client, token).status_code == 201
    refused = check_out(client, token, name="Dewi")
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_mismatch")


def test_another_key_for_an_ordered_cart_is_refused(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    assert check_out(client, token).status_code == 201
    refused = check_out(client, token, key="key-2")
    assert (refused.status_code, refused.json["code"]) == (409, "cart_closed")
    line = client.post(f"/api/v1/carts/{token}/lines", json={"sku": "PKL-BATIK", "quantity": 1})
    assert (line.status_code, line.json["code"]) == (409, "cart_closed")


def test_a_key_is_required(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    refused = client.post(f"/api/v1/carts/{token}/checkout", json=body())
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency_key_required")
    assert check_out(client, token, key="k" * 256).status_code == 422


def test_a_refused_try_leaves_the_key_free(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 5))
    change(db_session, "UPDATE stock_levels SET reserved = 1 WHERE on_hand = 5")
    refused = check_out(client, token)
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert refused.json["lines"] == [
        {"code": "out_of_stock", "sku": "PKL-BATIK", "wanted": 5, "available": 4}
    ]
    assert (count(db_session, "orders"), count(db_session, "idempotency_keys")) == (0, 0)
    change(db_session, "UPDATE stock_levels SET reserved = 0")
    assert check_out(client, token, name="Dewi").status_code == 201


def test_a_changed_price_is_refused_with_both_prices(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 2))
    change(db_session, "UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'")
    refused = check_out(client, token)
    assert (refused.status_code, refused.json["code"]) == (409, "price_changed")
    assert refused.json["lines"] == [
        {"code": "price_changed", "sku": "PKL-BATIK", "shown": 100_000, "price": 120_000}
    ]
    # Who has seen today's total may order at it.
    assert check_out(client, token, expected_total=200_000).json["code"] == "price_changed"
    assert check_out(client, token, expected_total=252_000).status_code == 201


def test_a_total_that_differs_is_refused_with_both_totals(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 2))
    refused = check_out(client, token, expected_total=1)
    assert (refused.status_code, refused.json["code"]) == (409, "price_changed")
    assert (refused.json["expected_total"], refused.json["total"]) == (1, 212_000)


@pytest.mark.parametrize("seen", [200_000, 212_000])
def test_the_carts_total_or_the_orders_total_may_be_expected(shop: Shop, client: FlaskClient, seen: int) -> None:
    assert check_out(client, new_cart(client, ("PKL-BATIK", 2)), expected_total=seen).status_code == 201


def test_what_was_taken_from_the_shop_is_refused(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 1), ("NML-MADU", 1))
    change(db_session, "UPDATE products SET status = 'archived' WHERE slug = 'madu'")
    refused = check_out(client, token)
    assert (refused.status_code, refused.json["code"]) == (409, "listing_unavailable")
    assert [line["sku"] for line in refused.json["lines"]] == ["NML-MADU"]


def test_tempeh_goes_within_its_city_only(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-TEMPE", 2), ("PKL-BATIK", 1))
    refused = check_out(client, token)
    assert (refused.status_code, refused.json["code"]) == (409, "not_delivered_there")
    assert [(line["sku"], line["facility"], line["scope"]) for line in refused.json["lines"]] == [
        ("PKL-TEMPE", "PKL", "same_city")
    ]
    home = {**ADDRESS, "city": "KABUPATEN pekalongan"}
    order = check_out(client, token, address=home).json["order"]
    assert order["parcels"][0]["shipping"] == {"method": "regular", "amount": 16_000, "days_min": 1, "days_max": 2}


def test_pickup_is_free_and_only_when_chosen(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-TEMPE", 2))
    answer = check_out(client, token, shipping={"PKL": "pickup"})
    assert answer.status_code == 201, answer.text
    assert answer.json["order"]["total"] == 30_000
    assert answer.json["order"]["parcels"][0]["shipping"]["method"] == "pickup"
    # Nobody keeps an address that no courier needs.
    assert count(db_session, "order_addresses") == 0


def test_who_collects_everything_needs_no_address(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1), ("NML-MADU", 1))
    both = {"PKL": "pickup", "NML": "pickup"}
    refused = check_out(client, token, address=None, shipping={"PKL": "pickup"})
    assert (refused.status_code, "address.line1" in refused.json["errors"]) == (422, True)
    assert check_out(client, token, address=None, shipping=both).status_code == 201


def test_a_method_is_chosen_by_facility(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    order = check_out(client, token, shipping={"PKL": "cargo"}).json["order"]
    assert (order["parcels"][0]["shipping"]["method"], order["total"]) == ("cargo", 160_000)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"email": None, "phone": None}, {"email"}),
        ({"email": "sari", "phone": "12"}, {"email", "phone"}),
        ({"name": " "}, {"name"}),
        ({"address": {**ADDRESS, "province": "Atlantis"}}, {"address.province"}),
        ({"address": {**ADDRESS, "postal_code": "123", "line1": ""}}, {"address.postal_code", "address.line1"}),
        ({"address": "Jl. Melati"}, {"address"}),
        ({"address": {}}, {f"address.{name}" for name in ADDRESS}),
        ({"shipping": {"PKL": "drone"}}, {"shipping.PKL"}),
        ({"shipping": {"XXX": "regular"}}, {"shipping.XXX"}),
        ({"shipping": ["regular"]}, {"shipping"}),
        ({"expected_total": "212000"}, {"expected_total"}),
        ({"expected_total": 10**40}, {"expected_total"}),
        ({"expected_total": -1}, {"expected_total"}),
    ],
)
def test_every_wrong_field_is_named(
    shop: Shop, client: FlaskClient, changes: dict[str, Any], fields: set[str]
) -> None:
    refused = check_out(client, new_cart(client, ("PKL-BATIK", 1)), **changes)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid"), refused.text
    assert set(refused.json["errors"]) == fields


def test_a_client_cannot_name_its_price(shop: Shop, client: FlaskClient) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    sent = check_out(client, token, total=1, currency="XXX", status="paid", lines=[], unit_price=1)
    assert (sent.json["order"]["total"], sent.json["order"]["status"]) == (112_000, "awaiting_payment")


def test_an_empty_cart_cannot_be_ordered(shop: Shop, client: FlaskClient) -> None:
    refused = check_out(client, new_cart(client))
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")


def test_an_order_stands_while_the_provider_is_down(
    shop: Shop, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(self: SandboxGateway, request: Any) -> Any:
        raise GatewayUnavailable("no answer")

    token = new_cart(client, ("PKL-BATIK", 1))
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", down)
        first = check_out(client, token)
    assert (first.status_code, first.json["payment"]["url"]) == (201, None)
    again = check_out(client, token)
    assert again.json["payment"]["id"] == first.json["payment"]["id"]
    assert again.json["payment"]["url"] is not None


def test_an_order_opens_by_its_token_alone(shop: Shop, client: FlaskClient) -> None:
    order = check_out(client, new_cart(client, ("PKL-BATIK", 1))).json["order"]
    address = f"/api/v1/orders/{order['number']}"
    seen = client.get(address, query_string={"token": order["token"]})
    assert {name: seen.json[name] for name in ("number", "status", "total", "refunded")} == {
        "number": order["number"], "status": "awaiting_payment", "total": 112_000, "refunded": 0,
    }  # fmt: skip
    assert [(p["facility"], p["status"], p["tracking"]) for p in seen.json["parcels"]] == [("PKL", "waiting", None)]
    for token in ("", "x", order["token"][:-1], order["token"] + "A", "\x00", "é"):
        assert client.get(address, query_string={"token": token}).status_code == 404
    assert client.get(address).status_code == 404
    assert client.get("/api/v1/orders/KB-0000-0000", query_string={"token": order["token"]}).status_code == 404


def test_guessing_tokens_is_stopped(shop: Shop, client: FlaskClient) -> None:
    order = check_out(client, new_cart(client, ("PKL-BATIK", 1))).json["order"]
    address = f"/api/v1/orders/{order['number']}"
    answers = [client.get(address, query_string={"token": f"guess-{n}"}).status_code for n in range(22)]
    assert answers[:20] == [404] * 20
    assert answers[-1] == 429
    # Whoever holds the right one is not locked out by somebody else's guesses.
    assert client.get(address, query_string={"token": order["token"]}).status_code == 200


def test_another_payment_can_be_had_for_what_is_unpaid(shop: Shop, client: FlaskClient) -> None:
    first = check_out(client, new_cart(client, ("PKL-BATIK", 1))).json
    number, token = first["order"]["number"], first["order"]["token"]
    second = client.post(f"/api/v1/orders/{number}/payments?token={token}")
    assert second.status_code == 201
    assert second.json["id"] == second.json["payment"]["id"] != first["payment"]["id"]
    assert second.json["url"].endswith(second.json["id"])
    assert client.post(f"/api/v1/orders/{number}/payments?token=x").status_code == 404


def test_a_paid_order_takes_no_more_payments(shop: Shop, client: FlaskClient) -> None:
    first = check_out(client, new_cart(client, ("PKL-BATIK", 1))).json
    pay(first["payment"]["id"])
    number, token = first["order"]["number"], first["order"]["token"]
    refused = client.post(f"/api/v1/orders/{number}/payments?token={token}")
    assert (refused.status_code, refused.json["code"]) == (409, "order_closed")


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a shop with its rate limits on."""
    return make_app(RATE_LIMITS="on").test_client()


def test_three_unpaid_orders_are_the_most(shop: Shop, limited: FlaskClient, db_session: Session) -> None:
    def order(**contact: Any) -> Any:
        address = contact.pop("address_from", "203.0.113.1")
        token = new_cart(limited, ("PKL-KURSI", 1))
        return limited.post(
            f"/api/v1/carts/{token}/checkout",
            json=body(**contact),
            headers={"Idempotency-Key": "k"},
            environ_base={"REMOTE_ADDR": address},
        )

    phone = {"phone": None}
    for number in range(3):
        answer = order(email="sari@contoh.id", **phone, address_from=f"203.0.113.{number}")
        assert answer.status_code == 201, answer.text
    refused = order(email="SARI@contoh.id", **phone, address_from="203.0.113.9")
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_unpaid")
    assert order(email="dewi@contoh.id", **phone, address_from="203.0.113.9").status_code == 201
    # An order that has expired holds nothing any more.
    change(db_session, "UPDATE orders SET expires_at = now() - interval '1 second'")
    assert order(email="sari@contoh.id", **phone, address_from="203.0.113.9").status_code == 201


def test_one_network_holds_at_most_three_unpaid_orders(shop: Shop, limited: FlaskClient) -> None:
    answers = [
        check_out(limited, new_cart(limited, ("PKL-KURSI", 1)), email=f"p{n}@contoh.id", phone=None).status_code
        for n in range(4)
    ]
    assert answers == [201, 201, 201, 429]
