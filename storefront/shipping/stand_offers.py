"""Stands at which a facility's goods may be collected: which are offered, until when, and how far away they are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from flask_babel import force_locale
from sqlalchemy import select, text

from storefront.extensions import db
from storefront.shipping.find_places import search_places
from storefront.shipping.models import Province, ShippingMethod
from storefront.shipping.quote import Destination, Option, Piece, deliveries, weight_of
from storefront.shipping.rates import load_origins, load_rates
from storefront.shipping.stands import COLUMNS, Stand

#: Days to a fair of which nobody can say how far away it is, or where no courier goes.
FAR = 7
OPEN = text(
    f"""
    SELECT f.facility_id, {COLUMNS}
      FROM exhibition_facilities f JOIN exhibitions x ON x.id = f.exhibition_id
     WHERE f.facility_id = ANY (:facilities) AND x.kind = 'hall' AND x.ends_on >= :day
     ORDER BY x.starts_on, x.id"""  # noqa: S608 - a piece of our own
)


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
