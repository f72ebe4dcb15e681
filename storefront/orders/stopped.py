"""Orders of which a facility was suspended meanwhile."""

from __future__ import annotations

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.models import Parcel


def has_suspended(order_id: int) -> bool:
    """Whether a facility of the order is suspended: its time to be paid is neither begun anew nor made longer."""
    of_it = select(Facility.id).join(Parcel, Parcel.facility_id == Facility.id).where(Parcel.order_id == order_id)
    return db.session.scalar(of_it.where(Facility.status != "active").limit(1)) is not None
