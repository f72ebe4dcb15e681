"""What must be done today, and what was earned."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

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
from storefront.facilities.working_days import calendar_of
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
    return render_template("seller/index.html", facilities=[waiting_in(facility) for facility in facilities])


@dataclass(frozen=True)
class WaitingIn:
    """What waits in one facility of somebody who has several."""

    facility: Facility
    to_pack: int
    questions: int
    #: Reports of buyers that wait for an answer; None for who does not answer them.
    problems: int | None
    sold_out: int
    #: The last day of the pause that it is in.
    paused_until: datetime.date | None


def waiting_in(facility: Facility) -> WaitingIn:
    answers = facility.id in policy.reach(access.person(), Action.REFUNDS_READ, face="seller")
    pause = calendar_of(facility.id, days.today()).pause_on(days.today())
    return WaitingIn(
        facility,
        packing.counts(facility.id)["to_pack"],
        open_count(facility.id),
        lists.waiting([facility.id]).open if answers else None,
        shelf.stock_counts(facility.id)["sold_out"],
        pause[1] if pause else None,
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
