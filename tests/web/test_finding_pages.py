"""Finding, as shoppers, search engines and curators see it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.catalogue import lost_searches
from storefront.catalogue.models import CommodityGroup
from tests.factories import make_category, make_product, make_variant, make_workshop
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in


@pytest.fixture
def shop(db_session: Session, run_jobs: Callable[[], None]) -> Shop:
    shop = open_shop()
    db_session.commit()
    run_jobs()
    return shop


@pytest.fixture
def curator(client: FlaskClient, shop: Shop) -> FlaskClient:
    return sign_in(client, make_account("curator"))


def listed(page: str) -> list[str]:
    return re.findall(r'item__title"><a href="[^"]*">([^<]+)', page)


def written(app: Flask, session: Session) -> dict[str, int]:
    """Lost searches and how often, once this process has written down what it counted."""
    lost_searches.tally(app).write()
    session.rollback()
    return dict(session.execute(text("SELECT words, times FROM lost_searches")).all())  # type: ignore[arg-type]


@pytest.mark.usefixtures("web_may_rate")
def test_each_filter_has_counts_a_chip_and_an_address(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    group = db_session.query(CommodityGroup).filter_by(code="fashion").one()
    db_session.execute(
        text("UPDATE products SET commodity_group_id = :g WHERE slug = 'kain-batik'"), {"g": group.id}
    )
    db_session.execute(
        text("INSERT INTO product_ratings SELECT id, 9, 2 FROM products WHERE slug = 'kain-batik'")
    )
    db_session.commit()
    page = client.get("/products").text
    for address in ("rating=4", "min=100000&amp;max=250000", "category=", "availability=ready"):
        assert re.search(rf'href="/products\?{re.escape(address)}[^"]*" rel="nofollow"', page), address
    assert '<option value="fashion">Mode (1)' in page or 'value="fashion"' in page
    assert "4,5" in page, "the mean of the stars stands on the card"
    chosen = client.get("/products?group=fashion&rating=4&max=150000&sort=rating").text
    assert listed(chosen) == ["Kain batik"]
    chips = chosen.split('<ul class="chips">')[1].split("</ul>")[0]
    assert chips.count("<li>") == 4  # three, and one that drops them all
    assert 'href="/products?rating=4&amp;max=150000&amp;sort=rating"' not in chips
    assert 'href="/products?max=150000&amp;rating=4&amp;sort=rating"' in chips, "one filter less each"
    assert 'value="rating" selected' in chosen


def test_without_reviews_nothing_is_said_of_stars(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/products").text
    assert "rating" not in page
    assert "bintang" not in page


@pytest.mark.usefixtures("web_may_rate")
def test_a_new_review_shows_at_once(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    assert "rating=4" not in client.get("/products").text
    db_session.execute(
        text("INSERT INTO product_ratings SELECT id, 5, 1 FROM products WHERE slug = 'kain-batik'")
    )
    db_session.commit()
    assert "rating=4" in client.get("/products").text


def test_search_engines_walk_the_pages_and_skip_combinations(
    client: FlaskClient, shop: Shop, db_session: Session, make_app: Callable[..., Flask]
) -> None:
    workshop = make_workshop(shop.pekalongan)
    category = make_category("mebel", "Mebel", "Furniture")
    for _ in range(49):
        make_variant(make_product(workshop, category_id=category.id), made_to_order=True)
    db_session.commit()
    base = "http://localhost"
    for root in ("", "/en"):
        page = client.get(f"{root}/products?page=2&category=mebel").text
        for rel, number in (("canonical", 2), ("prev", 1), ("next", 3)):
            address = f"{base}{root}/products?category=mebel" + (f"&amp;page={number}" if number > 1 else "")
            assert f'<link rel="{rel}" href="{address}">' in page, rel
    last = client.get("/products?category=mebel&page=9").text
    assert f'<link rel="canonical" href="{base}/products?category=mebel&amp;page=3">' in last
    assert 'rel="next"' not in last

    live = make_app(
        DEMO="off", PAYMENT_GATEWAY="stripe", STRIPE_SECRET_KEY="sk", STRIPE_WEBHOOK_SECRET="wh",
        BASE_URL="https://shop.example",
    ).test_client()  # fmt: skip
    out = '<meta name="robots" content="noindex, follow">'
    for query in ("", "?page=2", "?category=mebel", "?province=jawa-tengah", "?facility=lapas-pkl&page=2"):
        assert out not in live.get("/products" + query, base_url="https://shop.example").text, query
    for query in (
        "?q=kursi",
        "?sort=newest",
        "?min=1",
        "?category=mebel&province=jawa-tengah",
        "?availability=ready",
    ):
        page = live.get("/products" + query, base_url="https://shop.example").text
        assert out in page, query
        assert 'rel="canonical"' not in page


def test_every_page_to_the_last_is_reached(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    workshop = make_workshop(shop.pekalongan)
    for _ in range(30):
        make_variant(make_product(workshop), made_to_order=True)
    db_session.commit()
    for order in ("newest", "price_low", "price_high"):
        seen: list[str] = []
        for number in range(1, 3):
            seen += re.findall(
                r'item__title"><a href="([^"]+)"', client.get(f"/products?sort={order}&page={number}").text
            )
        assert len(seen) == len(set(seen)) == 34


@pytest.mark.parametrize(
    ("query", "ways"),
    [
        ("q=batik+madu", ["/products?q=batik", "/products?q=madu"]),
        ("q=batik&max=1000", ["/products?q=batik"]),
        ("q=batikkkk", ["/products?q=batik"]),
    ],
)
def test_where_nothing_is_found_there_are_ways_on(
    client: FlaskClient, shop: Shop, query: str, ways: list[str]
) -> None:
    page = client.get(f"/products?{query}").text
    assert "Belum ada karya yang cocok" in page
    for way in ways:
        assert f'<a class="chip" href="{way}"' in page
        assert listed(client.get(way).text)
    assert "/products?category=" in page
    assert listed(page), "and what can be had now"
    assert "Tanya kami" in page


def test_a_lost_search_is_counted_also_where_the_page_was_kept(
    client: FlaskClient, shop: Shop, db_session: Session, app: Flask
) -> None:
    for path in (
        "/products?q=Payung+Lipat",
        "/products?q=Payung+Lipat",
        "/en/products?q=payung lipat&sort=price_low",
        "/products?q=payung+lipat&category=mebel",
        "/products?q=batik&category=mebel",  # found something, but not there
        "/products?q=sari@contoh.id",
        "/products?q=0812345678",
        "/products?q=batik",
        "/products?q=!!!",
    ):
        assert client.get(path).status_code == 200
    assert written(app, db_session) == {"payung lipat": 4}


def test_suggestions_are_products_categories_and_facilities(
    client: FlaskClient, shop: Shop, statements: Callable[[], list[str]]
) -> None:
    page = client.get("/fragments/suggest?q=ba")
    assert 'href="/products/kain-batik"' in page.text
    assert page.text.count('role="option"') == len(set(re.findall(r'id="(saran-[a-z]+-?\d*)"', page.text)))
    assert page.cache_control.max_age == 60
    assert "Set-Cookie" not in page.headers
    assert 'href="/products?category=kerajinan"' in client.get("/fragments/suggest?q=kera").text
    assert 'href="/facilities/lapas-pkl"' in client.get("/fragments/suggest?q=pekal").text
    assert 'href="/en/products/kain-batik"' in client.get("/en/fragments/suggest?q=kain+bat").text
    assert 'href="/products/kain-batik"' in client.get("/fragments/suggest?q=batok").text, "mistyped"
    statements()
    client.get("/fragments/suggest?q=ba")
    assert statements() == []


@pytest.mark.parametrize("typed", ["", "b", "zzzz", "%", "%25", "<b>", "'", "\\", "%00"])
def test_where_there_is_nothing_to_suggest_nothing_is(client: FlaskClient, shop: Shop, typed: str) -> None:
    answer = client.get("/fragments/suggest", query_string={"q": typed})
    assert (answer.status_code, answer.text.strip()) == (200, "")


def test_a_curator_keeps_synonyms(curator: FlaskClient, db_session: Session) -> None:
    assert "Belum ada karya yang cocok" in curator.get("/products?q=sinjang").text
    assert post(curator, "/admin/synonyms", {"terms": "batik, sinjang"}).status_code == 303
    assert listed(curator.get("/products?q=sinjang").text)[0] == "Kain batik"
    tried = curator.get("/admin/synonyms?try=sinjang&part=sinj").text
    assert "batik, sinjang" in tried
    assert "dan juga batik" in tried
    refused = post(curator, "/admin/synonyms", {"terms": "sinjang, sarung"})
    assert refused.status_code == 422
    assert "sudah ada di kelompok lain" in refused.text
    assert 'value="sinjang, sarung"' in refused.text, "nothing typed is lost"
    group = db_session.scalar(text("SELECT group_id FROM synonyms WHERE term = 'sinjang'"))
    assert 'value="batik, sinjang"' in curator.get(f"/admin/synonyms/{group}").text
    assert post(curator, f"/admin/synonyms/{group}", {"terms": "batik, kain panjang"}).status_code == 303
    assert listed(curator.get("/products?q=kain+panjang").text)[0] == "Kain batik"
    removed = post(curator, f"/admin/synonyms/{group}", {"remove": "1", "terms": "x"}, follow_redirects=True)
    assert 'value="batik, kain panjang"' in removed.text, "one press brings it back"
    assert curator.get(f"/admin/synonyms/{group}").status_code == 404
    assert post(curator, f"/admin/synonyms/{group}", {"terms": "a b, c d"}).status_code == 404


def test_a_curator_sees_what_was_not_found_and_makes_a_synonym_of_it(
    curator: FlaskClient, db_session: Session, app: Flask
) -> None:
    for _ in range(3):
        curator.get("/products?q=sinjang")
    curator.get("/products?q=qqqq")
    assert written(app, db_session) == {"sinjang": 3, "qqqq": 1}
    assert "Pencarian tanpa hasil" in curator.get("/admin/").text
    page = curator.get("/admin/searches").text
    assert page.index("sinjang") < page.index("qqqq")
    refused = post(curator, "/admin/searches", {"words": "sinjang", "same_as": ""})
    assert refused.status_code == 422
    assert "Tulis satu kata lain" in refused.text
    post(curator, "/admin/searches", {"words": "sinjang", "same_as": "Batik"})
    post(curator, "/admin/searches", {"words": "qqqq", "aside": "1"})
    assert listed(curator.get("/products?q=sinjang").text)[0] == "Kain batik"
    assert "Semua pencarian menemukan sesuatu" in curator.get("/admin/searches").text


@pytest.mark.parametrize("role", ["auditor", "finance", "coordinator"])
def test_words_are_the_curators_business(client: FlaskClient, shop: Shop, role: str) -> None:
    sign_in(client, make_account(role, facilities=(shop.pekalongan,) if role == "coordinator" else ()))
    for path in ("/admin/synonyms", "/admin/searches", "/admin/synonyms/1"):
        assert client.get(path).status_code in (403, 404)
    for path in ("/admin/synonyms", "/admin/searches"):
        assert post(client, path, {"terms": "batik, sinjang"}).status_code in (403, 404)
