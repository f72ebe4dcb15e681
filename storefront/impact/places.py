"""Places that a permanent figure may be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storefront.catalogue.filters import slug_of
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.models import Province


@dataclass(frozen=True)
class Place:
    """A facility, or a province with all facilities in it."""

    name: str
    codes: tuple[str, ...]


def place_of(facility: str, province: str) -> Place | None:
    """The facility with this code, or the province as it stands in an address; None when there is none."""
    query = select(Facility.code, Facility.name, Province.name).join(Province, Province.id == Facility.province_id)
    rows = db.session.execute(query.order_by(Facility.code)).all()
    if facility:
        return next((Place(name, (code,)) for code, name, _ in rows if code == facility), None)
    found = [(code, name) for code, _, name in rows if slug_of(name) == province]
    return Place(found[0][1], tuple(code for code, _ in found)) if found else None
