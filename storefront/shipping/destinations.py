"""Where a parcel goes, as far as its price depends on it, from an address as people write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.errors import Invalid
from storefront.extensions import db
from storefront.shipping.match_places import Whereabouts, towns
from storefront.shipping.models import Province
from storefront.shipping.places import province_key
from storefront.shipping.quote import Destination, Origin


def destination_for(
    province: str, city: str, district: str = "", postal_code: str = "", *, field: str = "address.province"
) -> Destination:
    """The destination for an address as people write it.

    Raises `Invalid` on `field` when the province is none of Indonesia's. Any city is accepted: one that is
    unknown, or may be one of several, counts as another one of its province.
    """
    found = find_province(province)
    if found is None:
        raise Invalid({field: unknown_province(province)})
    return Destination(found.id, found.name, found.zone_id, city, None, district, postal_code)


def meet(
    origins: Mapping[int, Origin], destination: Destination
) -> tuple[dict[int, Origin], Destination]:
    """The same with their towns, where it matters which they are: within the destination's province."""
    near = [origin for origin in origins.values() if origin.province_id == destination.province_id]
    if not near:
        return dict(origins), destination
    places = [Whereabouts(each.province_id, each.city, each.district, each.postal_code) for each in near]
    there = Whereabouts(destination.province_id, destination.city, destination.district, destination.postal_code)
    town, *others = towns([there, *places])
    placed = {origin.facility_id: origin._replace(town=own) for origin, own in zip(near, others, strict=True)}
    return {**origins, **placed}, destination._replace(town=town)


def find_province(name: str) -> Province | None:
    """The province that people mean by `name`, None when there is none."""
    wanted = province_key(name)
    return next((row for row in provinces() if wanted and province_key(row.name) == wanted), None)


def unknown_province(province: str) -> Any:
    """The sentence for a province that is not known."""
    return _('Provinsi "%(name)s" tidak kami kenal. Pilih salah satu provinsi di Indonesia.', name=province[:60])


def provinces() -> Sequence[Province]:
    """All provinces by name."""
    return db.session.scalars(select(Province).order_by(Province.name)).all()
