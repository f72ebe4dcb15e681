"""The money of all facilities: what was sold, what is owed, what gateways hold, exports.

For finance, the administrator and auditors. Whoever is finance for some facilities sees those alone; what an
auditor looks at is recorded.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from storefront.audit.record import record
from storefront.extensions import db
from storefront.payments import connect
from storefront.people import access, policy
from storefront.people.models import Role
from storefront.people.policy import Action

bp = Blueprint("finance", __name__, url_prefix="/finance")
access.guard(bp)


def reach() -> frozenset[int] | None:
    """Ids of the facilities whose money the reader may see; None: all."""
    found = policy.reach(access.person(), Action.REVENUE_READ, face="finance")
    return None if found.everywhere else found.facility_ids


@bp.context_processor
def around() -> dict[str, Any]:
    """What every page of this face shows around its content."""
    who = access.person()
    roles = policy.roles(who)
    return {
        "sees_everything": who is not None and reach() is None,
        "only_reads": bool(roles) and Role.FINANCE not in roles,
        "reads_refunds": bool(policy.reach(who, Action.REFUNDS_READ, face="finance")),
        "money_out": policy.may(who, Action.DEPOSITS_READ),
        "transfers_on": connect.is_on(),
        "walked_month": steps.walked_month() if request.endpoint != "finance.period" else None,
        "reads_bank": policy.reach(who, Action.BANK_READ, face="finance").everywhere,
        "reads_returns": policy.reach(who, Action.RETURNS_READ, face="finance").everywhere,
    }


@bp.after_request
def record_auditors_view(response: Response) -> Response:
    """Write down what an auditor has looked at (PRODUCT.md, "Who uses it")."""
    who = access.person()
    if who is not None and response.status_code == 200 and Role.AUDITOR in policy.roles(who):
        record(
            "finance.viewed",
            "page",
            request.endpoint or "",
            person_id=who.id,
            details={"path": request.path, "query": request.query_string.decode("latin-1")[:500]},
        )
        db.session.commit()
    return response


from storefront.blueprints.finance import (  # noqa: E402, F401
    audit,
    bank_accounts,
    bank_files,
    bank_lines,
    budget,
    cash_books,
    connected_accounts,
    corrections,
    deposits,
    distributions,
    events,
    export,
    export_presets,
    fees,
    made_files,
    marketplaces,
    orders,
    overview,
    owed,
    payment_files,
    payment_shapes,
    payments,
    payouts,
    periods,
    problems,
    reconciliation,
    refund_form,
    refunds,
    reports,
    returns,
    rules,
    sales,
    satkers,
    settlement_transfers,
    settlements,
    statements,
    steps,
    tills,
)
