"""The whole audit trail, for administrators and auditors: found by who, what, on what, where, when and any word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront.audit import trail
from storefront.audit.asked import asked_of, said
from storefront.audit.trail import Act
from storefront.blueprints.admin import bp
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import asked_turn
from storefront.people import access, policy
from storefront.people.models import Membership
from storefront.people.policy import Action
from storefront.written import one_line


class Page(NamedTuple):
    """The page of a thing that the trail speaks of."""

    endpoint: str
    #: What the subject's id is called in its address.
    argument: str
    action: Action
    pattern: str = r"[0-9]{1,18}"


PAGES = {
    "case": Page("admin.case", "case_id", Action.CASES_READ),
    "content_page": Page("admin.page_form", "slug", Action.PAGES_WRITE, r"[a-z0-9-]+"),
    "declaration": Page("admin.declaration_page", "declaration_id", Action.DECLARATIONS_READ),
    "deposit": Page("finance.deposit_page", "deposit_id", Action.DEPOSITS_READ),
    "facility": Page("admin.facility_page", "code", Action.FACILITIES_READ, r"[A-Z0-9]{2,8}"),
    "home_block": Page("admin.block_form", "block_id", Action.PAGES_WRITE),
    "period": Page("finance.period", "month", Action.BOOKS_READ, r"[0-9]{4}-[0-9]{2}"),
    "person": Page("admin.staff_member", "person_id", Action.PEOPLE_READ),
    "refund": Page("finance.refund_page", "refund_id", Action.REFUNDS_READ),
    "settlement": Page("finance.settlement", "settlement_id", Action.SETTLEMENTS_READ),
    "split_rule": Page("finance.rule_page", "rule_id", Action.RULES_READ),
    "synonym_group": Page("admin.synonym_group", "group_id", Action.PAGES_WRITE),
}


@bp.get("/audit")
@access.rule(Action.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """What the reader may see of the trail, the latest first; each row leads to its thing."""
    where = policy.reach(access.person(), Action.AUDIT_READ, face="admin")
    ids = None if where.everywhere else where.facility_ids
    asked, errors = asked_of(request.args, one_line(request.args.get("facility", ""))[:20].upper() or None)
    found = trail.acts(asked, ids, with_people=True, turn=asked_turn())
    page = render_template(
        "admin/audit.html",
        found=found,
        asked=asked,
        query=said(request.args),
        errors=errors,
        actions=trail.known_actions(with_people=True),
        facilities=_facilities(ids),
        things=_things(found.rows),
    )
    return page, 422 if errors else 200


def _things(rows: Sequence[Act]) -> dict[int, str]:
    """The address of each row's thing, where there is a page of it that the reader may open."""
    staff = _staff({row.subject_id for row in rows if row.subject_kind == "person"})
    found = {}
    for row in rows:
        page = PAGES.get(row.subject_kind)
        if page is None or not re.fullmatch(page.pattern, row.subject_id):
            continue
        face = page.endpoint.partition(".")[0]
        if not policy.reach(access.person(), page.action, face=face):
            continue
        if row.subject_kind != "person" or row.subject_id in staff:
            arguments: dict[str, Any] = {page.argument: row.subject_id}
            found[row.id] = url_for(page.endpoint, **arguments)
    return found


def _staff(ids: Iterable[str]) -> set[str]:
    """Those of the people who work here or did: shoppers have no page here."""
    numbers = [int(one) for one in ids if re.fullmatch(PAGES["person"].pattern, one)]
    query = select(Membership.person_id).where(Membership.person_id.in_(numbers)).distinct()
    return {str(one) for one in db.session.scalars(query)}


def _facilities(ids: Iterable[int] | None) -> list[tuple[str, str]]:
    query = select(Facility.code, Facility.name).order_by(Facility.name)
    if ids is not None:
        query = query.where(Facility.id.in_(list(ids)))
    return [(code, name) for code, name in db.session.execute(query)]
