"""The catalogue for programs: searched like the page, with prices and stock of this moment."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.selling import Shop, check_out, new_cart, open_shop


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def test_a_product_has_its_variants_and_facility(shop: Shop, client: FlaskClient) -> None:
    page = client.get("/api/v1/products?q=kain").json
    assert (page["total"], page["page"], page["pages"]) == (1, 1, 1)
    (item,) = page["items"]
    assert (item["slug"], item["title"], item["title_en"]) == ("kain-batik", "Kain batik", "Batik cloth")
    assert item["facility"] == {"code": "PKL", "name": "Lapas Kelas IIA Pekalongan"}
    (variant,) = item["variants"]
    assert {name: variant[name] for name in ("sku", "price", "available", "made_to_order", "lead_time_days")} == {
        "sku": "PKL-BATIK", "price": 100_000, "available": 5, "made_to_order": False, "lead_time_days": None,
    }  # fmt: skip


def test_what_is_made_to_order_has_no_stock_but_a_lead_time(shop: Shop, client: FlaskClient) -> None:
    (variant,) = client.get("/api/v1/products?q=kursi").json["items"][0]["variants"]
    assert (variant["available"], variant["made_to_order"], variant["lead_time_days"]) == (None, True, 14)


def test_available_falls_with_the_order_itself(shop: Shop, client: FlaskClient) -> None:
    assert check_out(client, new_cart(client, ("PKL-BATIK", 2))).status_code == 201
    assert client.get("/api/v1/products?q=kain").json["items"][0]["variants"][0]["available"] == 3


def test_products_can_be_asked_for_by_facility(shop: Shop, client: FlaskClient) -> None:
    for code in ("NML", "nml", "lapas-nml"):
        assert [item["slug"] for item in client.get(f"/api/v1/products?facility={code}").json["items"]] == ["madu"]


def test_only_what_is_on_sale_is_listed(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = 'madu'"))
    db_session.commit()
    assert "madu" not in {item["slug"] for item in client.get("/api/v1/products").json["items"]}


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%ff", "page=-1", "page=9999999999999999999", "facility=%27", "category=%00"]
)
def test_odd_questions_get_an_answer(shop: Shop, client: FlaskClient, query: str) -> None:
    assert client.get(f"/api/v1/products?{query}").status_code == 200
