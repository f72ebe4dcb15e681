"""Fairs at whose stand a facility's goods may be collected: which there are, until when, and how far away they are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.display import format_day, language
from storefront.extensions import db
from storefront.shipping.find_places import search_places
from storefront.shipping.models import Province, ShippingMethod
from storefront.shipping.quote import Destination, Option, Piece, deliveries, weight_of
from storefront.shipping.rates import load_origins, load_rates

#: Before a fair's slug: what is chosen at checkout. No method's own code has a hyphen.
PREFIX = "stand-"
#: Days to a fair of which nobody can say how far away it is, or where no courier goes.
FAR = 7

COLUMNS = "x.id, x.slug, x.name, x.venue, x.city, x.starts_on, x.ends_on, x.hours, x.hours_en"
OPEN = text(
    f"""
    SELECT f.facility_id, {COLUMNS}
      FROM exhibition_facilities f JOIN exhibitions x ON x.id = f.exhibition_id
     WHERE f.facility_id = ANY (:facilities) AND x.kind = 'hall' AND x.ends_on >= :day
     ORDER BY x.starts_on, x.id"""  # noqa: S608 - a piece of our own
)
KNOWN = text(f"SELECT {COLUMNS} FROM exhibitions x WHERE x.id = ANY (:ids)")  # noqa: S608 - a piece of our own
#: Whoever changes the fair, or who takes part in it, waits until an order for it is written; and the other way round.
HOLD = text("SELECT id FROM exhibitions WHERE slug = ANY (:slugs) ORDER BY id FOR SHARE")
STILL = text(
    """
    SELECT NOT EXISTS (
           SELECT FROM parcels p JOIN exhibitions x ON x.id = p.exhibition_id
            WHERE p.order_id = :order_id AND (x.ends_on < :day OR x.kind <> 'hall' OR NOT EXISTS (
                  SELECT FROM exhibition_facilities f
                   WHERE (f.exhibition_id, f.facility_id) = (p.exhibition_id, p.facility_id))))"""
)


class Stand(NamedTuple):
    """A fair with a hall, as those read it who collect there. Its days are inclusive."""

    exhibition_id: int
    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date
    hours: str
    hours_en: str

    @property
    def code(self) -> str:
        """What is chosen at checkout."""
        return PREFIX + self.slug

    @property
    def where(self) -> str:
        return ", ".join(part for part in (self.venue, self.city) if part)

    @property
    def days(self) -> str:
        """`27 November – 28 Desember`, in the reader's language."""
        first, last = format_day(self.starts_on), format_day(self.ends_on)
        return first if self.starts_on == self.ends_on else f"{first} – {last}"

    @property
    def opening(self) -> str:
        """Opening hours as the office wrote them, in the reader's language; may be empty."""
        return (self.hours_en if language() == "en" else "") or self.hours

    @property
    def called(self) -> str:
        """How a parcel for it travels, in the reader's language."""
        return _("Ambil di stan %(fair)s", fair=self.name)

    @property
    def whole(self) -> str:
        """The same with where and when."""
        return ", ".join(part for part in (self.called, self.where, self.days) if part)


def offered(pieces: Mapping[int, Sequence[Piece]], day: datetime.date) -> dict[int, list[Option]]:
    """For each facility the stands of fairs that are coming or on: the fair that begins first on top.

    Days on the road are those of the quickest courier; whether the goods are made in time is not asked here.
    """
    rows = db.session.execute(OPEN, {"facilities": list(pieces), "day": day}).all()
    method = _method() if rows else None
    if method is None:
        return {}
    found = [(row.facility_id, Stand(*row[1:])) for row in rows]
    roads = _roads(pieces, {stand.city for _facility, stand in found})
    options: dict[int, list[Option]] = {}
    for facility_id, stand in found:
        named = {}
        for locale in ("id", "en"):
            with force_locale(locale):
                named[locale] = stand.whole
        days = roads.get((facility_id, stand.city), (FAR, FAR))
        options.setdefault(facility_id, []).append(
            Option(method, stand.code, named["id"], named["en"], True, 0, *days, stand=stand)
        )
    return options


def known(ids: Iterable[int | None]) -> dict[int, Stand]:
    """Fairs by their ids; None among them is passed over."""
    wanted = {id_ for id_ in ids if id_ is not None}
    rows = db.session.execute(KNOWN, {"ids": list(wanted)}) if wanted else ()
    return {row[0]: Stand(*row) for row in rows}


def hold(codes: Iterable[str]) -> None:
    """Until the caller commits, no fair among these choices changes its days, nor who takes part in it."""
    slugs = sorted({code.removeprefix(PREFIX) for code in codes if code.startswith(PREFIX)})
    if slugs:
        db.session.execute(HOLD, {"slugs": slugs})


def may_still_be_brought(order_id: int, day: datetime.date) -> bool:
    """Whether each fair that parcels of an order go to, if any, is to come or on, with their facility in it."""
    return bool(db.session.execute(STILL, {"order_id": order_id, "day": day}).scalar_one())


def _method() -> int | None:
    wanted = select(ShippingMethod.id).where(ShippingMethod.is_active, ShippingMethod.kind == "stand")
    found: int | None = db.session.scalar(wanted.order_by(ShippingMethod.position))
    return found


def _roads(pieces: Mapping[int, Sequence[Piece]], cities: Iterable[str]) -> dict[tuple[int, str], tuple[int, int]]:
    """Fewest and most days of the quickest courier from each facility to each city that is known."""
    origins = load_origins(pieces)
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for city in cities:
        places = search_places(city) if city else []
        if not places:
            continue
        province = db.session.get_one(Province, places[0].province_id)
        there = Destination(province.id, province.name, province.zone_id, city)
        rates = load_rates({origin.zone_id for origin in origins.values()}, province.zone_id)
        for facility_id, origin in origins.items():
            ways = deliveries(origin, there, weight_of(pieces[facility_id]), rates)
            if ways:
                found[facility_id, city] = min((way.days_max, way.days_min) for way in ways)[::-1]
    return found
