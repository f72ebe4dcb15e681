"""A sale's receipt as the cashier prints it, 58 mm wide; the buyer's own page is the order's, by its link."""

from __future__ import annotations

import segno
from flask import g, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from storefront.blueprints.counter import bp
from storefront.counter import voids
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Order, OrderState
from storefront.orders.payment import order_link
from storefront.people import access


@bp.get("/<slug>/receipts/<number>")
@access.signed_in
def receipt(slug: str, number: str) -> ResponseReturnValue:
    """Of this fair's own sales alone, once they are paid; NotFound for any other."""
    sale = voids.sale_of(g.exhibition.id, number)
    order = db.session.get_one(Order, sale.order_id)
    if order.state != OrderState.PAID:
        raise NotFound()
    # A picture made here of nothing but our own address.
    code = Markup(segno.make(order_link(order), error="m", micro=False).svg_inline(scale=4, border=2))  # noqa: S704
    return render_template(
        "counter/receipt.html", exhibition=g.exhibition, here="sales", order=order, sale=sale, code=code
    )
