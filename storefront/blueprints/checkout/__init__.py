"""From the cart to an order on one page, and the page of the order after that."""

from __future__ import annotations

from flask import Blueprint, Response

from storefront.facilities.gallery_hours import of_facility

bp = Blueprint("checkout", __name__)
bp.add_app_template_filter(of_facility, "gallery_hours")


@bp.after_request
def personal(response: Response) -> Response:
    """Names, addresses and orders: nobody keeps these pages, unless the page itself says that its browser may."""
    response.headers.setdefault("Cache-Control", "no-store")
    # Never to a courier's page or a messenger: some of these addresses are links of their own.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


from storefront.blueprints.checkout import (  # noqa: E402, F401
    after,
    find_order,
    keep,
    my_data,
    order_page,
    problem_page,
    return_account,
    routes,
    transfer_page,
    voices,
)
