"""A parcel is to be packed: its facility is told, once."""

from __future__ import annotations

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.notices.tell import tell
from storefront.orders.models import Order, Parcel, ParcelState


def tell_facilities(order_id: int) -> int:
    """Tell the facilities whose parcels of this order are to be packed; how many are told. Never commits."""
    rows = db.session.execute(
        select(Parcel.id, Parcel.position, Parcel.facility_id, Order.number, Facility.code)
        .join(Order, Order.id == Parcel.order_id)
        .join(Facility, Facility.id == Parcel.facility_id)
        .where(Parcel.order_id == order_id, Parcel.state == ParcelState.TO_PACK)
        .order_by(Parcel.position)
    ).all()
    return sum(
        tell(
            row.facility_id,
            "parcel",
            f"parcel:{row.id}",
            about=f"{row.number}/{row.position}",
            path=f"/seller/{row.code}/parcels/{row.id}",
        )
        for row in rows
    )
