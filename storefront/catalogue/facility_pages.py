"""A facility as the public sees it: in a list, and on its own page."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from storefront.catalogue.cards import CARDS_OF_IDS, ProductCard, cards, in_language
from storefront.catalogue.filters import SLUG, Filters
from storefront.catalogue.index_keeper import current
from storefront.catalogue.search import PAGE_SIZE, Question, ask
from storefront.catalogue.version import CatalogueVersion
from storefront.days import today
from storefront.extensions import db
from storefront.facilities import gallery_hours, rest
from storefront.facilities.rest import Rest

#: With these listings of its own, in this order; counts by workshop come from the process's own copy too.
FACILITY = f"""
SELECT f.id, f.code, f.slug, f.name, f.kind, f.class, f.city, f.about, f.about_en, f.address, f.gallery_hours,
       f.gallery_week, f.contact,{rest.COLUMN} AS pause,
       f.time_zone, f.regional_office, r.name AS province,
       (SELECT json_agg(w ORDER BY w.name) FROM (
          SELECT w.name, w.about, w.about_en, COALESCE(counted.products, 0) AS products
            FROM workshops w
            LEFT JOIN unnest(CAST(:workshops AS bigint[]), CAST(:counts AS bigint[])) counted (id, products) USING (id)
           WHERE w.facility_id = f.id) w) AS workshops,
       {CARDS_OF_IDS} AS items
  FROM facilities f
  JOIN provinces r ON r.id = f.province_id
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
    #: How to reach it in writing; empty where nothing is said.
    contact: str
    #: The pause that it is in or announces.
    rest: Rest | None
    timezone: str
    workshops: list[WorkshopLine]
    items: list[ProductCard]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def facility_page(
    slug: str, page: int, locale: str, version: CatalogueVersion | None = None
) -> FacilityPage | None:
    """The facility under `slug` and the given page of its products; None when the public knows none.

    At `version` of the catalogue or later; None: as it is now. A page past the end is the last one.
    """
    if not SLUG.fullmatch(slug):
        return None
    question = ask(Filters(facility=(slug,)), *current(version))
    total = question.without().bit_count()
    page = min(page, max(1, -(-total // PAGE_SIZE)))
    values = {"slug": slug, **asked_of(replace(question, filters=question.filters.but(page=page)))}
    row = db.session.execute(text(FACILITY), values).mappings().one_or_none()
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
        gallery_hours=gallery_hours.words(row["gallery_week"], row["time_zone"], row["gallery_hours"]),
        contact=row["contact"],
        rest=Rest.of(row["pause"], locale),
        timezone=row["time_zone"],
        workshops=[
            WorkshopLine(w["name"], in_language(w, "about", locale), w["products"])
            for w in row["workshops"] or []
        ],
        items=cards(row["items"], locale),
        total=total,
        page=page,
    )


def asked_of(question: Question) -> dict[str, Any]:
    """Parameters of the statement: the products on the page that `question` asks for, and counts by workshop."""
    members = question.without()
    counts = question.index.tally("workshop", members)
    return {"ids": question.page(members), "today": today(), "workshops": list(counts), "counts": list(counts.values())}
