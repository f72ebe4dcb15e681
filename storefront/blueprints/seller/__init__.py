"""A facility's own pages: what to pack, what is on the shelf, what was earned.

Every address below `/seller/<code>/` concerns the facility with that code; the door (`people.access`) finds
it, keeps it in `g.facility`, and answers 404 to whoever is no coordinator or head of it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from storefront.blueprints.seller import menu, switch
from storefront.books.awaiting import Awaiting, awaiting
from storefront.people import access, policy
from storefront.people.policy import Action

bp = Blueprint("seller", __name__, url_prefix="/seller")
access.guard(bp)


@bp.context_processor
def around() -> dict[str, Any]:
    """What every page of this face shows around its content: the facility, and what the reader may do there."""
    facility, who = g.get("facility"), access.person()
    if facility is None or who is None:
        return {"facility": None, "may": {}}
    return {
        "facility": facility,
        "may": {
            "pack": allowed(Action.PARCELS_WRITE),
            "see_buyers": allowed(Action.BUYERS_READ),
            "stock": allowed(Action.STOCK_WRITE),
            "offer": allowed(Action.LISTINGS_WRITE),
            "ask_refund": allowed(Action.REFUNDS_ASK),
            "read_settlements": allowed(Action.SETTLEMENTS_READ),
            "read_deposits": allowed(Action.DEPOSITS_READ),
            "see_team": allowed(Action.PEOPLE_READ),
        },
        "here": menu.section(),
        "other_facilities": switch.others(who),
        "views_here": lambda: views.here(g.facility.id, who.id),
    }


def waits() -> Awaiting | None:
    """What the reader may agree to in this facility as its head; None for who does not decide."""
    who = access.person()
    return awaiting(g.facility.id, who.id) if who and allowed(Action.SETTLEMENTS_APPROVE) else None


def allowed(action: Action) -> bool:
    """Whether the reader may do `action` in the facility of this address, by the roles of this face."""
    return g.facility.id in policy.reach(access.person(), action, face="seller")


from storefront.blueprints.seller import (  # noqa: E402, F401
    bank_details,
    batches,
    calendar,
    certificates,
    declarations,
    delivery,
    distributions,
    exhibition_stand,
    exhibitions,
    export,
    imports,
    labels,
    listing_acts,
    listing_photos,
    listing_review,
    listings,
    money,
    notices,
    offers,
    parcel_papers,
    parcel_pieces,
    parcel_queue,
    parcels,
    problems,
    profile,
    questions,
    quotes,
    refunds,
    replies,
    rules,
    sales,
    shelf,
    shelf_bulk,
    statements,
    take_count,
    takes,
    team,
    today,
    tracking,
    training,
    training_files,
    views,
)
