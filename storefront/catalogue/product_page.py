"""All that a product's page shows, in one statement."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.catalogue.cards import (
    CARD_COLUMNS,
    CARD_JOINS,
    IN_STOCK,
    Photo,
    ProductCard,
    cards,
    in_language,
)
from storefront.catalogue.filters import SLUG
from storefront.extensions import db

#: Further products shown below one.
MORE = 8

PRODUCT = f"""
SELECT p.id, p.slug, p.title, p.title_en, p.description, p.description_en, p.delivery_scope, p.workshop_id,
       p.facility_id, p.commodity_group_id, w.name AS workshop_name, f.code, f.slug AS facility_slug,
       f.name AS facility_name, f.city, r.name AS province, c.slug AS category_slug, c.name AS category_name,
       c.name_en AS category_name_en,
       (SELECT json_agg(ph ORDER BY ph.position) FROM photos ph WHERE ph.product_id = p.id) AS photos,
       (SELECT to_json(pr) FROM product_ratings pr WHERE pr.product_id = p.id AND pr.reviews > 0) AS rating,
       (SELECT json_agg(json_build_object('id', v.id, 'sku', v.sku, 'title', v.title, 'title_en', v.title_en,
                  'price', v.price, 'material_cost', v.material_cost, 'weight_g', v.weight_g,
                  'made_to_order', v.made_to_order, 'lead_time_days', v.lead_time_days,
                  'state', COALESCE(s.shown_state, 'sold_out')) ORDER BY v.position, v.id)
          FROM variants v
          LEFT JOIN stock_locations store ON store.facility_id = p.facility_id
          LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = store.id
         WHERE v.product_id = p.id AND v.is_active) AS variants,
       (SELECT json_agg(card) FROM (
          SELECT {CARD_COLUMNS}
            FROM (SELECT l.*, l.category_id = own.category_id AS alike FROM listings l
                   WHERE l.facility_id = own.facility_id AND l.product_id <> own.id
                   ORDER BY (l.state = 'sold_out'), alike DESC, l.published_at DESC, l.product_id DESC LIMIT {MORE}) l
            {CARD_JOINS} ORDER BY (l.state = 'sold_out'), l.alike DESC, l.published_at DESC, l.product_id DESC) card)
       AS more
  FROM products p
 CROSS JOIN LATERAL (SELECT p.id, p.facility_id, p.category_id) own
  JOIN workshops w ON w.id = p.workshop_id
  JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
  JOIN provinces r ON r.id = f.province_id
  JOIN categories c ON c.id = p.category_id
 WHERE p.slug = :slug AND p.status = 'published'"""


@dataclass(frozen=True)
class FacilityRef:
    """The facility that a product comes from."""

    id: int
    code: str
    slug: str
    name: str
    city: str
    province: str


@dataclass(frozen=True)
class CategoryRef:
    slug: str
    name: str


@dataclass(frozen=True)
class Rating:
    """What the public reviews of a product add up to."""

    #: Sum of the stars, 1 to 5 each.
    stars: int
    reviews: int

    @property
    def average(self) -> str:
        """Stars on average with one digit, as `4.6`."""
        tenths = (20 * self.stars + self.reviews) // (2 * self.reviews)
        return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True)
class Offer:
    """A variant as it may be bought. Says of stock only what cached pages may."""

    id: int
    sku: str
    title: str
    price: int
    #: Of one piece; None: not known.
    material_cost: int | None
    weight_g: int
    is_made_to_order: bool
    lead_time_days: int | None
    #: 0 when sold out, else None: the number is not known to cached pages.
    available: int | None
    few_left: bool
    can_be_bought: bool

    @classmethod
    def of(cls, row: Mapping[str, Any], locale: str) -> Offer:
        made = row["made_to_order"]
        return cls(
            id=row["id"],
            sku=row["sku"],
            title=in_language(row, "title", locale),
            price=row["price"],
            material_cost=row["material_cost"],
            weight_g=row["weight_g"],
            is_made_to_order=made,
            lead_time_days=row["lead_time_days"],
            available=None if made or row["state"] in IN_STOCK else 0,
            few_left=not made and row["state"] == "few_left",
            can_be_bought=made or row["state"] in IN_STOCK,
        )


@dataclass(frozen=True)
class ProductPage:
    """A published product of an active facility."""

    id: int
    slug: str
    title: str
    description: str
    scope: str
    facility: FacilityRef
    workshop_id: int
    workshop_name: str
    commodity_group_id: int | None
    category: CategoryRef
    photos: list[Photo]
    variants: list[Offer]
    more: list[ProductCard]
    #: None: it has no public reviews.
    rating: Rating | None = None

    @property
    def shown(self) -> Offer | None:
        """The variant the page starts with: the first that can be bought, else the first."""
        return next(
            (v for v in self.variants if v.can_be_bought), self.variants[0] if self.variants else None
        )


def product_page(slug: str, locale: str) -> ProductPage | None:
    """The page of the product under `slug`; None when there is none, or not for the public."""
    if not SLUG.fullmatch(slug):
        return None
    row = db.session.execute(text(PRODUCT), {"slug": slug}).mappings().one_or_none()
    if row is None:
        return None
    return ProductPage(
        id=row["id"],
        slug=row["slug"],
        title=in_language(row, "title", locale),
        description=in_language(row, "description", locale),
        scope=row["delivery_scope"],
        facility=FacilityRef(
            row["facility_id"],
            row["code"],
            row["facility_slug"],
            row["facility_name"],
            row["city"],
            row["province"],
        ),
        workshop_id=row["workshop_id"],
        workshop_name=row["workshop_name"],
        commodity_group_id=row["commodity_group_id"],
        category=CategoryRef(row["category_slug"], in_language(row, "category_name", locale)),
        photos=[Photo.of(photo, locale) for photo in row["photos"] or []],
        variants=[Offer.of(variant, locale) for variant in row["variants"] or []],
        more=cards(row["more"], locale),
        rating=Rating(row["rating"]["stars"], row["rating"]["reviews"]) if row["rating"] else None,
    )
