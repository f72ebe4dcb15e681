"""The counter at a fair's stand, on a cashier's phone: `/counter/<slug>`.

Besides being a cashier, who works here must be named for the very fair of the address; the others do not find it.
"""

from __future__ import annotations

from flask import Blueprint, g, request
from sqlalchemy import select

from storefront.errors import NotFound
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.people import access, policy

bp = Blueprint("counter", __name__, url_prefix="/counter")
access.guard(bp)


@bp.before_request
def find_fair() -> None:
    """Keep the fair of this address in `g.exhibition`. Raises NotFound for whoever does not sell there."""
    slug = (request.view_args or {}).get("slug")
    if slug is None:
        return
    fair = db.session.scalar(select(Exhibition).where(Exhibition.slug == slug))
    if fair is None or not policy.may_sell_at(access.person(), fair.id):
        raise NotFound
    g.exhibition = fair


from storefront.blueprints.counter import (  # noqa: E402, F401
    catalogue,
    conflicts,
    day_sheet,
    page,
    receipts,
    sales,
    stand,
    tills,
    to_collect,
    voids,
    worker,
)
