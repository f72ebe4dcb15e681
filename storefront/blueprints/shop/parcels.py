"""Short links of parcels, for those who pack them."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.models import Parcel
from storefront.people import access, policy
from storefront.people.policy import Action


def parcel_address(parcel_id: int) -> str | None:
    """Where the reader works on the parcel; None when it does not exist for them."""
    row = db.session.execute(
        select(Facility.id, Facility.code)
        .join(Parcel, Parcel.facility_id == Facility.id)
        .where(Parcel.id == parcel_id)
    ).one_or_none()
    if row is None or row.id not in policy.reach(access.person(), Action.PARCELS_READ, face="seller"):
        return None
    return url_for("seller.parcel", code=row.code, parcel_id=parcel_id)
