"""A facility as the public sees it: in a list, and on its own page."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.catalogue.cards import CARD_COLUMNS, CARD_JOINS, ProductCard, cards, in_language
from storefront.catalogue.filters import SLUG
from storefront.extensions import db

PAGE_SIZE = 24

#: A page past the end is the last one.
FACILITY = f"""
SELECT f.id, f.code, f.slug, f.name, f.kind, f.class, f.city, f.about, f.about_en, f.address, f.gallery_hours,
       f.time_zone, f.regional_office, r.name AS province, found.total, found.page,
       (SELECT json_agg(w ORDER BY w.name) FROM (
          SELECT w.name, w.about, w.about_en, count(l.product_id) AS products
            FROM workshops w
            LEFT JOIN products p ON p.workshop_id = w.id AND p.status = 'published'
            LEFT JOIN listings l ON l.product_id = p.id
           WHERE w.facility_id = f.id GROUP BY w.id) w) AS workshops,
       (SELECT json_agg(card) FROM (
          SELECT {CARD_COLUMNS}
            FROM (SELECT l.* FROM listings l WHERE l.facility_id = found.facility_id
                   ORDER BY (l.state = 'sold_out'), l.published_at DESC, l.product_id DESC
                   LIMIT {PAGE_SIZE} OFFSET (found.page - 1) * {PAGE_SIZE}) l
            {CARD_JOINS} ORDER BY (l.state = 'sold_out'), l.published_at DESC, l.product_id DESC) card) AS items
  FROM facilities f
  JOIN provinces r ON r.id = f.province_id
 CROSS JOIN LATERAL (
       SELECT f.id AS facility_id, count(*) AS total,
              LEAST(CAST(:page AS bigint), GREATEST(1, (count(*) + {PAGE_SIZE} - 1) / {PAGE_SIZE})) AS page
         FROM listings WHERE facility_id = f.id) found
 WHERE f.slug = :slug AND f.status = 'active'"""

@dataclass(frozen=True)
class FacilityCard:
    """A facility in a list."""

    code: str
    slug: str
    name: str
    kind: str
    city: str
    province: str
    #: Products on sale.
    products: int

    @classmethod
    def of(cls, row: Any) -> FacilityCard:
        return cls(
            row["code"], row["slug"], row["name"], row["kind"], row["city"], row["province"], row["products"]
        )


@dataclass(frozen=True)
class WorkshopLine:
    name: str
    about: str
    products: int


@dataclass(frozen=True)
class FacilityPage:
    """An active facility with one page of what it sells."""

    id: int
    code: str
    slug: str
    name: str
    kind: str
    class_name: str
    city: str
    province: str
    regional_office: str
    about: str
    address: str
    gallery_hours: str
    timezone: str
    workshops: list[WorkshopLine]
    items: list[ProductCard]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def facility_page(slug: str, page: int, locale: str) -> FacilityPage | None:
    """The facility under `slug` and the given page of its products; None when the public knows none."""
    if not SLUG.fullmatch(slug):
        return None
    row = db.session.execute(text(FACILITY), {"slug": slug, "page": page}).mappings().one_or_none()
    if row is None:
        return None
    return FacilityPage(
        id=row["id"],
        code=row["code"],
        slug=row["slug"],
        name=row["name"],
        kind=row["kind"],
        class_name=row["class"],
        city=row["city"],
        province=row["province"],
        regional_office=row["regional_office"],
        about=in_language(row, "about", locale),
        address=row["address"],
        gallery_hours=row["gallery_hours"],
        timezone=row["time_zone"],
        workshops=[
            WorkshopLine(w["name"], in_language(w, "about", locale), w["products"])
            for w in row["workshops"] or []
        ],
        items=cards(row["items"], locale),
        total=row["total"],
        page=row["page"],
    )
