"""`/api/v1/orders/<number>`: how an order stands, and another try at paying it. Both need the order's token."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.api import answers, bp
from storefront.blueprints.api.body import read_object
from storefront.cart import ways
from storefront.cart.request import read_method
from storefront.extensions import db
from storefront.orders.links import open_by_link
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.views import order_view


@bp.get("/orders/<number>")
def show_order(number: str) -> ResponseReturnValue:
    """The order as it is now."""
    order = open_by_link(number, request.args.get("token"), request.remote_addr)
    return jsonify(answers.order(order_view(order, locale="id")))


@bp.post("/orders/<number>/payments")
def pay_order(number: str) -> ResponseReturnValue:
    """A new payment for what is unpaid. One given out before stays valid; if both are paid, one is returned.

    The body may name another `payment_method`; whatever is in it else is not read.
    """
    order = open_by_link(number, request.args.get("token"), request.remote_addr)
    # A body was never needed: one that is no JSON is not read, as before.
    wanted = read_method(read_object(may_be_missing=True) if request.is_json else {})
    payment_id = open_payment(order, ways.chosen(wanted, order.items_total + order.shipping_total)).id
    db.session.commit()
    payment = answers.payment(start_payment(payment_id))
    return jsonify(**payment, payment=payment), 201
