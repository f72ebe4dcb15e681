"""What pages say of themselves to search engines, to whoever shares them, and to a phone that installs the shop."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.catalogue.rating import Rating
from storefront.media.cards import Card, draw
from storefront.media.pictures import encode, inspect
from storefront.media.storage import public_files
from tests.factories import make_photo, make_product, make_variant, make_workshop
from tests.selling import Shop, open_shop

Thing = dict[str, Any]
PUBLIC = [
    *("/", "/products", "/products?category=kerajinan", "/products/kain-batik"),
    *("/facilities", "/facilities/lapas-pkl", "/impact", "/help"),
]
#: Fields without which Google takes no notice of a thing (Search Central, structured data, 2026), by its type.
REQUIRED = {
    "Product": {"name", "image", "offers"},
    "Offer": {"price", "priceCurrency", "availability", "itemCondition", "url", "seller"},
    "AggregateRating": {"ratingValue", "reviewCount"},
    "BreadcrumbList": {"itemListElement"},
    "ListItem": {"position", "name"},
    "Organization": {"name"},
    "WebSite": {"name", "url"},
    "SearchAction": {"target", "query-input"},
    "OfferShippingDetails": {"shippingDestination", "deliveryTime"},
    "DefinedRegion": {"addressCountry"},
    "ShippingDeliveryTime": {"handlingTime"},
    "QuantitativeValue": {"unitCode"},
}
AVAILABILITIES = {"InStock", "LimitedAvailability", "MadeToOrder", "SoldOut"}


@pytest.fixture
def shop(db_session: Session, run_jobs: Callable[[], None]) -> Shop:
    shop = open_shop()
    for variant in (shop.batik, shop.chair, shop.tempeh, shop.honey):
        make_photo(variant.product)
    db_session.commit()
    run_jobs()
    return shop


def things_of(page: str) -> list[Thing]:
    """The data blocks of a page, each judged by what Google asks of its type."""
    found = [
        json.loads(block)
        for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    ]
    for thing in found:
        assert thing["@context"] == "https://schema.org"
        judge(thing)
    return found


def judge(thing: Any) -> None:
    if isinstance(thing, list):
        for part in thing:
            judge(part)
    elif isinstance(thing, dict):
        kind = thing.get("@type")
        assert REQUIRED.get(kind, set()) <= set(thing), (kind, thing)
        for name, value in thing.items():
            if name in ("url", "item", "logo", "urlTemplate"):
                assert value.startswith("http://localhost/"), (name, value)
            assert value not in ("", None, []), name
            judge(value)


def one(things: list[Thing], kind: str) -> Thing:
    (found,) = [thing for thing in things if thing["@type"] == kind]
    return found


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", PUBLIC)
def test_every_public_page_says_what_it_is_where_it_is_shared(
    client: FlaskClient, shop: Shop, path: str, prefix: str
) -> None:
    page = client.get(prefix + path).text
    tags = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', page))
    assert tags["og:url"] == f"http://localhost{prefix}{path}"
    assert re.findall(r'<link rel="canonical" href="([^"]+)">', page) == [tags["og:url"]]
    alternates = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', page))
    assert alternates == {
        "id": f"http://localhost{path}", "en": f"http://localhost/en{path}", "x-default": f"http://localhost{path}",
    }  # fmt: skip
    assert tags["og:title"] in re.sub(r"\s+", " ", page.partition("<title>")[2])
    assert all(tags[name] for name in ("og:description", "og:site_name", "og:image:alt"))
    assert tags["og:locale"] == ("en_US" if prefix else "id_ID")
    assert tags["twitter:card"] == "summary_large_image"
    picture = client.get(tags["og:image"].removeprefix("http://localhost"))
    assert picture.mimetype == "image/jpeg"
    image = Image.open(io.BytesIO(picture.data))
    assert image.size == (int(tags["og:image:width"]), int(tags["og:image:height"])) == (1200, 630)
    things_of(page)


@pytest.mark.parametrize("path", [*PUBLIC, "/cart", "/offline"])
def test_every_picture_comes_in_small_formats_and_with_its_size(
    client: FlaskClient, shop: Shop, path: str
) -> None:
    """So nothing jumps when it arrives, and a phone fetches no more than it shows."""
    page = client.get(path).text
    pictures = re.findall(r"<img [^>]+>", page)
    assert pictures
    for picture in pictures:
        assert re.search(r' width="\d+" height="\d+"', picture), picture
        assert ' alt="' in picture, picture
    for picture in re.findall(r"<picture>.*?</picture>", page, re.S):
        assert re.findall(r'<source type="image/(\w+)"', picture) == ["avif", "webp"]
        assert picture.count("srcset=") == 2
        assert picture.count(" sizes=") == 2
    assert page.count("<picture>") == len([p for p in pictures if "/media/" in p])


def test_the_front_page_says_who_runs_the_shop_and_how_to_search_it(client: FlaskClient, shop: Shop) -> None:
    things = things_of(client.get("/en/").text)
    who, site = one(things, "Organization"), one(things, "WebSite")
    assert who["address"]["addressCountry"] == "ID"
    assert client.get(who["logo"].removeprefix("http://localhost")).mimetype == "image/png"
    target = site["potentialAction"]["target"]["urlTemplate"]
    assert target == "http://localhost/en/products?q={search_term_string}"
    assert client.get("/en/products?q=batik").status_code == 200


def test_a_product_is_told_with_an_honest_offer_for_each_variant(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    tea = make_product(make_workshop(shop.ambon), slug="teh", title="Teh </script><script>alert(1)</script>")
    make_photo(tea)
    make_variant(tea, sku="TEH-1", title="Kecil", price=10_000, made_to_order=True, lead_time_days=9)
    make_variant(tea, sku="TEH-2", title="Besar", price=18_000)
    db_session.commit()
    page = client.get("/products/teh").text
    assert "<script>alert(1)" not in page
    product = one(things_of(page), "Product")
    assert product["name"] == "Teh </script><script>alert(1)</script>"
    small, large = product["offers"]
    assert (small["price"], small["priceCurrency"], small["sku"]) == (10_000, "IDR", "TEH-1")
    assert small["availability"].endswith("/MadeToOrder")
    assert small["shippingDetails"]["deliveryTime"]["handlingTime"]["maxValue"] == 9
    assert small["shippingDetails"]["shippingDestination"]["addressCountry"] == "ID"
    assert large["availability"].endswith("/SoldOut")
    assert "aggregateRating" not in product
    cloth = one(things_of(client.get("/products/kain-batik").text), "Product")
    assert cloth["offers"]["availability"].endswith("/InStock")
    assert cloth["image"][0].startswith("http://localhost/media/")
    honey = one(things_of(client.get("/products/madu").text), "Product")
    assert honey["offers"]["availability"].endswith("/LimitedAvailability")
    tempeh = one(things_of(client.get("/products/tempe").text), "Product")
    assert tempeh["offers"]["shippingDetails"]["shippingDestination"]["addressRegion"] == "Jawa Tengah"


def test_what_is_only_collected_is_not_said_to_be_sent(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    db_session.execute(text("UPDATE products SET delivery_scope = 'pickup' WHERE slug = 'madu'"))
    db_session.commit()
    offer = one(things_of(client.get("/products/madu").text), "Product")["offers"]
    assert offer["availableDeliveryMethod"].endswith("/OnSitePickup")
    assert "shippingDetails" not in offer


def test_a_rating_is_told_only_where_there_are_public_reviews(
    client: FlaskClient, shop: Shop, owner_connection: psycopg.Connection
) -> None:
    for reviews, stars, told in ((0, 0, None), (3, 14, "4.7")):
        # What reviews write by their trigger, for the web may not.
        owner_connection.execute(
            """INSERT INTO product_ratings (product_id, stars, reviews) VALUES (%s, %s, %s)
               ON CONFLICT (product_id) DO UPDATE SET stars = excluded.stars, reviews = excluded.reviews""",
            [shop.batik.product_id, stars, reviews],
        )
        owner_connection.commit()
        rating = one(things_of(client.get("/products/kain-batik").text), "Product").get("aggregateRating")
        assert (rating and rating["ratingValue"]) == told
        assert rating is None or (rating["reviewCount"], rating["bestRating"]) == (3, 5)
    assert [Rating(stars, count).average for stars, count in ((5, 1), (9, 2), (13, 3), (1, 1))] == [
        "5.0",
        "4.5",
        "4.3",
        "1.0",
    ]


def test_breadcrumbs_say_the_way_that_the_page_shows(client: FlaskClient, shop: Shop) -> None:
    crumbs = one(things_of(client.get("/en/products/kain-batik").text), "BreadcrumbList")["itemListElement"]
    assert [step["position"] for step in crumbs] == [1, 2, 3]
    assert crumbs[1]["item"] == "http://localhost/en/products?category=kerajinan"
    assert (crumbs[2]["name"], "item" in crumbs[2]) == ("Batik cloth", False)


def picture_address(client: FlaskClient, path: str) -> str:
    found = re.search(r'property="og:image" content="http://localhost([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def test_a_products_card_is_drawn_once_and_anew_when_the_product_changes(
    client: FlaskClient, shop: Shop, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Card] = []
    monkeypatch.setattr(
        "storefront.media.cards.draw", lambda card, photo: drawn.append(card) or draw(card, photo)
    )
    address = picture_address(client, "/products/kain-batik")
    first = client.get(address)
    assert first.status_code == 200
    assert "immutable" in first.headers["Cache-Control"]
    assert client.get(address).data == first.data
    assert len(drawn) == 1
    assert (drawn[0].title, drawn[0].lines) == (
        "Kain batik",
        ("Karya bengkel Batik", "Lapas Kelas IIA Pekalongan"),
    )
    assert drawn[0].note == "DATA CONTOH"
    english = picture_address(client, "/en/products/kain-batik")
    assert english.startswith("/en/share/kain-batik/")
    assert english.rpartition("/")[2] != address.rpartition("/")[2]
    db_session.execute(text("UPDATE products SET title = 'Kain batik tulis' WHERE slug = 'kain-batik'"))
    db_session.commit()
    changed = picture_address(client, "/products/kain-batik")
    assert changed != address
    old = client.get(address)
    assert (old.status_code, old.location) == (302, changed)
    assert client.get("/share/tidak-ada/x.jpg").status_code == 404


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_card_shows_the_products_photo(
    client: FlaskClient, shop: Shop, db_session: Session, mode: str
) -> None:
    picture = Image.new(mode, (900, 700), (200, 30, 30) if mode == "RGB" else (0, 0, 0, 0))
    if mode == "RGBA":
        picture.paste((200, 30, 30, 255), (300, 200, 600, 500))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    known, store = inspect(buffer.getvalue()), public_files()
    for key, content in encode(buffer.getvalue()).items():
        store.write(key, content)
    db_session.execute(
        text("UPDATE photos SET key = :key, widths = :widths, tint = 'c3' WHERE product_id = :id"),
        {"key": known.key, "widths": list(known.widths), "id": shop.batik.product_id},
    )
    db_session.commit()
    card = Image.open(io.BytesIO(client.get(picture_address(client, "/products/kain-batik")).data))
    red, corner = card.getpixel((920, 315)), card.getpixel((1190, 10))
    assert isinstance(red, tuple)
    assert isinstance(corner, tuple)
    assert red[0] > 180 > 60 > red[1]
    assert (corner[0] > 180 > 60 > corner[1]) == (
        mode == "RGB"
    )  # a photograph fills it, a cut-out lies on its ground


@pytest.mark.parametrize("title", ["x" * 140, "Kursi " * 23, "日本 🪑 kursi", "A", "🪑🪑🪑"])
def test_any_title_can_be_drawn(title: str) -> None:
    made = Image.open(
        io.BytesIO(draw(Card(title, ("Karya", "y" * 200), "Karya Binaan", "DATA CONTOH"), None))
    )
    assert made.size == (1200, 630)


@pytest.mark.parametrize(("prefix", "language"), [("", "id"), ("/en", "en")])
def test_the_shop_can_be_installed_in_either_language(
    client: FlaskClient, shop: Shop, prefix: str, language: str
) -> None:
    page = client.get(f"{prefix}/").text
    assert f'<link rel="manifest" href="{prefix}/manifest.webmanifest">' in page
    assert page.count('<meta name="theme-color"') == 2
    answer = client.get(f"{prefix}/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    told = json.loads(answer.text)
    assert (told["lang"], told["start_url"], told["display"]) == (language, f"{prefix}/", "standalone")
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    for icon in told["icons"]:
        file = client.get(icon["src"])
        assert file.mimetype == icon["type"]
        if icon["type"] == "image/png":
            size = int(icon["sizes"].partition("x")[0])
            assert Image.open(io.BytesIO(file.data)).size == (size, size)
    assert all(client.get(entry["url"]).status_code in (200, 302, 303) for entry in told["shortcuts"])
    assert (
        client.get(
            f"{prefix}/manifest.webmanifest", headers={"If-None-Match": answer.headers["ETag"]}
        ).status_code
        == 304
    )


def test_the_worker_is_served_from_the_root_and_never_kept(client: FlaskClient, shop: Shop) -> None:
    answer = client.get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    listed = json.loads(re.search(r"const FILES = (\[.*\]);", answer.text)[1])  # type: ignore[index]
    assert len(listed) == 9
    assert all(client.get(file).status_code == 200 for file in listed)
    others = json.loads(re.search(r"const OTHERS = (\[.*\]);", answer.text)[1])  # type: ignore[index]
    assert {"/seller", "/finance", "/admin", "/counter", "/api", "/webhooks"} <= set(others)
    assert client.get("/offline").status_code == client.get("/en/offline").status_code == 200


def test_one_switch_takes_the_worker_back(make_app: Callable[..., Flask], shop: Shop) -> None:
    client = make_app(SERVICE_WORKER="off").test_client()
    worker = client.get("/sw.js").text
    assert "unregister()" in worker
    assert '"fetch"' not in worker
    assert 'rel="manifest"' not in client.get("/").text  # so no page registers it anew
