"""All that a product's page shows, in one statement."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from storefront.catalogue import product_words
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
from storefront.catalogue.product_words import ProductWords
from storefront.catalogue.rating import Rating
from storefront.days import today
from storefront.extensions import db
from storefront.facilities import rest
from storefront.facilities.declared import IN_FORCE, DeclarationView
from storefront.facilities.rest import Rest
from storefront.facilities.working_days import CALENDAR, FURTHEST, Calendar, local_day, ready_on

#: Further products shown below one (of its workshop first, then of its facility), and reviews and questions beside it.
MORE, REVIEWS, QUESTIONS = 8, 4, 4
#: What its workshop teaches, the latest taught first.
SKILLS = 4


PRODUCT = f"""
SELECT p.id, p.slug, p.title, p.title_en, p.description, p.description_en, p.delivery_scope, p.workshop_id,
       p.facility_id, p.commodity_group_id, w.name AS workshop_name, w.about AS workshop_about,
       w.about_en AS workshop_about_en, product_may_sell(p.id, :today) AS may_sell,
       workshop_may_sell(p.workshop_id, :today) AS is_declared,
       (SELECT to_json(d) FROM ({IN_FORCE}) d WHERE d.workshop_id = p.workshop_id) AS declaration,
       (SELECT json_agg(taught) FROM (SELECT t.skill, max(t.skill_en) AS skill_en FROM training_programmes t
                     WHERE t.facility_id = p.facility_id AND t.state = 'checked' AND t.workshop_id = p.workshop_id
                     GROUP BY t.skill ORDER BY max(t.started_on) DESC, t.skill LIMIT {SKILLS}) taught) AS skills,
       {CALENDAR} AS calendar,{rest.COLUMN} AS pause,
       f.time_zone, f.code, f.slug AS facility_slug,
       f.name AS facility_name, f.city, r.name AS province, c.slug AS category_slug, c.name AS category_name,
       c.name_en AS category_name_en,{product_words.COLUMNS},
       (SELECT json_agg(ph ORDER BY ph.position) FROM photos ph WHERE ph.product_id = p.id) AS photos,
       (SELECT json_agg(b ORDER BY b.decided_at DESC) FROM batches b WHERE b.product_id = p.id AND b.state = 'recalled'
           AND b.best_before >= CAST(:today AS date) - 90) AS recalled,
       (SELECT to_json(pr) FROM product_ratings pr WHERE pr.product_id = p.id AND pr.reviews > 0) AS rating,
       (SELECT json_agg(json_build_object('id', v.id, 'sku', v.sku, 'title', v.title, 'title_en', v.title_en,
                  'price', v.price, 'material_cost', v.material_cost, 'weight_g', v.weight_g,
                  'photo_id', v.photo_id, 'made_to_order', v.made_to_order,
                  'lead_time_days', v.lead_time_days + 7 * v.queued_weeks,
                  'state', COALESCE(s.shown_state, 'sold_out')) ORDER BY v.position, v.id)
          FROM variants v
          LEFT JOIN stock_locations store ON store.facility_id = p.facility_id
          LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = store.id
         WHERE v.product_id = p.id AND v.is_active) AS variants,
       (SELECT json_agg(card) FROM (
          SELECT {CARD_COLUMNS}
            FROM (SELECT id, min(distance) AS distance FROM (
                   (SELECT w.id, 0 AS distance FROM products w
                      JOIN listings l ON l.product_id = w.id AND l.state <> 'sold_out'
                     WHERE w.workshop_id = own.workshop_id AND w.status = 'published' AND w.id <> own.id
                     ORDER BY w.published_at DESC, w.id DESC LIMIT {MORE})
                   UNION ALL
                   (SELECT l.product_id, 1 FROM listings l
                     WHERE l.facility_id = own.facility_id AND l.product_id <> own.id
                     ORDER BY (l.state = 'sold_out'), l.published_at DESC, l.product_id DESC LIMIT 2 * {MORE})) near
                   GROUP BY id) near
            JOIN listings l ON l.product_id = near.id
            {CARD_JOINS} ORDER BY near.distance, (l.state = 'sold_out'), l.published_at DESC, l.product_id DESC
           LIMIT {MORE}) card)
       AS more,
       CASE WHEN :with_voices THEN product_voices(p.id, {REVIEWS}, 0, {QUESTIONS}, 0) END AS voices
  FROM products p
 CROSS JOIN LATERAL (SELECT p.id, p.facility_id, p.workshop_id) own
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
class Recalled:
    """A batch that nobody should eat from."""

    code: str
    best_before: datetime.date
    reason: str

    @classmethod
    def of(cls, row: Mapping[str, Any], locale: str) -> Recalled:
        """From a row of `batches` as JSON."""
        reason = (row["reason_en"] if locale == "en" else "") or row["reason"]
        return cls(row["code"], datetime.date.fromisoformat(row["best_before"]), reason)


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
    #: About when it leaves, asked for today.
    ready_on: datetime.date
    #: Which of the product's pictures shows it, from 1; None: all of them.
    picture: int | None

    @classmethod
    def of(
        cls, row: Mapping[str, Any], locale: str, may_sell: bool, picture: int | None, ready: datetime.date
    ) -> Offer:
        """From a row of the statement. What its workshop may not sell cannot be bought, and is not sold out."""
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
            can_be_bought=may_sell and (made or row["state"] in IN_STOCK),
            ready_on=ready,
            picture=picture,
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
    workshop_about: str
    #: What is taught there; names, no counts.
    skills: tuple[str, ...]
    commodity_group_id: int | None
    category: CategoryRef
    photos: list[Photo]
    variants: list[Offer]
    more: list[ProductCard]
    words: ProductWords
    #: The workshop's, in force today.
    declaration: DeclarationView | None
    #: Whether it may be sold today: its workshop has declared, and the papers that its category asks for are in force.
    may_sell: bool
    #: The pause that its facility is in or announces.
    rest: Rest | None
    #: Whether the workshop may; where it may and the product may not, a paper of it is not in force.
    is_declared: bool
    #: Batches that were recalled, the latest first, while somebody may still have them.
    recalled: tuple[Recalled, ...]
    #: The SKU that the address asks for.
    asked: str = ""
    #: What people say of it, as the database's `product_voices` gives it; empty when not asked for.
    voices: Mapping[str, Any] = field(default_factory=dict)
    #: None: it has no public reviews.
    rating: Rating | None = None

    @property
    def rests(self) -> bool:
        """Whether nothing can be ordered today as its facility rests."""
        return self.rest is not None and self.rest.is_now

    @property
    def pictures(self) -> list[tuple[int, Photo]]:
        """Its photos with their places, the shown variant's own first."""
        placed = list(enumerate(self.photos, start=1))
        first = self.shown.picture if self.shown else None
        return sorted(placed, key=lambda one: one[0] != first)

    @property
    def shown(self) -> Offer | None:
        """The variant that the page shows: the one asked for, else the first that can be bought, else the first."""
        by_sku = {variant.sku: variant for variant in self.variants}
        can_be_bought = (variant for variant in self.variants if variant.can_be_bought)
        return by_sku.get(self.asked.upper()) or next(can_be_bought, next(iter(self.variants), None))


def product_page(slug: str, locale: str, sku: str = "", *, with_voices: bool = False) -> ProductPage | None:
    """The page of the product under `slug`, with its variant `sku` chosen; None when there is none for the public."""
    if not SLUG.fullmatch(slug):
        return None
    day = today()
    known = {"slug": slug, "today": day, "furthest": day + FURTHEST, "with_voices": with_voices}
    row = db.session.execute(text(PRODUCT), known).mappings().one_or_none()
    if row is None:
        return None
    declared, photos = row["declaration"], [Photo.of(photo, locale) for photo in row["photos"] or []]
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
        workshop_about=in_language(row, "workshop_about", locale),
        skills=tuple(in_language(taught, "skill", locale) for taught in row["skills"] or ()),
        commodity_group_id=row["commodity_group_id"],
        category=CategoryRef(row["category_slug"], in_language(row, "category_name", locale)),
        photos=photos,
        variants=_offers(row, locale, photos),
        more=cards(row["more"], locale),
        words=ProductWords.of(row, locale),
        declaration=DeclarationView.of(row["workshop_name"], declared, locale) if declared else None,
        may_sell=row["may_sell"],
        rest=Rest.of(row["pause"], locale),
        is_declared=row["is_declared"],
        recalled=tuple(Recalled.of(one, locale) for one in row["recalled"] or ()),
        asked=sku,
        voices=row["voices"] or {},
        rating=Rating.of(row["rating"]),
    )


def _offers(row: Any, locale: str, photos: list[Photo]) -> list[Offer]:
    calendar, rest_now = Calendar.of(row["calendar"]), Rest.of(row["pause"], locale)
    may_sell = row["may_sell"] and not (rest_now and rest_now.is_now)
    here = local_day(row["time_zone"])
    places = {photo.id: place for place, photo in enumerate(photos, start=1)}
    return [
        Offer.of(
            variant,
            locale,
            may_sell,
            places.get(variant["photo_id"]),
            ready_on(here, variant["lead_time_days"] if variant["made_to_order"] else None, calendar),
        )
        for variant in row["variants"] or []
    ]
