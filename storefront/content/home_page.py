"""The front page on a day: its blocks with what they show, in one statement.

What is counted over all listings comes from what the process keeps of them (`catalogue/index_keeper.py`), and no part
of the statement reads more of a large shop than of a small one.

A block whose data are empty is left out. Figures are counted here, never written. A facility for children is never
featured, whatever a block asks for.
"""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from storefront.catalogue import bits
from storefront.catalogue.cards import CARD_COLUMNS, CARD_JOINS, ProductCard, cards, in_language
from storefront.catalogue.facility_pages import FacilityCard
from storefront.catalogue.filters import slug_of
from storefront.catalogue.index_keeper import current
from storefront.catalogue.known_words import KnownWords
from storefront.catalogue.listing_index import ListingIndex
from storefront.catalogue.seasons import Season, season_on
from storefront.catalogue.version import CatalogueVersion
from storefront.extensions import db

ROW, SAMPLE = 8, 6
#: Read beyond what is shown, so that no product need stand in two blocks.
SPARE = 2 * ROW
#: Newest products of a workshop, and newest that are ready, among which their rows are chosen.
RECENT, READIEST = 100, 250
NEWEST_FIRST = "(l.state = 'sold_out'), l.published_at DESC, l.product_id DESC"
#: Kinds that are a row of products.
ROWS = ("ready", "newest", "season", "category", "facility", "chosen")


def _cards(where: str, limit: int = ROW + SPARE) -> str:
    """A JSON array of cards, newest first."""
    return f"""(SELECT json_agg(card) FROM (
        SELECT {CARD_COLUMNS}
          FROM (SELECT l.* FROM listings l WHERE l.facility_id NOT IN (SELECT id FROM children) AND {where}
                 ORDER BY {NEWEST_FIRST} LIMIT {limit}) l
          {CARD_JOINS} ORDER BY {NEWEST_FIRST}) card)"""


#: Ready, and sent to anyone: one from each facility before a second from the same.
READY = f"""(SELECT json_agg(card) FROM (
    SELECT {CARD_COLUMNS}
      FROM (SELECT l.*, row_number() OVER (PARTITION BY l.facility_id ORDER BY {NEWEST_FIRST}) AS turn
              FROM listings l JOIN products p ON p.id = l.product_id
             WHERE l.product_id = ANY (CAST(:ready AS bigint[])) AND p.delivery_scope = 'nationwide'
             ORDER BY turn, {NEWEST_FIRST} LIMIT {ROW + SPARE}) l
      {CARD_JOINS} ORDER BY l.turn, {NEWEST_FIRST}) card)"""

#: Those that a curator named, in that order.
CHOSEN = f"""(SELECT json_agg(card) FROM (
    SELECT {CARD_COLUMNS}
      FROM (SELECT l.*, named.turn FROM listings l
              JOIN jsonb_array_elements_text(b.settings -> 'products') WITH ORDINALITY named (id, turn)
                ON named.id::bigint = l.product_id
             WHERE l.facility_id NOT IN (SELECT id FROM children)) l
      {CARD_JOINS} ORDER BY l.turn) card)"""

SEASON = _cards("l.product_id = ANY (CAST(:seasonal AS bigint[]))")
CATEGORY = _cards(
    """l.category_id IN (SELECT c.id FROM categories c
                          JOIN (SELECT COALESCE(merged_into_id, id) AS id FROM categories
                                 WHERE slug = b.settings ->> 'category') k ON k.id IN (c.id, c.parent_id))"""
)
FACILITY = _cards("l.facility_id = (SELECT id FROM facilities WHERE code = b.settings ->> 'facility')")

#: Of the workshop's newest, what can be bought now comes first.
WORKSHOP_ITEMS = _cards(
    f"""l.product_id = ANY (ARRAY (SELECT id FROM products WHERE workshop_id = w.id AND status = 'published'
                                    ORDER BY published_at DESC, id DESC LIMIT {RECENT}))""",
    SAMPLE,
)

#: The workshop that the block names, or each month another one of those that tell something of themselves.
WORKSHOP = f"""(SELECT to_json(told) FROM (
    SELECT w.name, w.about, w.about_en, w.facility_name, w.facility_slug, w.city, {WORKSHOP_ITEMS} AS items
      FROM (SELECT w.*, f.name AS facility_name, f.slug AS facility_slug, f.city
              FROM workshops w JOIN facilities f ON f.id = w.facility_id AND f.status = 'active' AND f.kind <> 'lpka'
             WHERE CASE WHEN b.settings ? 'workshop' THEN w.id = (b.settings ->> 'workshop')::bigint
                        ELSE w.about <> '' AND w.about_en <> '' AND w.id = ANY (CAST(:selling AS bigint[])) END
             ORDER BY md5(w.id::text || to_char(CAST(:day AS date), 'YYYYMM')) LIMIT 1) w) told)"""

EXHIBITIONS = """(SELECT json_agg(e) FROM (
    SELECT slug, name, venue, city, starts_on, ends_on FROM exhibitions
     WHERE CAST(:day AS date) BETWEEN starts_on AND ends_on ORDER BY starts_on DESC, id LIMIT 3) e)"""

CATEGORIES = """(SELECT json_agg(k ORDER BY k.position, k.name) FROM (
    SELECT k.slug, k.name, k.name_en, k.position, here.count
      FROM unnest(CAST(:categories AS bigint[]), CAST(:in_category AS bigint[])) here (id, count)
      JOIN categories k USING (id)) k)"""

#: Provinces by what they have on sale; facilities for children are counted there, by no name.
REGIONS = """(SELECT json_agg(r ORDER BY r.products DESC, r.name) FROM (
    SELECT r.name, sum(counted.products) AS products, count(*) AS facilities
      FROM counted JOIN facilities f ON f.id = counted.facility_id JOIN provinces r ON r.id = f.province_id
     GROUP BY r.id) r)"""

FACILITIES = f"""(SELECT json_agg(s) FROM (
    SELECT f.code, f.slug, f.name, f.city, f.kind, r.name AS province, counted.products
      FROM counted JOIN facilities f ON f.id = counted.facility_id JOIN provinces r ON r.id = f.province_id
     WHERE f.kind <> 'lpka' AND f.status = 'active'
     ORDER BY counted.products DESC, f.name LIMIT {SAMPLE}) s)"""

HOME = f"""
WITH counted (facility_id, products) AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:facilities AS bigint[]), CAST(:in_facility AS bigint[]))),
children AS MATERIALIZED (SELECT id FROM facilities WHERE kind = 'lpka')
SELECT (SELECT json_agg(found ORDER BY found.position, found.id) FROM (
          SELECT b.id, b.position, b.kind, b.title, b.title_en, b.body, b.body_en,
                 CASE b.kind WHEN 'newest' THEN {_cards("true")}
                             WHEN 'ready' THEN {READY}
                             WHEN 'season' THEN {SEASON}
                             WHEN 'category' THEN {CATEGORY}
                             WHEN 'facility' THEN {FACILITY}
                             WHEN 'chosen' THEN {CHOSEN}
                             WHEN 'workshop' THEN {WORKSHOP}
                             WHEN 'exhibition' THEN {EXHIBITIONS}
                             WHEN 'categories' THEN {CATEGORIES}
                             WHEN 'regions' THEN {REGIONS}
                             WHEN 'facilities' THEN {FACILITIES} END AS data,
                 CASE b.kind WHEN 'category' THEN (
                          SELECT to_json(k) FROM categories k
                            JOIN categories c ON k.id = COALESCE(c.merged_into_id, c.id)
                           WHERE c.slug = b.settings ->> 'category')
                             WHEN 'facility' THEN (
                          SELECT to_json(f) FROM (SELECT slug, name, city FROM facilities
                                                   WHERE code = b.settings ->> 'facility') f) END AS subject
            FROM home_blocks b
           WHERE b.removed_at IS NULL AND (b.is_published OR b.id = ANY (CAST(:drafts AS bigint[])))
             AND CAST(:day AS date) BETWEEN COALESCE(b.starts_on, '-infinity') AND COALESCE(b.ends_on, 'infinity')
       ) found) AS blocks,
       {_cards("true")} AS newest,
       (SELECT count(*) FROM counted JOIN facilities f ON f.id = counted.facility_id AND f.status = 'active')
       AS facilities"""


@dataclass(frozen=True)
class RunningExhibition:
    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date


@dataclass(frozen=True)
class ToldWorkshop:
    """A workshop that a block tells of."""

    name: str
    about: str
    facility_name: str
    facility_slug: str
    city: str


@dataclass
class Block:
    """One block as the page shows it; what it has depends on its kind."""

    id: int
    kind: str
    #: A curator's; empty: the kind's own words.
    title: str = ""
    #: Markdown.
    body: str = ""
    items: list[ProductCard] = field(default_factory=list)
    #: The season, category, facility, workshop, exhibitions, regions, … that it is about.
    about: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        if self.kind in ROWS:
            return not self.items
        if self.kind == "workshop":
            return self.about is None or not (self.items or self.body)
        if self.kind == "text":
            return not self.body
        return self.kind in ("exhibition", "categories", "regions", "facilities") and not self.about


@dataclass(frozen=True)
class HomePage:
    """The front page of a day."""

    #: Words of the opening; None: the shop's own.
    opening: Block | None
    #: The first row of products: it stands first, so that a product is seen on a phone without scrolling.
    first: Block | None
    blocks: list[Block]
    #: Three more of the newest, for wide screens.
    tiles: list[ProductCard]
    #: How many facilities sell, and how many products can be bought now.
    facilities_count: int
    products_count: int


def home_page(
    day: datetime.date, locale: str, drafts: tuple[int, ...] = (), version: CatalogueVersion | None = None
) -> HomePage:
    """The front page on the accounting day `day`; unpublished blocks only where `drafts` names them.

    At `version` of the catalogue or later; None: as it is now.
    """
    season, (index, words) = season_on(day), current(version)
    row: Any = db.session.execute(text(HOME), asked_of(day, drafts, index, words)).one()
    blocks = [_block(found, season.name if season else None, locale) for found in row.blocks or []]
    openings = [block for block in blocks if block.kind == "opening"]
    # Who looks at one draft wants to see that one.
    opening = next((block for block in openings if (block.id,) == drafts), openings[0] if openings else None)
    newest = cards(row.newest, locale)
    first = next((block for block in blocks if block.kind in ROWS and block.items), None)
    if first is None and newest:
        first = Block(0, "newest", items=newest)
    shown: set[str] = set()
    order = ([first] if first else []) + [b for b in blocks if b is not first and b.kind != "opening"]
    for block in order:
        block.items = _others(block.items, shown)[: SAMPLE if block is first else ROW]
        shown |= {card.slug for card in block.items}
    rest = [block for block in order if block is not first and not block.is_empty]
    in_first = {card.slug for card in first.items} if first else set()
    others = [card for card in newest if card.slug not in in_first]
    tiles = (others if len(others) >= 3 else newest)[:3]
    return HomePage(opening, first, rest, tiles, row.facilities, (index.alive & ~index.sold_out).bit_count())


def asked_of(
    day: datetime.date, drafts: tuple[int, ...], index: ListingIndex, words: KnownWords
) -> dict[str, Any]:
    """The parameters of the statement."""
    ready = bits.highest(index.featurable & index.available["ready"], 0, READIEST)
    selling = index.tally("workshop", index.alive & ~index.sold_out)
    return {
        "day": day,
        "drafts": list(drafts),
        "ready": [index.ids[slot] for slot in ready],
        "seasonal": _seasonal(season_on(day), index, words),
        "selling": [workshop_id for workshop_id, count in selling.items() if count],
        **_counts(index),
    }


def _counts(index: ListingIndex) -> dict[str, list[int]]:
    """Products by facility and by category, as parameters of the statement; those without any are left out."""
    found: dict[str, list[int]] = {}
    for column, name in (("facility", "facilities"), ("category", "categories")):
        counts = {value: count for value, count in index.tally(column, index.alive).items() if count}
        found |= {name: list(counts), f"in_{column}": list(counts.values())}
    return found


def _seasonal(season: Season | None, index: ListingIndex, words: KnownWords) -> list[int]:
    """The newest products of the season that can be bought now."""
    if season is None:
        return []
    found = words.of_query(season.words, index) & index.featurable & ~index.sold_out
    return [index.ids[slot] for slot in bits.highest(found, 0, ROW + SPARE)]


def _block(row: dict[str, Any], season: str | None, locale: str) -> Block:
    kind, data, subject = row["kind"], row["data"], row["subject"]
    block = Block(row["id"], kind, in_language(row, "title", locale), in_language(row, "body", locale))
    if kind in ROWS:
        block.items = cards(data, locale)
        if kind == "season":
            block.about = season
        elif subject:
            block.about = {**subject, "name": in_language(subject, "name", locale)} if kind == "category" else subject
    elif kind == "workshop" and data:
        block.items = cards(data["items"], locale)
        block.about = ToldWorkshop(
            data["name"],
            in_language(data, "about", locale),
            data["facility_name"],
            data["facility_slug"],
            data["city"],
        )
    elif kind == "exhibition":
        block.about = [_exhibition(found) for found in data or []]
    elif kind == "categories":
        block.about = [{**k, "name": in_language(k, "name", locale)} for k in data or []]
    elif kind == "regions":
        block.about = [{**r, "slug": slug_of(r["name"])} for r in data or []]
    elif kind == "facilities":
        block.about = [FacilityCard.of(found) for found in data or []]
    return block


def _others(found: list[ProductCard], shown: set[str]) -> list[ProductCard]:
    """The cards, first those that are not shown yet; a small shop must repeat itself."""
    return sorted(found, key=lambda card: card.slug in shown)


def _exhibition(row: dict[str, Any]) -> RunningExhibition:
    days = {name: datetime.date.fromisoformat(row[name]) for name in ("starts_on", "ends_on")}
    return RunningExhibition(row["slug"], row["name"], row["venue"], row["city"], **days)
