"""What the front page shows of the catalogue: chosen by rules, never by hand. One statement."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.catalogue.cards import CARD_COLUMNS, CARD_JOINS, ProductCard, cards, in_language
from storefront.catalogue.facility_pages import FacilityCard
from storefront.catalogue.seasons import seasonal_words
from storefront.extensions import db

BLOCK, CATEGORY_BLOCK, SAMPLE = 8, 6, 6
#: Read beyond what is shown, so that no product need stand in two blocks.
SPARE = 2 * BLOCK
NEWEST_FIRST = "(l.state = 'sold_out'), l.published_at DESC, l.product_id DESC"


def block(where: str, limit: int) -> str:
    """A JSON array of cards, newest first."""
    return f"""(SELECT json_agg(card) FROM (
        SELECT {CARD_COLUMNS}
          FROM (SELECT l.* FROM listings l {where} ORDER BY {NEWEST_FIRST} LIMIT {limit}) l
          {CARD_JOINS} ORDER BY {NEWEST_FIRST}) card)"""


#: Ready, and sent to anyone: one from each facility before a second from the same.
READY = f"""(SELECT json_agg(card) FROM (
    SELECT {CARD_COLUMNS}
      FROM (SELECT l.*, row_number() OVER (PARTITION BY l.facility_id ORDER BY {NEWEST_FIRST}) AS turn
              FROM (SELECT l.* FROM listings l JOIN products p ON p.id = l.product_id
                     WHERE l.state IN ('ready', 'few_left') AND p.delivery_scope = 'nationwide'
                     ORDER BY {NEWEST_FIRST} LIMIT 200) l
             ORDER BY turn, {NEWEST_FIRST} LIMIT {BLOCK}) l
      {CARD_JOINS} ORDER BY l.turn, {NEWEST_FIRST}) card)"""

SEASONAL = block(
    """WHERE l.state <> 'sold_out' AND l.product_id IN (
         SELECT id FROM products WHERE status = 'published' AND search @@ to_tsquery('simple', CAST(:season AS text))
          ORDER BY published_at DESC LIMIT 400)""",
    BLOCK + SPARE,
)

HOME = f"""
SELECT {block("", BLOCK + SPARE)} AS newest,
       {READY} AS ready,
       {SEASONAL} AS seasonal,
       (SELECT json_agg(part ORDER BY part.position, part.name) FROM (
          SELECT k.slug, k.name, k.name_en, k.position, counted.count,
                 {block("WHERE l.category_id = k.id", CATEGORY_BLOCK)} AS items
            FROM categories k
            JOIN (SELECT category_id, count(*) AS count FROM listings GROUP BY category_id) counted
              ON counted.category_id = k.id) part) AS categories,
       (SELECT count(*) FROM listings WHERE state <> 'sold_out') AS products,
       (SELECT json_agg(s) FROM (
          SELECT f.code, f.slug, f.name, f.city, f.kind, r.name AS province, counted.products
            FROM (SELECT facility_id, count(*) AS products FROM listings GROUP BY facility_id) counted
            JOIN facilities f ON f.id = counted.facility_id
            JOIN provinces r ON r.id = f.province_id
           WHERE f.kind <> 'lpka'
           ORDER BY counted.products DESC, f.name LIMIT {SAMPLE}) s) AS sample,
       (SELECT count(*) FROM facilities f WHERE f.status = 'active'
           AND EXISTS (SELECT FROM listings l WHERE l.facility_id = f.id)) AS facilities,
       (SELECT to_json(e) FROM (
          SELECT slug, name, venue, city, starts_on, ends_on FROM exhibitions
           WHERE CAST(:today AS date) BETWEEN starts_on AND ends_on ORDER BY starts_on DESC, id LIMIT 1) e)
       AS exhibition"""


@dataclass(frozen=True)
class CategoryBlock:
    """A category with some of its newest products."""

    slug: str
    name: str
    count: int
    items: list[ProductCard]


@dataclass(frozen=True)
class RunningExhibition:
    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date


@dataclass(frozen=True)
class HomePage:
    """The catalogue's part of the front page."""

    newest: list[ProductCard]
    #: Ready to be sent anywhere, from as many facilities as there are.
    ready: list[ProductCard]
    #: What people look for in this season; empty outside of one.
    seasonal: list[ProductCard]
    categories: list[CategoryBlock]
    #: Facilities with the most on sale.
    facilities: list[FacilityCard]
    #: How many facilities sell, and how many products can be bought now.
    facilities_count: int
    products_count: int
    exhibition: RunningExhibition | None


def home_page(today: datetime.date, locale: str) -> HomePage:
    """The front page on the accounting day `today`."""
    season = seasonal_words(today)
    row: Any = db.session.execute(text(HOME), {"season": season, "today": today}).one()
    ready = cards(row.ready, locale)
    newest = _others(cards(row.newest, locale), ready)
    return HomePage(
        newest=newest,
        ready=ready,
        seasonal=_others(cards(row.seasonal, locale), ready + newest),
        categories=[
            CategoryBlock(
                part["slug"], in_language(part, "name", locale), part["count"], cards(part["items"], locale)
            )
            for part in row.categories or []
        ],
        facilities=[FacilityCard.of(facility) for facility in row.sample or []],
        facilities_count=row.facilities,
        products_count=row.products,
        exhibition=_exhibition(row.exhibition),
    )


def _others(found: list[ProductCard], shown: list[ProductCard]) -> list[ProductCard]:
    """A block's worth of cards, first those that are not shown yet; a small shop must repeat itself."""
    known = {card.slug for card in shown}
    return sorted(found, key=lambda card: card.slug in known)[:BLOCK]


def _exhibition(row: Any) -> RunningExhibition | None:
    if row is None:
        return None
    days = {name: datetime.date.fromisoformat(row[name]) for name in ("starts_on", "ends_on")}
    return RunningExhibition(row["slug"], row["name"], row["venue"], row["city"], **days)
