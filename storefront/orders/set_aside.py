"""Pieces that are sold and still lie in the store until they are packed: who counts the shelf must leave them out."""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.extensions import db
from storefront.orders.models import OrderLine, Parcel, ParcelLine, ParcelState


def set_aside(facility_id: int) -> dict[int, int]:
    """Pieces in the facility's paid parcels that are not packed yet, by variant; made to order left out."""
    rows = db.session.execute(
        select(OrderLine.variant_id, func.sum(ParcelLine.quantity))
        .select_from(Parcel)
        .join(ParcelLine, ParcelLine.parcel_id == Parcel.id)
        .join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
        .where(
            Parcel.facility_id == facility_id,
            Parcel.state == ParcelState.TO_PACK,
            OrderLine.location_id.is_not(None),
        )
        .group_by(OrderLine.variant_id)
    )
    return {variant_id: int(pieces) for variant_id, pieces in rows}
