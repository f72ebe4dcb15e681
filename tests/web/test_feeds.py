"""What machines read of the shop: sitemap, Google's product feed, the catalogue for other shop windows."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import tracemalloc
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.blueprints.shop.machines import PAGES
from storefront.catalogue import feed, open_feed, sitemap
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.content import pages
from storefront.extensions import db
from tests.factories import make_order, make_photo, make_product, make_variant, make_workshop
from tests.selling import Shop, open_shop

GOOGLE = "{http://base.google.com/ns/1.0}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"
#: What Google's product data specification asks of every product, and what it knows besides; `g:` is theirs.
REQUIRED = {"g:id", "title", "description", "link", "g:availability", "g:price", "g:condition", "g:brand"}
KNOWN = REQUIRED | {
    "g:image_link", "g:additional_image_link", "g:identifier_exists", "g:product_type", "g:google_product_category",
    "g:shipping_weight", "g:shipping_label", "g:ships_from_country", "g:min_handling_time", "g:max_handling_time",
    "g:item_group_id", "g:canonical_link", "g:excluded_destination",
}  # fmt: skip


def parsed(content: bytes) -> ElementTree.Element:
    """The root of a document of our own; a parser of XML is the judge of its validity."""
    return ElementTree.fromstring(content)  # noqa: S314


@pytest.fixture
def shop(db_session: Session, run_jobs: Callable[[], None]) -> Shop:
    shop = open_shop()
    run_jobs()
    db_session.commit()
    return shop


def odd_tea(shop: Shop) -> None:
    """A product with two variants, signs that XML forbids, a formula for a title, and twelve pictures."""
    tea = make_product(
        make_workshop(shop.ambon), title='=Teh & <madu> \x07 "asli"', slug="teh", delivery_scope="pickup"
    )
    for number in range(12):
        make_photo(tea, key=f"photos/aa/{number:032x}", position=number)
    make_variant(tea, sku="TEH-1", title="Kecil", title_en="Small", price=10_000, stock=9)
    make_variant(tea, sku="TEH-2", title="Besar", price=18_000)
    refresh_shown_state(None)
    db.session.commit()


def test_the_sitemap_names_every_page_in_both_languages_and_when_it_changed(
    client: FlaskClient, shop: Shop
) -> None:
    index = client.get("/sitemap.xml")
    assert index.mimetype == "application/xml"
    files = {e.findtext(f"{SITEMAP}loc"): e.findtext(f"{SITEMAP}lastmod") for e in parsed(index.data)}
    today = datetime.datetime.now(datetime.UTC).date()
    assert "http://localhost/sitemap-pages.xml" in files
    ((part, changed),) = (item for item in files.items() if item[0] != "http://localhost/sitemap-pages.xml")
    assert re.fullmatch(r"http://localhost/sitemap-\d+\.xml", str(part))
    assert changed is not None
    assert abs(datetime.date.fromisoformat(changed) - today).days <= 1
    found: set[str | None] = set()
    for address in files:
        answer = client.get(str(address).removeprefix("http://localhost"))
        assert answer.status_code == 200
        for url in parsed(answer.data):
            found.add(url.findtext(f"{SITEMAP}loc"))
            alternates = {link.get("hreflang"): link.get("href") for link in url.iter(LINK)}
            assert set(alternates) == {"id", "en", "x-default"}
            assert url.findtext(f"{SITEMAP}loc") in alternates.values()
    assert {
        "http://localhost/",
        "http://localhost/en/products/kain-batik",
        "http://localhost/facilities/lapas-nml",
        "http://localhost/products?category=kerajinan",
        *(f"http://localhost/pages/{slug}" for slug in pages.SLUGS),
    } <= found
    assert len(found) == 2 * (len(PAGES) + len(pages.SLUGS) + 2 + 1 + 4)


def test_every_address_of_the_sitemap_is_its_pages_canonical_one(client: FlaskClient, shop: Shop) -> None:
    for file in parsed(client.get("/sitemap.xml").data):
        part = str(file.findtext(f"{SITEMAP}loc")).removeprefix("http://localhost")
        for loc in parsed(client.get(part).data).iter(f"{SITEMAP}loc"):
            path = str(loc.text).removeprefix("http://localhost")
            page = client.get(path)
            assert page.status_code == 200, path
            assert f'<link rel="canonical" href="{loc.text}">' in page.text, path
            assert page.text.count('rel="alternate" hreflang=') == 3


def test_a_part_is_a_span_of_ids_and_answers_304(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "PART", 1)
    index = client.get("/sitemap.xml?fresh").text
    numbers = [int(n) for n in re.findall(r"sitemap-(\d+)\.xml", index)]
    assert len(numbers) == 4
    first = client.get(f"/sitemap-{numbers[0]}.xml")
    assert first.text.count("<loc>") == 2
    again = client.get(f"/sitemap-{numbers[0]}.xml", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"/sitemap-{max(numbers) + 1}.xml").status_code == 404


def test_googles_feed_holds_every_variant_with_what_google_asks_for(client: FlaskClient, shop: Shop) -> None:
    odd_tea(shop)
    answer = client.get("/feeds/products.xml")
    items = {item.findtext(f"{GOOGLE}id"): item for item in parsed(answer.data).iter("item")}
    assert set(items) == {"PKL-BATIK", "PKL-KURSI", "PKL-TEMPE", "NML-MADU", "TEH-1", "TEH-2"}
    for item in items.values():
        names = [child.tag.replace(GOOGLE, "g:") for child in item]
        assert set(names) >= REQUIRED
        assert set(names) <= KNOWN
        assert all(names.count(name) == 1 for name in REQUIRED)
        assert re.fullmatch(r"[1-9]\d* IDR", item.findtext(f"{GOOGLE}price") or "")
        assert re.fullmatch(r"\d+ g", item.findtext(f"{GOOGLE}shipping_weight") or "")
        assert item.findtext(f"{GOOGLE}availability") in ("in_stock", "out_of_stock")
        assert 0 < len(item.findtext("title") or "") <= 150
        assert 0 < len(item.findtext("description") or "") <= 5000
    tea = items["TEH-1"]
    assert tea.findtext("title") == '=Teh & <madu>  "asli" · Kecil'
    assert tea.findtext(f"{GOOGLE}price") == "10000 IDR"
    assert tea.findtext(f"{GOOGLE}item_group_id") == "teh"
    assert tea.findtext("link") == "http://localhost/products/teh?sku=TEH-1"
    assert (tea.findtext(f"{GOOGLE}image_link") or "").startswith("http://localhost/media/photos/aa/")
    assert len(tea.findall(f"{GOOGLE}additional_image_link")) == 10
    assert [e.text for e in tea.findall(f"{GOOGLE}excluded_destination")] == ["Shopping_ads", "Free_listings"]
    assert items["TEH-2"].findtext(f"{GOOGLE}availability") == "out_of_stock"
    assert items["PKL-KURSI"].findtext(f"{GOOGLE}max_handling_time") == "14"
    assert items["PKL-BATIK"].find(f"{GOOGLE}item_group_id") is None
    assert "DATA CONTOH" in answer.text
    assert "Content-Length" not in answer.headers
    small = client.get("/feeds/products.xml", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    again = client.get("/feeds/products.xml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    english = parsed(client.get("/en/feeds/products.xml").data)
    assert {i.findtext("link") for i in english.iter("item")} >= {"http://localhost/en/products/madu"}


def lines_of(client: FlaskClient, since: str = "", prefix: str = "") -> dict[str, dict[str, Any]]:
    answer = client.get(f"{prefix}/feeds/catalogue.jsonl" + (f"?since={since}" if since else ""))
    assert answer.status_code == 200
    assert answer.mimetype == "application/x-ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    return {line["id"]: line for line in found}


def test_the_open_feed_says_all_that_another_window_needs(client: FlaskClient, shop: Shop) -> None:
    odd_tea(shop)
    lines = lines_of(client)
    assert set(lines) == {"PKL-BATIK", "PKL-KURSI", "PKL-TEMPE", "NML-MADU", "TEH-1", "TEH-2"}
    assert all(tuple(line) == open_feed.COLUMNS for line in lines.values())
    cloth, chair, small = lines["PKL-BATIK"], lines["PKL-KURSI"], lines["TEH-1"]
    assert (cloth["price"], cloth["currency"], cloth["weight_g"], cloth["status"]) == (
        100_000,
        "IDR",
        500,
        "on_sale",
    )
    assert (cloth["facility"], cloth["facility_name"], cloth["workshop"]) == (
        "PKL",
        "Lapas Kelas IIA Pekalongan",
        "Batik",
    )
    assert (cloth["stock"], cloth["stock_at_least"]) == ("ready", 4)
    assert (chair["stock"], chair["stock_at_least"], chair["lead_time_days"]) == ("made_to_order", None, 14)
    assert (lines["NML-MADU"]["stock"], lines["NML-MADU"]["stock_at_least"]) == ("few_left", 1)
    assert (small["variant"], small["variant_en"], small["product"]) == ("Kecil", "Small", "teh")
    assert small["image_9"].startswith("http://localhost/media/photos/aa/")
    assert cloth["url_en"] == "http://localhost/en/products/kain-batik"
    assert cloth["note"] == "DATA CONTOH"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", cloth["changed_at"])


def test_the_csv_holds_the_same_and_no_formula(client: FlaskClient, shop: Shop) -> None:
    odd_tea(shop)
    answer = client.get("/feeds/catalogue.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))
    assert tuple(rows[0]) == open_feed.COLUMNS
    lines = lines_of(client)
    assert {row["id"] for row in rows} == set(lines)
    for row in rows:
        for name, value in lines[row["id"]].items():
            written = "" if value is None else str(value)
            assert row[name] in (written, f"'{written}"), name
    tea = next(row for row in rows if row["id"] == "TEH-1")
    assert tea["title"].startswith("'=Teh")


def all_of_it_is_old(owner: psycopg.Connection) -> None:
    """The last change lies a day back; the web's role cannot write that."""
    owner.execute("UPDATE catalogue_changes SET changed_at = now() - interval '1 day'")
    owner.commit()


CHANGES: list[tuple[str, set[str]]] = [
    ("UPDATE variants SET price = price + 1000 WHERE sku = 'PKL-BATIK'", {"PKL-BATIK"}),
    ("UPDATE products SET title_en = 'Cloth of the sea' WHERE slug = 'kain-batik'", {"PKL-BATIK"}),
    ("UPDATE stock_levels SET shown_state = 'sold_out' FROM variants v WHERE v.id = variant_id AND sku = 'TEH-1'",
     {"TEH-1", "TEH-2"}),
    ("DELETE FROM photos WHERE position = 11", {"TEH-1", "TEH-2"}),
    ("UPDATE facilities SET status = 'suspended' WHERE code = 'NML'", {"NML-MADU", "TEH-1", "TEH-2"}),
    ("UPDATE categories SET name = 'Kriya' WHERE slug = 'kerajinan'",
     {"PKL-BATIK", "PKL-KURSI", "PKL-TEMPE", "NML-MADU", "TEH-1", "TEH-2"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), CHANGES, ids=[c[0][:40] for c in CHANGES])
def test_what_changed_is_told_and_nothing_else(
    client: FlaskClient,
    shop: Shop,
    db_session: Session,
    owner_connection: psycopg.Connection,
    change: str,
    told: set[str],
) -> None:
    odd_tea(shop)
    all_of_it_is_old(owner_connection)
    until = client.get("/feeds/catalogue.jsonl").headers["Feed-Until"]
    assert lines_of(client, until) == {}
    db_session.execute(text(change))
    db_session.commit()
    assert set(lines_of(client, until)) == told


def test_what_is_no_longer_on_sale_is_named_and_nothing_more_said_of_it(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    odd_tea(shop)
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = 'kain-batik'"))
    db_session.execute(text("UPDATE variants SET is_active = false WHERE sku = 'TEH-2'"))
    make_variant(make_product(slug="draf", status="draft", published_at=None, title="Rahasia"), sku="DRAF-1")
    db_session.commit()
    assert not {"PKL-BATIK", "TEH-2", "DRAF-1"} & set(lines_of(client))
    changed = lines_of(client, "2020-01-01")
    assert (changed["PKL-BATIK"]["status"], changed["TEH-2"]["status"]) == ("removed", "removed")
    assert changed["TEH-1"]["status"] == "on_sale"
    assert changed["PKL-BATIK"]["title"] == ""
    assert changed["PKL-BATIK"]["price"] is None
    assert "DRAF-1" not in changed


def test_a_purchase_changes_nothing_until_what_is_shown_changes(
    client: FlaskClient,
    shop: Shop,
    db_session: Session,
    owner_connection: psycopg.Connection,
    run_jobs: Callable[[], None],
) -> None:
    all_of_it_is_old(owner_connection)
    until = client.get("/feeds/catalogue.jsonl").headers["Feed-Until"]
    make_order((shop.batik, 3))
    db_session.commit()
    assert lines_of(client, until) == {}
    run_jobs()
    assert lines_of(client, until)["PKL-BATIK"]["stock"] == "few_left"


@pytest.mark.parametrize(("since", "status"), [
    ("2026-11-24T09:30:00Z", 200), ("2026-11-24T09:30:00+07:00", 200), ("0001-01-01", 200), ("9999-12-31", 200),
    ("kemarin", 422), ("%00", 422), ("'; DROP", 422), ("", 200),
])  # fmt: skip
def test_a_moment_that_cannot_be_read_is_refused_with_how_to_write_it(
    client: FlaskClient, shop: Shop, since: str, status: int
) -> None:
    answer = client.get(f"/feeds/catalogue.jsonl?since={since}")
    assert answer.status_code == status
    if status == 422:
        assert answer.mimetype == "application/problem+json"
        assert "2026-11-24T09:30:00Z" in answer.json["errors"]["since"]


def test_memory_stays_flat_however_long_the_catalogue_is(
    app: Flask, shop: Shop, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four thousand products take no more memory than one batch: the answer is never held whole."""
    db_session.execute(
        text("""INSERT INTO products (facility_id, workshop_id, category_id, slug, title, description, status,
                                      published_at)
                SELECT facility_id, workshop_id, category_id, 'salinan-' || n, title || ' ' || n, repeat('Kata ', 200),
                       'published', now()
                  FROM products, generate_series(1, 2000) n WHERE slug = 'kain-batik'""")
    )
    db_session.execute(
        text("""INSERT INTO variants (product_id, sku, price, weight_g)
                SELECT id, 'SALINAN-' || id, 1000, 100 FROM products WHERE slug LIKE 'salinan-%'""")
    )
    db_session.commit()
    for module in (feed, open_feed, sitemap):
        monkeypatch.setattr(module, "BATCH", 100)
    engine, wish = db.engine, open_feed.Wish(None, "http://localhost", "")
    number = db_session.execute(text("SELECT (max(product_id) - 1) / 10000 + 1 FROM listings")).scalar_one()
    for stream in (
        lambda: feed.feed_xml(engine, "x", "http://localhost", "http://localhost", "id"),
        lambda: open_feed.as_json_lines(engine, wish),
        lambda: open_feed.as_csv(engine, wish),
        lambda: sitemap.part_xml(engine, number, "http://localhost"),
    ):
        tracemalloc.start()
        size = sum(len(piece) for piece in stream())
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > 500_000
        assert peak < min(size, 3_000_000)
