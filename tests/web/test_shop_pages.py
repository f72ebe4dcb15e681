"""The public pages: true, in both languages, cheap, and the same for everyone."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import create_app
from storefront.catalogue.search_words import refresh_search_words
from storefront.catalogue.short_codes import short_code
from storefront.content.home_page import home_page
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.orders.models import Parcel
from storefront.orders.payment import open_payment
from tests.clones import TestServer, settings_for
from tests.factories import make_order, make_product, make_variant, make_workshop
from tests.selling import Shop, open_shop, pay
from tests.staff import make_account, sign_in

PAGES = [
    *("/", "/products", "/products/kain-batik", "/facilities", "/facilities/lapas-pkl", "/impact", "/help"),
    "/pages/privacy",
]


@pytest.fixture
def shop(db_session: Session, run_jobs: Callable[[], None]) -> Shop:
    """Goods on sale, as pages show them once the jobs have run."""
    shop = open_shop()
    run_jobs()
    refresh_search_words()
    db_session.commit()
    return shop


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_without_touching_a_session(
    client: FlaskClient, shop: Shop, path: str, prefix: str
) -> None:
    answer = client.get(prefix + path)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert answer.cache_control.public
    assert f'<html lang="{"en" if prefix else "id"}">' in answer.text
    assert f'<link rel="canonical" href="http://localhost{prefix}{path}">' in answer.text
    assert f'hreflang="en" href="http://localhost/en{path}"' in answer.text
    (font,) = re.findall(r'<link rel="preload" href="([^"]+)" as="font" type="font/woff2" crossorigin>', answer.text)
    assert client.get(font).status_code == 200


@pytest.mark.parametrize(
    ("path", "cold"),
    [
        ("/", 2),
        ("/products", 1),
        ("/products?q=kursy&category=kerajinan", 2),
        ("/products/kain-batik", 2),
        ("/facilities", 1),
        ("/facilities/lapas-pkl", 4),
        ("/impact", 2),
        ("/help", 1),
        ("/pages/privacy", 1),
        ("/sitemap.xml", 1),
        ("/sitemap-pages.xml", 3),
    ],
)
def test_beside_the_state_a_page_costs_few_statements_and_none_when_it_is_kept(
    client: FlaskClient, shop: Shop, statements: Callable[[], list[str]], path: str, cold: int, app: Flask
) -> None:
    client.get("/products?sort=price_low")  # each process reads the listings once, and then what changed
    client.get("/en/")  # and what the season asks for
    for cache in ("pages", "totals", "public_counts"):
        app.extensions.pop(cache, None)
    statements()
    first = client.get(path)
    assert len(statements()) <= cold
    again = client.get(path)
    assert statements() == []
    assert again.data == first.data


def test_a_reader_who_has_the_page_gets_304(client: FlaskClient, shop: Shop) -> None:
    tag = client.get("/products").headers["ETag"]
    again = client.get("/products", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip"])
def test_kept_pages_come_compressed(client: FlaskClient, shop: Shop, encoding: str) -> None:
    plain = client.get("/products")
    small = client.get("/products", headers={"Accept-Encoding": encoding})
    assert small.headers["Content-Encoding"] == encoding
    assert len(small.data) < len(plain.data) / 2
    assert "Accept-Encoding" in small.headers["Vary"]


def test_an_edit_shows_on_the_next_request(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    assert "Rp\u00a0100.000" in client.get("/products/kain-batik").text
    db_session.execute(text("UPDATE variants SET price = 125000 WHERE sku = 'PKL-BATIK'"))
    db_session.commit()
    assert "Rp\u00a0125.000" in client.get("/products/kain-batik").text
    assert "Rp\u00a0125.000" in client.get("/products").text


def test_home_counts_what_is_there(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/").text
    assert "Kain batik" in page
    assert "<dd>2</dd>" in page  # facilities
    assert "<dd>4</dd>" in page  # products that can be bought


def test_a_product_says_where_the_money_goes(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/products/kain-batik").text
    assert "Ke mana uang Anda" in page
    for amount in ("50.000", "35.000", "15.000"):
        assert f"Rp\u00a0{amount}" in page
    assert "akan dibagi" in page
    assert "diterima" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/products/tidak-ada",
        "/facilities/tidak-ada",
        "/p/ZZZZZZZZ",
        "/p/x",
        "/products/%00",
        "/sitemap-999999.xml",
        "/fragments/stock/tidak-ada",
    ],
)
def test_what_is_not_there_is_a_404_with_a_way_on(client: FlaskClient, shop: Shop, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert 'href="/products"' in answer.text


def test_products_not_public_do_not_exist(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = 'kain-batik'"))
    db_session.commit()
    assert client.get("/products/kain-batik").status_code == 404
    assert "Kain batik" not in client.get("/products").text
    assert "kain-batik" not in client.get("/sitemap-1.xml").text
    assert "PKL-BATIK" not in client.get("/feeds/products.xml").text


@pytest.mark.parametrize(
    "query",
    [
        "min=abc&max=%00",
        "page=-1",
        "page=999999999999999999999",
        "sort=x&availability=y&category=%27",
        "q=%F0%9F%92%A9",
        "q=%00",
        "q=" + "a" * 5000,
        "province=Jawa%20Tengah",
        "category[]=x",
        "q=" + "%2B" * 200,
    ],
)
def test_odd_addresses_never_break_the_listing(client: FlaskClient, shop: Shop, query: str) -> None:
    assert client.get("/products?" + query).status_code == 200


def test_markup_in_a_search_stays_text(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/products?q=<script>alert(1)</script>&category=<b>").text
    assert "<script>alert(1)" not in page


def test_figures_follow_a_purchase_at_once(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    assert "Rp\u00a0200.000" not in client.get("/impact").text
    order = make_order((shop.batik, 2), (shop.honey, 1))
    payment = open_payment(order)
    db_session.commit()
    pay(payment.id)
    page = client.get("/impact").text
    for amount in ("260.000", "130.000", "91.000", "39.000"):  # whole, premium, capital, state
        assert f"Rp\u00a0{amount}" in page
    assert "Rp\u00a0100.000" in client.get("/facilities/lapas-pkl").text  # its premium
    assert "Rp\u00a0260.000" in client.get("/").text
    assert "Rp\u00a0260.000" in client.get("/en/impact").text
    assert client.get("/impact?year=1999").status_code == 200


def test_stock_is_live_in_its_fragment(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    assert "stok 5" in client.get("/fragments/stock/kain-batik").text
    make_order((shop.batik, 3))
    db_session.commit()
    answer = client.get("/fragments/stock/kain-batik")
    assert "sisa 2" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_personal_fragment_counts_the_cart(client: FlaskClient, shop: Shop) -> None:
    assert "<b>" not in client.get("/fragments/me").text
    client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": "2"})
    answer = client.get("/fragments/me")
    assert "<b>2</b>" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_variants_short_link_leads_to_its_product(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    code = short_code("variant", shop.batik.id)
    assert short_code("variant", shop.batik.id) == code
    db_session.commit()
    for typed in (code, code.lower()):
        answer = client.get(f"/p/{typed}")
        assert (answer.status_code, answer.location) == (302, "/products/kain-batik")


def test_a_parcels_short_link_is_for_its_own_facility(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    order = make_order((shop.batik, 1))
    parcel = db_session.query(Parcel).filter_by(order_id=order.id).one()
    code = short_code("parcel", parcel.id)
    own = make_account("coordinator", facilities=(shop.pekalongan,))
    other = make_account("coordinator", facilities=(shop.ambon,))
    db_session.commit()
    assert client.get(f"/p/{code}").status_code == 404
    sign_in(client, other)
    assert client.get(f"/p/{code}").status_code == 404
    client.delete_cookie("session")
    sign_in(client, own)
    assert client.get(f"/p/{code}").location == f"/seller/PKL/parcels/{parcel.id}"


def test_robots_are_refused_in_a_demo_and_guided_otherwise(
    client: FlaskClient, make_app: Callable[..., Flask]
) -> None:
    assert client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    live = make_app(
        DEMO="off",
        PAYMENT_GATEWAY="stripe",
        STRIPE_SECRET_KEY="sk",
        STRIPE_WEBHOOK_SECRET="wh",
        BASE_URL="https://shop.example",
    )
    robots = live.test_client().get("/robots.txt", base_url="https://shop.example").text
    assert "Disallow: /cart" in robots
    assert "Disallow: /\n" not in robots
    assert "Sitemap: https://shop.example/sitemap.xml" in robots


def test_many_who_ask_at_once_cost_one_rendering(
    app: Flask, shop: Shop, statements: Callable[[], list[str]]
) -> None:
    app.extensions.pop("pages", None)
    statements()
    together = threading.Barrier(6)

    def ask() -> int:
        together.wait()
        return app.test_client().get("/products").status_code

    with ThreadPoolExecutor(6) as readers:
        answers = [reader.result() for reader in [readers.submit(ask) for _ in range(6)]]
    assert answers == [200] * 6
    assert len([sql for sql in statements() if "json_agg(card" in sql]) == 1


def test_a_filter_that_is_not_understood_is_said(client: FlaskClient, shop: Shop) -> None:
    assert "tidak kami mengerti" in client.get("/products?min=murah").text
    assert "tidak kami mengerti" not in client.get("/products?min=1000").text


def test_no_product_stands_twice_where_there_are_others(
    client: FlaskClient, shop: Shop, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    workshop = make_workshop(shop.pekalongan)
    for _ in range(30):
        make_variant(make_product(workshop), stock=9)
    db_session.commit()
    run_jobs()
    page = home_page(today(), "id")
    (newest,) = [block for block in page.blocks if block.kind == "newest"]
    assert page.first is not None
    assert page.first.kind == "ready"
    assert (len(page.first.items), len(newest.items)) == (6, 8)
    assert not {card.slug for card in newest.items} & {card.slug for card in page.first.items}
    assert page.first.items[1].facility_slug != page.first.items[0].facility_slug


def test_pages_survive_a_lost_connection(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    assert client.get("/products").status_code == 200
    ended = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'storefront state' AND datname = current_database()"""
    assert db_session.execute(text(ended)).all()
    assert client.get("/products").status_code == 200


def test_kept_pages_are_shown_while_the_database_is_away(database_server: TestServer, tmp_path: Path) -> None:
    away = database_server.clone("storefront_away")
    client = create_app(settings_for(away.addresses, tmp_path)).test_client()
    assert client.get("/impact").status_code == 200
    assert client.get("/help").status_code == 200
    away.close()
    with psycopg.connect(database_server.server.addresses("postgres")[SUPERUSER], autocommit=True) as admin:
        admin.execute("ALTER DATABASE storefront_away ALLOW_CONNECTIONS false")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'storefront_away'"
        )
        assert client.get("/impact").status_code == 200
        assert client.get("/help").status_code == 200
        answer = client.get("/products")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        admin.execute("ALTER DATABASE storefront_away ALLOW_CONNECTIONS true")
    assert client.get("/products").status_code == 200
