"""A sale's receipt as the cashier prints it, 58 mm wide; the buyer's own page is the order's, by its link."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront.blueprints.counter import bp
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Channel, Order
from storefront.people import access


@bp.get("/<slug>/receipts/<number>")
@access.signed_in
def receipt(slug: str, number: str) -> ResponseReturnValue:
    """Of this fair's own sales alone; NotFound for any other."""
    order = db.session.scalar(
        select(Order).where(
            Order.number == number,
            Order.exhibition_id == g.exhibition.id,
            Order.channel == Channel.COUNTER.value,
        )
    )
    if order is None:
        raise NotFound()
    return render_template("counter/receipt.html", order=order, exhibition=g.exhibition)
