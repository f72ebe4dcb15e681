"""The cart's page, and the small fragment that tells a cached page who is looking at it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from storefront.people import access

bp = Blueprint("cart", __name__)


@bp.after_request
def personal(response: Response) -> Response:
    """A cart is one visitor's. A guest's own browser may keep the page for going back and forward, and asks us
    when it is shown again (app.js); what belongs to somebody who signs out, and fragments, nobody keeps."""
    is_page = request.endpoint == "cart.show" and "HX-Request" not in request.headers
    may_keep = is_page and access.person() is None
    response.headers["Cache-Control"] = "private, no-cache" if may_keep else "no-store"
    return response


from storefront.blueprints.cart import kept, place, routes, sending  # noqa: E402, F401
