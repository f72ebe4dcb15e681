"""The central office: pages, words and what the public writes; who works here, and which facilities there are.

For curators, administrators and auditors. A module of this face that has something waiting for a person
registers a queue with `overview.queue`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from storefront.audit.record import record
from storefront.extensions import db
from storefront.people import access, policy
from storefront.people.models import Role
from storefront.people.policy import Action

bp = Blueprint("admin", __name__, url_prefix="/admin")
access.guard(bp)


@bp.context_processor
def around() -> dict[str, Any]:
    """What every page of this face shows around its content."""
    roles = policy.roles(access.person())
    return {
        "curates": allowed(Action.PAGES_WRITE),
        "administers": Role.ADMINISTRATOR in roles,
        "publishes": allowed(Action.PUBLISH),
        "reads_people": allowed(Action.PEOPLE_READ),
        "reads_trail": allowed(Action.AUDIT_READ),
        "reads_facilities": allowed(Action.FACILITIES_READ),
        "reads_integrations": allowed(Action.INTEGRATIONS_READ),
        "reads_cases": allowed(Action.CASES_READ),
        "reads_training": allowed(Action.TRAINING_READ),
        "reads_system": allowed(Action.SYSTEM_READ),
    }


@bp.after_request
def record_auditors_view(response: Response) -> Response:
    """Write down what an auditor has looked at (PRODUCT.md, "Who uses it")."""
    who = access.person()
    if who is not None and response.status_code == 200 and Role.AUDITOR in policy.roles(who):
        details = {"path": request.path, "query": request.query_string.decode("latin-1")[:500]}
        record("admin.viewed", "page", request.endpoint or "", person_id=who.id, details=details)
        db.session.commit()
    return response


def allowed(action: Action) -> bool:
    """Whether the reader may do `action` by the roles of this face."""
    return bool(policy.reach(access.person(), action, face="admin"))


from storefront.blueprints.admin import (  # noqa: E402, F401
    audit,
    cases,
    categories,
    category_needs,
    declarations,
    exhibition_stand,
    exhibitions,
    facilities,
    home,
    listings,
    moderation,
    operator,
    overview,
    pages,
    people,
    rates,
    recalls,
    searches,
    settings,
    synonyms,
    system,
    tokens,
    training,
    webhooks,
)
