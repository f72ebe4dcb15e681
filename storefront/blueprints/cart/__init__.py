"""The cart's page, and the small fragment that tells a cached page who is looking at it."""

from __future__ import annotations

from flask import Blueprint, Response

bp = Blueprint("cart", __name__)


@bp.after_request
def personal(response: Response) -> Response:
    """A cart is one visitor's: nobody keeps the page."""
    response.headers["Cache-Control"] = "no-store"
    return response


from storefront.blueprints.cart import routes  # noqa: E402, F401
