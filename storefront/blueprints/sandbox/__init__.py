"""The sandbox provider's own pages; another party that happens to live here."""

from __future__ import annotations

from flask import Blueprint, current_app

from storefront.errors import NotFound
from storefront.extensions import csrf

blueprint = Blueprint("sandbox", __name__, url_prefix="/sandbox")
# Like a provider's own site: no cookie of ours is read here, so there is nothing to forge with.
csrf.exempt(blueprint)


@blueprint.before_request
def only_in_use() -> None:
    """The sandbox exists only where it may take payments."""
    if "sandbox" not in current_app.extensions["gateways"]:
        raise NotFound()


from storefront.blueprints.sandbox import desk, routes  # noqa: E402, F401
