"""The sitemap (sitemaps.org 0.9): every public page in both languages, each naming the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import text

from storefront.catalogue.xml import element, xml_text
from storefront.extensions import db

#: Products in one file; with both languages 20,000 addresses, of 50,000 that are allowed.
PART = 10_000
PAGES = (
    *("/", "/products", "/facilities", "/impact", "/help", "/pages/how-it-works", "/pages/where-the-money-goes"),
    *("/pages/how-to-shop", "/pages/returns", "/pages/privacy", "/pages/contact", "/pages/media", "/pages/terms"),
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

COUNT = text("SELECT count(*) FROM listings")
PRODUCTS = text(
    """SELECT '/products/' || p.slug, p.updated_at::date FROM listings l JOIN products p ON p.id = l.product_id
        ORDER BY l.product_id LIMIT :limit OFFSET :offset"""
)
FACILITIES = text("SELECT '/facilities/' || slug FROM facilities WHERE status = 'active' ORDER BY id")


def part_count() -> int:
    """How many files the sitemap needs, at least one."""
    return max(1, -(-db.session.execute(COUNT).scalar_one() // PART))


def index_xml(addresses: Sequence[str]) -> str:
    """The index that names each part."""
    parts = "\n".join(f"<sitemap>{element('loc', address)}</sitemap>" for address in addresses)
    return f'{HEAD}<sitemapindex xmlns="{NAMESPACE}">\n{parts}\n</sitemapindex>\n'


def part_xml(number: int, base_url: str) -> str:
    """Part `number`, from 1; the first one also holds the pages that are no products."""
    entries: list[tuple[str, object]] = []
    if number == 1:
        entries += [(page, None) for page in PAGES]
        entries += [(path, None) for path in db.session.execute(FACILITIES).scalars()]
    window = {"limit": PART, "offset": (number - 1) * PART}
    entries += [(path, day) for path, day in db.session.execute(PRODUCTS, window)]
    body = "\n".join(_urls(entries, base_url))
    return (
        f'{HEAD}<urlset xmlns="{NAMESPACE}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n{body}\n</urlset>\n'
    )


def _urls(entries: Iterable[tuple[str, object]], base_url: str) -> Iterator[str]:
    for path, day in entries:
        addresses = {"id": base_url + path, "en": f"{base_url}/en{path}"}
        alternates = "".join(
            f'<xhtml:link rel="alternate" hreflang="{language}" href="{xml_text(address)}"/>'
            for language, address in addresses.items()
        )
        changed = element("lastmod", day) if day else ""
        for address in addresses.values():
            yield f"<url>{element('loc', address)}{changed}{alternates}</url>"
