"""Couriers of some facilities, and amounts from which they send free of charge."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from sqlalchemy import select

from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.models import FacilityCourier, FreeShipping, ShippingMethod

#: Code → method → who carries it. The others offer every default method.
COURIERS = {
    "PKL": {"regular": "Pos Indonesia", "express": "JNE", "cargo": "Wahana"},
    "PLP": {"regular": "JNE", "express": "JNE"},
    "BJB": {"regular": "Pos Indonesia", "cargo": "TIKI"},
    "NML": {"regular": "Pos Indonesia"},
    "SBY": {"regular": "J&T Express", "cargo": "Lion Parcel"},
    "TSM": {"regular": "SiCepat", "cargo": "Wahana"},
}
#: Code → (as far as, rupiah of goods from which the facility bears the delivery).
FREE = {
    "PKL": (("province", 200_000), ("nationwide", 350_000)),
    "BJB": (("nationwide", 75_000),),
    "MJK": (("nationwide", 300_000),),
    "PTI": (("same_city", 75_000),),
}


def free_since(today: datetime.date) -> datetime.date:
    """The day from which the demo's facilities bear what FREE says."""
    return today - days(45)


def add(facilities: Mapping[str, Facility], today: datetime.date) -> None:
    """Add what COURIERS and FREE say."""
    methods = {row.code: row.id for row in db.session.execute(select(ShippingMethod.code, ShippingMethod.id))}
    for code, couriers in COURIERS.items():
        for method, courier in couriers.items():
            db.session.add(
                FacilityCourier(facility_id=facilities[code].id, method_id=methods[method], courier=courier)
            )
    for code, offers in FREE.items():
        for reach, minimum in offers:
            db.session.add(
                FreeShipping(
                    facility_id=facilities[code].id,
                    reach=reach,
                    minimum=minimum,
                    valid_from=free_since(today),
                    set_at=at(free_since(today), 9),
                )
            )
    db.session.flush()
