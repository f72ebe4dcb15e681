"""From one facility to another of the same person: the same kind of page where they may open it there.

Every address names its facility, so that a form which was opened for one is never taken for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request, url_for
from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import access, policy
from storefront.people.sessions import SignedIn

#: Lists to go to from a page about one thing, which the other facility does not have.
LISTS = {
    "parcel": "seller.parcels",
    "sku": "seller.products",
    "slug": "seller.exhibition_list",
    "enquiry": "seller.question_list",
    "problem": "seller.problem_list",
    "workshop": "seller.workshop_list",
    "settlement": "seller.money",
    "deposit": "seller.money",
    "account": "seller.bank_details",
    "period": "seller.statements",
    "member": "seller.team",
}
HOME = "seller.today"


@dataclass(frozen=True)
class Other:
    """Another facility of the reader's, and where a switch leads."""

    code: str
    name: str
    address: str


def others(who: SignedIn) -> list[Other]:
    """The reader's facilities but the one of this address, by name."""
    ids = policy.presence(who, "seller").facility_ids - {g.facility.id}
    if not ids:
        return []
    rows = db.session.execute(
        select(Facility.id, Facility.code, Facility.name).where(Facility.id.in_(ids)).order_by(Facility.name)
    )
    return [Other(code, name, url_for(_page(who, facility_id), code=code)) for facility_id, code, name in rows]


def _page(who: SignedIn, facility_id: int) -> str:
    """The endpoint of the same kind of page, as far as the reader may open it there."""
    named = set(request.view_args or {}) - {"code"}
    endpoint = request.endpoint or HOME
    if named:
        parts = sorted(name.removesuffix("_id") for name in named)
        endpoint = next((LISTS[part] for part in parts if part in LISTS), HOME)
    declared = access.rule_of(endpoint)
    if declared is None or (
        declared.action is not None and facility_id not in policy.reach(who, declared.action, face="seller")
    ):
        return HOME
    return endpoint
