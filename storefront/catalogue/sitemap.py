"""The sitemap (sitemaps.org 0.9): every public page in both languages, each naming the other.

An index names one file for the pages and one for each span of products, with the day when anything in it changed
last. A span is a span of ids, so that what changes in one leaves the others as they are.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Engine, text

from storefront.catalogue.xml import element, xml_text
from storefront.extensions import db

#: Ids of products in one file; with both languages 20,000 addresses, of 50,000 that are allowed, in about 10 of 50 MB.
PART = 10_000
BATCH = 1000
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

PARTS = text(
    """SELECT (l.product_id - 1) / :part + 1 AS number, max(c.changed_at)::date AS changed
         FROM listings l JOIN catalogue_changes c ON c.product_id = l.product_id GROUP BY 1 ORDER BY 1"""
)
PRODUCTS = text(
    """SELECT p.id, '/products/' || p.slug AS path, c.changed_at::date AS changed
         FROM listings l JOIN products p ON p.id = l.product_id JOIN catalogue_changes c ON c.product_id = p.id
        WHERE l.product_id > :after AND l.product_id <= :last ORDER BY l.product_id LIMIT :limit"""
)
FACILITIES = text("SELECT '/facilities/' || slug FROM facilities WHERE status = 'active' ORDER BY id")
CATEGORIES = text(
    """SELECT DISTINCT '/products?category=' || c.slug FROM listings l JOIN categories c ON c.id = l.category_id
        ORDER BY 1"""
)


def parts() -> list[tuple[int, datetime.date]]:
    """Number of each file with products, and the day of its last change."""
    return [(row.number, row.changed) for row in db.session.execute(PARTS, {"part": PART})]


def index_xml(entries: Iterable[tuple[str, datetime.date | None]]) -> str:
    """The index that names each file, with the day of its last change where that is known."""
    found = "\n".join(
        f"<sitemap>{element('loc', address)}{element('lastmod', day) if day else ''}</sitemap>"
        for address, day in entries
    )
    return f'{HEAD}<sitemapindex xmlns="{NAMESPACE}">\n{found}\n</sitemapindex>\n'


def pages_xml(pages: Iterable[str], base_url: str) -> str:
    """The pages that are no products: `pages` of the shop itself by their paths, facilities, categories."""
    paths: Sequence[str] = [
        *pages,
        *db.session.execute(FACILITIES).scalars(),
        *db.session.execute(CATEGORIES).scalars(),
    ]
    return "".join(_file([(path, None) for path in paths], base_url))


def part_xml(engine: Engine, number: int, base_url: str) -> Iterator[str]:
    """The file with the products of span `number`, from 1, in pieces of a thousand."""
    return _file(_products(engine, number), base_url)


def _products(engine: Engine, number: int) -> Iterator[tuple[str, datetime.date]]:
    """Reads through a connection of its own: a stream outlives the request's session."""
    after, last = (number - 1) * PART, number * PART
    with engine.connect() as connection:
        while rows := connection.execute(PRODUCTS, {"after": after, "last": last, "limit": BATCH}).all():
            yield from ((row.path, row.changed) for row in rows)
            after = rows[-1].id


def _file(entries: Iterable[tuple[str, datetime.date | None]], base_url: str) -> Iterator[str]:
    yield f'{HEAD}<urlset xmlns="{NAMESPACE}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    waiting: list[str] = []
    for path, day in entries:
        waiting += _urls(path, day, base_url)
        if len(waiting) >= BATCH:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting) + "</urlset>\n"


def _urls(path: str, day: datetime.date | None, base_url: str) -> Iterator[str]:
    addresses = {"id": base_url + path, "en": f"{base_url}/en{path}"}
    alternates = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{xml_text(address)}"/>'
        for language, address in {**addresses, "x-default": addresses["id"]}.items()
    )
    changed = element("lastmod", day) if day else ""
    for address in addresses.values():
        yield f"<url>{element('loc', address)}{changed}{alternates}</url>\n"
