"""Fairs that facilities take part in, for tests."""

from __future__ import annotations

import datetime
import itertools

from storefront import days
from storefront.exhibitions.models import Exhibition, ExhibitionFacility, ExhibitionPieces
from storefront.extensions import db
from storefront.facilities.models import Facility

_numbers = itertools.count(1)


def make_fair(*facilities: Facility, opens: int = -1, ends: int = 9, slug: str = "") -> Exhibition:
    """A fair that opens and ends so many days from today, with these taking part; committed."""
    number = next(_numbers)
    fair = Exhibition(
        slug=slug or f"pameran-{number}",
        name=f"Pameran Kota {number}",
        venue="Balai Kota",
        city="Semarang",
        starts_on=days.today() + datetime.timedelta(days=opens),
        ends_on=days.today() + datetime.timedelta(days=ends),
    )
    db.session.add(fair)
    db.session.flush()
    for facility in facilities:
        db.session.add(ExhibitionFacility(exhibition_id=fair.id, facility_id=facility.id))
    db.session.commit()
    return fair


def planned(fair: Exhibition, facility: Facility, variant_id: int, pieces: int) -> None:
    """The facility means to bring so many; committed."""
    db.session.add(
        ExhibitionPieces(
            exhibition_id=fair.id, facility_id=facility.id, variant_id=variant_id, planned=pieces
        )
    )
    db.session.commit()
