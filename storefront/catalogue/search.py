"""The listing: which products answer a question, in which order, and how many stand behind each filter.

One statement for a page, its total and its counts, over `listings` (one narrow row for each product on
sale); with words a second one before it, which puts typing errors right. Figures at 100,000 products stand
in `docs/decisions/007-public-pages.md`.
"""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.catalogue.cards import CARD_COLUMNS, CARD_JOINS, ProductCard, cards
from storefront.catalogue.facets import Facets, facets_of
from storefront.catalogue.filters import Filters
from storefront.extensions import db

PAGE_SIZE = 24

SOLD_OUT_LAST = "(l.state = 'sold_out')"
ORDERS = {
    "newest": f"{SOLD_OUT_LAST}, l.published_at DESC, l.product_id DESC",
    "price_low": f"{SOLD_OUT_LAST}, l.price_from, l.product_id DESC",
    "price_high": f"{SOLD_OUT_LAST}, l.price_from DESC, l.product_id",
    "relevance": f"{SOLD_OUT_LAST}, rank DESC, l.published_at DESC, l.product_id DESC",
}

#: One condition on a listing `l` for each filter.
CONDITIONS = {
    "category": """l.category_id IN (SELECT c.id FROM categories c LEFT JOIN categories above ON above.id = c.parent_id
                    WHERE c.slug = ANY(:category) OR above.slug = ANY(:category))""",
    "facility": """l.facility_id IN (SELECT id FROM facilities
                    WHERE slug = ANY(:facility) OR lower(code) = ANY(:facility))""",
    "province": """l.facility_id IN (SELECT f.id FROM facilities f JOIN provinces p ON p.id = f.province_id
                    WHERE lower(regexp_replace(p.name, '[^A-Za-z0-9]+', '-', 'g')) = ANY(:province))""",
    "availability": "l.state = ANY(:states)",
    "min": "l.price_to >= :min",
    "max": "l.price_from <= :max",
}
#: Filters that have counts of their own: each is counted as if it were not set itself.
COUNTED = ("category", "facility", "province", "availability")

CORRECT = """
SELECT asked.word,
       EXISTS (SELECT FROM search_words s WHERE s.word LIKE asked.word || '%')
    OR EXISTS (SELECT FROM products p WHERE p.status = 'published'
                  AND p.search @@ (plainto_tsquery('indonesian', asked.word) || plainto_tsquery('english', asked.word)))
       AS known,
       nearest_search_word(asked.word) AS nearest
  FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked (word, place) ORDER BY place"""


@dataclass(frozen=True)
class Results:
    """One page of the listing."""

    items: list[ProductCard]
    #: How many products answer.
    total: int
    page: int
    pages: int
    facets: Facets
    #: The words searched for instead, when some of those asked for are unknown.
    corrected: str | None


def search(filters: Filters, locale: str) -> Results:
    """The page of the listing that `filters` ask for. A page past the end is the last one."""
    words, corrected = _corrected(filters.words)
    query, parameters = _statement(filters, words)
    row = db.session.execute(text(query), parameters).one()
    total = row.counts[0]["total"] if row.counts else 0
    pages = max(1, -(-total // PAGE_SIZE))
    if filters.page > pages:
        return search(filters.but(page=pages), locale)
    return Results(
        items=cards(row.items, locale),
        total=total,
        page=filters.page,
        pages=pages,
        facets=facets_of(row, filters, locale),
        corrected=corrected,
    )


def _corrected(words: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """The words with unknown ones replaced by the nearest known ones, and the new text if any was."""
    if not words:
        return words, None
    rows = db.session.execute(text(CORRECT), {"words": list(words)})
    better = tuple(row.word if row.known or not row.nearest else row.nearest for row in rows)
    return better, None if better == words else " ".join(better)


def _statement(filters: Filters, words: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The statement for one page with its counts, and its parameters."""
    parameters: dict[str, Any] = {
        "category": list(filters.category),
        "facility": list(filters.facility),
        "province": list(filters.province),
        "states": list(filters.states),
        "min": filters.min,
        "max": filters.max,
        "limit": PAGE_SIZE,
        "offset": (filters.page - 1) * PAGE_SIZE,
    }
    hits, source = "", "listings l"
    if filters.q:
        hits = _hits(words, filters.order == "relevance", parameters)
        source = "hits JOIN listings l USING (product_id)"
    conditions = {name: sql for name, sql in CONDITIONS.items() if getattr(filters, name)}
    where = " WHERE " + " AND ".join(conditions.values()) if conditions else ""
    rank = ", hits.rank" if filters.order == "relevance" else ""
    order = ORDERS[filters.order]
    query = f"""
WITH {hits} counts AS MATERIALIZED ({_counts(source, conditions)})
SELECT (SELECT json_agg(card) FROM (
         SELECT {CARD_COLUMNS} FROM (
           SELECT l.*{rank} FROM {source}{where} ORDER BY {order} LIMIT :limit OFFSET :offset) l
         {CARD_JOINS} ORDER BY {order}) card) AS items,
       (SELECT json_agg(counts) FROM counts) AS counts,
       {NAMES}"""
    return query, {name: value for name, value in parameters.items() if f":{name}" in query}


def _hits(words: tuple[str, ...], ranked: bool, parameters: dict[str, Any]) -> str:
    """The part of the statement that finds the words: each must occur, stemmed or as a beginning."""
    parts = []
    for place, word in enumerate(words):
        parameters[f"word{place}"], parameters[f"start{place}"] = word, f"{word}:*"
        parts.append(
            f"(plainto_tsquery('indonesian', :word{place}) || plainto_tsquery('english', :word{place})"
            f" || to_tsquery('simple', :start{place}))"
        )
    # Text without a single word finds nothing.
    question = " && ".join(parts) or "CAST(NULL AS tsquery)"
    rank = f"ts_rank(p.search, {question})" if ranked else "0"
    return f"""hits AS MATERIALIZED (SELECT p.id AS product_id, {rank} AS rank FROM products p
        WHERE p.status = 'published' AND p.search @@ ({question})),"""


def _counts(source: str, conditions: Mapping[str, str]) -> str:
    """Counts for every filter in one pass: rows by category, by facility, by state, and the total."""
    base = " AND ".join(sql for name, sql in conditions.items() if name not in COUNTED)
    chosen = {name: sql for name, sql in conditions.items() if name in COUNTED}
    flags = "".join(f", {sql} AS in_{name}" for name, sql in chosen.items())

    def count(without: str | None = None) -> str:
        others = [f"in_{name}" for name in chosen if name != without]
        return f"count(*) FILTER (WHERE {' AND '.join(others)})" if others else "count(*)"

    return f"""
        SELECT category_id, facility_id, state, {count()} AS total, {count("category")} AS category,
               {count("facility")} AS facility, {count("province")} AS province, {count("availability")} AS availability
          FROM (SELECT l.category_id, l.facility_id, l.state{flags} FROM {source}
                {"WHERE " + base if base else ""}) base
         GROUP BY GROUPING SETS ((), (category_id), (facility_id), (state))
         ORDER BY category_id NULLS FIRST, facility_id NULLS FIRST, state NULLS FIRST"""


#: Names for the counts: all categories, and facilities with something on sale.
NAMES = """(SELECT json_agg(json_build_object('id', c.id, 'parent_id', c.parent_id, 'slug', c.slug, 'name', c.name,
                'name_en', c.name_en) ORDER BY c.position, c.name) FROM categories c) AS categories,
       (SELECT json_agg(json_build_object('id', f.id, 'slug', f.slug, 'code', f.code, 'name', f.name,
                'province', p.name) ORDER BY f.name)
          FROM facilities f JOIN provinces p ON p.id = f.province_id WHERE f.status = 'active') AS facilities"""
