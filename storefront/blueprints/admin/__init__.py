"""The central office: pages, words and what the public writes; and who works here; later also facilities and settings.

For curators, administrators and auditors. A module of this face that has something waiting for a person
registers a queue with `overview.queue`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint

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
        "reads_integrations": allowed(Action.INTEGRATIONS_READ),
        "reads_cases": allowed(Action.CASES_READ),
    }


def allowed(action: Action) -> bool:
    """Whether the reader may do `action` by the roles of this face."""
    return bool(policy.reach(access.person(), action, face="admin"))


from storefront.blueprints.admin import (  # noqa: E402, F401
    cases,
    category_needs,
    declarations,
    home,
    listings,
    moderation,
    operator,
    overview,
    pages,
    people,
    recalls,
    searches,
    synonyms,
    tokens,
    webhooks,
)
