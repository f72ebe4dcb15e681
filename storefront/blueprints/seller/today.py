"""What must be done today, and what was earned."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront import days
from storefront.aftercare import lists, thanks
from storefront.blueprints.seller import allowed, bp, waits
from storefront.blueprints.seller.charts import bars
from storefront.enquiries.threads import open_count
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import earnings
from storefront.orders import packing, sold
from storefront.people import access, policy
from storefront.people.policy import Action
from storefront.stock import shelf

#: Parcels shown on the first screen; the rest stands in the list.
FIRST = 8


@bp.get("/")
@access.signed_in
def index() -> ResponseReturnValue:
    """The facilities of a coordinator or head, each with what waits there."""
    ids = policy.presence(access.person(), "seller").facility_ids
    facilities = list(
        db.session.scalars(select(Facility).where(Facility.id.in_(ids)).order_by(Facility.name))
    )
    return render_template(
        "seller/index.html", facilities=[(facility, packing.counts(facility.id)) for facility in facilities]
    )


@bp.get("/<code>/")
@access.rule(Action.PARCELS_READ)
def today(code: str) -> ResponseReturnValue:
    """The first screen: parcels to pack, what ran out; then this month's earnings and the year behind it."""
    facility_id = g.facility.id
    day = days.today()
    months = earnings.months(facility_id, day)
    year_ago = months[0].month
    return render_template(
        "seller/today.html",
        counts=packing.counts(facility_id),
        urgent=packing.parcels(facility_id, "to_pack", limit=FIRST).rows,
        stock=shelf.stock_counts(facility_id),
        running_out=shelf.running_out(facility_id),
        month=months[-1],
        months=months,
        bars=bars(months),
        best=sold.best_sellers(facility_id, year_ago, day),
        waits=waits(),
        questions=open_count(facility_id),
        problems=lists.waiting([facility_id]) if allowed(Action.REFUNDS_READ) else None,
        called_off=packing.called_off(facility_id, day),
        thanked=thanks.for_facility(facility_id, limit=1),
    )
