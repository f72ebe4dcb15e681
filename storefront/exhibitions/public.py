"""A fair as the public sees it: in the list, and on its page before, during and after.

Of stock it says only what cached pages may: at the stand, few left or sold out. Facilities for children are counted
and never named.
"""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from storefront.catalogue.cards import Photo, in_language
from storefront.catalogue.filters import SLUG
from storefront.exhibitions.fairs import When, when_between
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.pages import Paged

#: Fairs in one page of the list, and things in one page of a fair.
PAGE, THINGS = 12, 24
LIST = text(
    """
    SELECT x.id, x.slug, x.name, x.venue, x.city, x.starts_on, x.ends_on, x.kind, x.theme, x.theme_en,
           x.hours, x.hours_en, x.picture, x.participants,
           (SELECT count(*) FROM exhibition_facilities f WHERE f.exhibition_id = x.id) AS facilities
      FROM exhibitions x
     WHERE :wanted = '' OR :wanted = CASE WHEN x.ends_on < :day THEN 'past'
                                          WHEN x.starts_on > :day THEN 'coming' ELSE 'running' END
     ORDER BY x.ends_on < :day, x.starts_on > :day,
              CASE WHEN x.ends_on < :day THEN DATE '2000-01-01' - x.ends_on ELSE x.starts_on - DATE '2000-01-01' END,
              x.id"""
)
FACILITIES = text(
    """
    SELECT f.id, f.slug, f.name, f.city, f.regional_office, f.kind
      FROM exhibition_facilities x JOIN facilities f ON f.id = x.facility_id AND f.status = 'active'
     WHERE x.exhibition_id = :fair ORDER BY f.regional_office, f.name, f.id"""
)
#: What will be there: planned and public. What is there: at the stand, or sold out there since.
THINGS_FROM = """
  FROM variants v
  JOIN products p ON p.id = v.product_id AND p.status = 'published'
  JOIN facilities f ON f.id = p.facility_id AND f.status = 'active' AND f.kind <> 'lpka'
  LEFT JOIN exhibition_pieces e ON e.exhibition_id = :fair AND e.variant_id = v.id
  LEFT JOIN stock_locations o ON o.exhibition_id = :fair
  LEFT JOIN stock_levels s ON s.location_id = o.id AND s.variant_id = v.id
  LEFT JOIN exhibition_prices k
    ON k.exhibition_id = :fair AND k.variant_id = v.id AND CAST(:day AS date) BETWEEN k.from_day AND k.to_day
 WHERE CASE WHEN :running THEN s.variant_id IS NOT NULL ELSE e.planned IS NOT NULL END
   AND (:facility = '' OR f.slug = :facility) AND (NOT :special OR k.id IS NOT NULL)"""
THINGS_OF = f"""
SELECT p.slug, p.title, p.title_en, v.title AS variant_title, v.title_en AS variant_title_en, v.price AS ordinary,
       COALESCE(k.price, v.price) AS price, k.to_day AS until, f.name AS facility_name, s.shown_state AS state,
       (SELECT jsonb_build_object('key', ph.key, 'widths', ph.widths, 'width', ph.width, 'height', ph.height,
                                  'tint', ph.tint, 'alt', ph.alt, 'alt_en', ph.alt_en)
          FROM photos ph WHERE ph.product_id = p.id ORDER BY ph.position LIMIT 1) AS photo
{THINGS_FROM}
 ORDER BY :running AND s.shown_state = 'sold_out', k.id IS NULL, p.title, v.position, v.id
 LIMIT :limit OFFSET :offset"""
#: Special prices of days to come, as one line each: when, and of how many things.
PRICES_AHEAD = text(
    """
    SELECT k.from_day, k.to_day, count(*) AS things FROM exhibition_prices k
      JOIN variants v ON v.id = k.variant_id
      JOIN products p ON p.id = v.product_id AND p.status = 'published'
     WHERE k.exhibition_id = :fair AND k.from_day > :day GROUP BY 1, 2 ORDER BY 1, 2"""
)


@dataclass(frozen=True)
class FairLine:
    """A fair in the list."""

    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date
    #: `hall` or `campaign`.
    kind: str
    theme: str
    hours: str
    picture: Photo | None
    #: How many facilities took part, as reported or as named here; 0: not known.
    facilities: int
    when: When


class FairList(Paged[FairLine]):
    size = PAGE


@dataclass(frozen=True)
class TakesPart:
    """A facility that takes part and may be named."""

    id: int
    slug: str
    name: str
    city: str


@dataclass(frozen=True)
class FairPage:
    """A fair with who takes part, by regional office."""

    id: int
    line: FairLine
    about: str
    regional_divisions: int | None
    source: str
    changed_at: datetime.datetime
    offices: Mapping[str, Sequence[TakesPart]]
    #: Facilities for children that take part: counted, not named.
    unnamed: int

    @property
    def named(self) -> list[TakesPart]:
        return [one for facilities in self.offices.values() for one in facilities]


@dataclass(frozen=True)
class Thing:
    """A variant at the stand, or one that will be there."""

    slug: str
    title: str
    facility_name: str
    price: int
    #: What it costs in the shop.
    ordinary: int
    #: The last day of its special price.
    until: datetime.date | None
    #: `ready`, `few_left` or `sold_out` at the stand; None before the fair.
    state: str | None
    photo: Photo | None


class ThingPage(Paged[Thing]):
    size = THINGS


@dataclass(frozen=True)
class PricesAhead:
    """Special prices that begin later: on which days, for how many things."""

    from_day: datetime.date
    to_day: datetime.date
    things: int


def fair_list(day: datetime.date, language: str, wanted: str = "", page: int = 1) -> FairList:
    """What runs, what comes (the next first), what was (the last first); or one kind of them.

    A page past the end is the last one.
    """
    wanted = wanted if wanted in set(When) else ""
    rows = db.session.execute(LIST, {"day": day, "wanted": wanted}).mappings().all()
    page = min(page, max(1, -(-len(rows) // PAGE)))
    shown = rows[(page - 1) * PAGE : page * PAGE]
    return FairList([_line(dict(row), row["facilities"], day, language) for row in shown], len(rows), page)


def slugs() -> list[str]:
    """Of all fairs, for the sitemap."""
    return list(db.session.scalars(select(Exhibition.slug).order_by(Exhibition.id)))


def fair_page(slug: str, day: datetime.date, language: str) -> FairPage | None:
    """The fair under `slug`; None when there is none."""
    if not SLUG.fullmatch(slug):
        return None
    row = db.session.scalar(select(Exhibition).where(Exhibition.slug == slug))
    if row is None:
        return None
    found = {column.name: getattr(row, column.name) for column in Exhibition.__table__.columns}
    offices: dict[str, list[TakesPart]] = {}
    unnamed = 0
    for one in db.session.execute(FACILITIES, {"fair": row.id}):
        if one.kind == "lpka":
            unnamed += 1
        else:
            offices.setdefault(one.regional_office, []).append(TakesPart(one.id, one.slug, one.name, one.city))
    count = unnamed + sum(len(facilities) for facilities in offices.values())
    return FairPage(
        id=row.id,
        line=_line(found, count, day, language),
        about=in_language(found, "about", language),
        regional_divisions=row.regional_divisions,
        source=row.source,
        changed_at=row.changed_at,
        offices=offices,
        unnamed=unnamed,
    )


def things(
    fair: FairPage, day: datetime.date, language: str, *, facility: str = "", special: bool = False, page: int = 1
) -> ThingPage:
    """What will be at the stand, or while the fair runs what is; what is sold out comes last."""
    values = {
        "fair": fair.id,
        "day": day,
        "running": fair.line.when is not When.COMING,
        "facility": facility,
        "special": special,
    }
    total = db.session.execute(text(f"SELECT count(*) {THINGS_FROM}"), values).scalar_one()
    page = min(page, max(1, -(-total // THINGS)))
    rows = db.session.execute(text(THINGS_OF), {**values, "limit": THINGS, "offset": (page - 1) * THINGS})
    return ThingPage([_thing(dict(row), language) for row in rows.mappings()], total, page)


def prices_ahead(fair: FairPage, day: datetime.date) -> list[PricesAhead]:
    """Special prices that begin after `day`, such as the closing day's."""
    return [PricesAhead(*row) for row in db.session.execute(PRICES_AHEAD, {"fair": fair.id, "day": day})]


def _line(row: Mapping[str, Any], facilities: int, day: datetime.date, language: str) -> FairLine:
    return FairLine(
        slug=row["slug"],
        name=row["name"],
        venue=row["venue"],
        city=row["city"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        kind=row["kind"],
        theme=in_language(row, "theme", language),
        hours=in_language(row, "hours", language),
        picture=Photo.of(row["picture"], language) if row["picture"] else None,
        facilities=row["participants"] or facilities,
        when=when_between(row["starts_on"], row["ends_on"], day),
    )


def _thing(row: Mapping[str, Any], language: str) -> Thing:
    title, variant = in_language(row, "title", language), in_language(row, "variant_title", language)
    return Thing(
        slug=row["slug"],
        title=f"{title} · {variant}" if variant else title,
        facility_name=row["facility_name"],
        price=row["price"],
        ordinary=row["ordinary"],
        until=row["until"],
        state=row["state"],
        photo=Photo.of(row["photo"], language) if row["photo"] else None,
    )
