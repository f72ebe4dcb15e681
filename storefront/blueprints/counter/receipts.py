"""A sale's receipt as the cashier prints it, 58 mm wide; the buyer opens the same by its link (`checkout.after`)."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.counter import bp
from storefront.counter import voids
from storefront.errors import NotFound
from storefront.exports.receipt_pdf import issuer
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.links import receipt_link
from storefront.orders.models import Order, OrderState
from storefront.orders.views import order_view
from storefront.people import access
from storefront.qr_code import in_page


@bp.get("/<slug>/receipts/<number>")
@access.signed_in
def receipt(slug: str, number: str) -> ResponseReturnValue:
    """Of this fair's own sales alone, once they are paid; NotFound for any other."""
    sale = voids.sale_of(g.exhibition.id, number)
    order = db.session.get_one(Order, sale.order_id)
    if order.state != OrderState.PAID:
        raise NotFound()
    link = receipt_link(order, locale())
    code = in_page(link, scale=4, border=2)
    view = order_view(order, locale=locale())
    return render_template(
        "counter/receipt.html",
        exhibition=g.exhibition,
        here="sales",
        order=view,
        sale=sale,
        issuer=issuer(view),
        code=code,
    )
