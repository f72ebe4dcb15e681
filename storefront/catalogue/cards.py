"""What a product looks like in a list, and the one way that all lists read it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.catalogue.rating import tenths

#: States of a listing that can be bought now.
IN_STOCK = ("ready", "few_left")

#: Columns of a card, from the listing `l`, product `p`, facility `f`, category `c` and first photo `ph`.
CARD_COLUMNS = """
    p.slug, p.title, p.title_en, p.delivery_scope AS scope, f.name AS facility_name, f.slug AS facility_slug,
    c.slug AS category_slug, l.price_from, l.price_to, l.state, l.lead_time_days, l.paused_until, l.stars, l.reviews,
    CASE WHEN ph.key IS NOT NULL THEN jsonb_build_object('key', ph.key, 'widths', ph.widths, 'width', ph.width,
        'height', ph.height, 'tint', ph.tint, 'alt', ph.alt, 'alt_en', ph.alt_en) END AS photo"""

#: Joins of a card, after `FROM listings l` or a selection from it under that name.
CARD_JOINS = """
    JOIN products p ON p.id = l.product_id
    JOIN facilities f ON f.id = l.facility_id
    JOIN categories c ON c.id = l.category_id
    LEFT JOIN LATERAL (SELECT * FROM photos WHERE product_id = p.id ORDER BY position LIMIT 1) ph ON true"""

#: As JSON the cards of the products :ids in that order. A product that is not on the list is left out.
CARDS_OF_IDS = f"""(SELECT json_agg(card ORDER BY card.place) FROM (
          SELECT {CARD_COLUMNS}, l.place
            FROM (SELECT l.*, asked.place FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY asked (product_id, place)
                    JOIN listings l USING (product_id)) l
            {CARD_JOINS}) card)"""  # noqa: S608 - all pieces are this file's own


@dataclass(frozen=True)
class Photo:
    """A picture as templates show it; `key` is the stem of its files."""

    key: str
    widths: tuple[int, ...]
    width: int
    height: int
    alt: str
    tint: str | None
    #: Of its row; None where nobody asks.
    id: int | None = None

    @property
    def largest(self) -> int:
        """The width of its largest file."""
        return max(self.widths)

    @classmethod
    def of(cls, row: Mapping[str, Any], locale: str) -> Photo:
        alt = row["alt_en"] if locale == "en" and row["alt_en"] else row["alt"]
        return cls(row["key"], tuple(row["widths"]), row["width"], row["height"], alt, row["tint"], row.get("id"))


@dataclass(frozen=True)
class ProductCard:
    """A product in a list. Says of stock only what cached pages may: ready, few left or sold out."""

    slug: str
    title: str
    facility_name: str
    facility_slug: str
    category_slug: str
    price_from: int
    price_to: int
    photo: Photo | None
    is_made_to_order: bool
    lead_time_days: int | None
    #: 0 when sold out, else None: the number is not known to cached pages.
    available: int | None
    few_left: bool
    #: How far it is delivered: `pickup`, `same_city`, `province` or `nationwide`.
    scope: str
    #: How many buyers have said what they think of it, and the mean of their stars in tenths; 0 without any.
    reviews: int = 0
    rating: int = 0
    #: The last day of the pause that its facility is in: it cannot be ordered.
    paused_until: datetime.date | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], locale: str) -> ProductCard:
        return cls(
            slug=row["slug"],
            title=in_language(row, "title", locale),
            facility_name=row["facility_name"],
            facility_slug=row["facility_slug"],
            category_slug=row["category_slug"],
            price_from=row["price_from"],
            price_to=row["price_to"],
            photo=Photo.of(row["photo"], locale) if row["photo"] else None,
            is_made_to_order=row["state"] == "made_to_order",
            lead_time_days=row["lead_time_days"],
            available=0 if row["state"] == "sold_out" else None,
            few_left=row["state"] == "few_left",
            scope=row["scope"],
            reviews=row["reviews"],
            rating=tenths(row["stars"], row["reviews"]),
            paused_until=_day(row["paused_until"]),
        )


def _day(found: datetime.date | str | None) -> datetime.date | None:
    """A day as a row has it, or as its JSON."""
    return datetime.date.fromisoformat(found) if isinstance(found, str) else found


def cards(rows: list[Mapping[str, Any]] | None, locale: str) -> list[ProductCard]:
    """The cards of a JSON array of card rows (None: an empty one)."""
    return [ProductCard.of(row, locale) for row in rows or []]


def in_language(row: Any, name: str, locale: str) -> str:
    """`row[name]` in English where there is one and it is wanted, else in Indonesian."""
    english: str = row[f"{name}_en"] if locale == "en" else ""
    indonesian: str = row[name]
    return english or indonesian
