"""`/api/v1`: the shop for programs, as CONTRACT.md promises. It reads no cookies.

Every answer is JSON; errors are RFC 9457 problem+json with a stable `code`. What each call takes and gives
stands in `openapi.py`, which is served at `/api/v1/openapi.json`.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

#: No cart or order needs more; a larger body is refused before it is read.
LARGEST_BODY = 64 * 1024

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.before_request
def limit_body() -> None:
    """Read small bodies only."""
    request.max_content_length = LARGEST_BODY


@bp.after_request
def never_kept(response: Response) -> Response:
    """Stock, carts and orders are as they are now: nobody keeps an answer unless the view allows it."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


from storefront.blueprints.api import carts, office, orders, products, specification  # noqa: E402, F401
