"""What must be done today, and what was earned."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront import days
from storefront.aftercare import thanks
from storefront.blueprints.seller import bp
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.facilities.working_days import calendar_of
from storefront.ledger import earnings
from storefront.ledger.bars import bars
from storefront.notices.waiting import Waits, asked_by, waiting, work
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
    waits: list[Waits]
    #: The last day of the pause that it is in.
    paused_until: datetime.date | None


def waiting_in(facility: Facility) -> WaitingIn:
    pause = calendar_of(facility.id, days.today()).pause_on(days.today())
    return WaitingIn(facility, waiting(asked_by(access.person(), facility)), pause[1] if pause else None)


@bp.get("/<code>/")
@access.rule(Action.PARCELS_READ)
def today(code: str) -> ResponseReturnValue:
    """The first screen: what waits, the most urgent first; then this month's earnings and the year behind it."""
    facility_id = g.facility.id
    day = days.today()
    months = earnings.months(facility_id, day)
    year_ago = months[0].month
    to_pack = packing.parcels(facility_id, "to_pack", limit=FIRST)
    return render_template(
        "seller/today.html",
        **_waits(),
        to_pack=to_pack.total,
        urgent=to_pack.rows,
        running_out=shelf.running_out(facility_id),
        month=months[-1],
        months=months,
        bars=bars(months),
        best=sold.best_sellers(facility_id, year_ago, day),
        called_off=packing.called_off(facility_id, day),
        thanked=thanks.for_facility(facility_id, limit=1),
    )


@bp.get("/<code>/waiting")
@access.rule(Action.PARCELS_READ)
def waiting_now(code: str) -> ResponseReturnValue:
    """The first screen's list alone, with the title that counts it: brought in again while the page lies open."""
    return render_template("seller/waiting_now.html", **_waits())


def _waits() -> dict[str, Any]:
    found = waiting(asked_by(access.person(), g.facility))
    return {"found": found, "work": work(found)}
