"""`/api/v1/carts`: lay goods aside, ask what shipping costs, order."""

from __future__ import annotations

from typing import Any

from flask import current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.api import answers, bp
from storefront.blueprints.api.body import read_object
from storefront.cart import carts, lines
from storefront.cart.checkout import check_out, payment_page
from storefront.cart.delivery import with_stands
from storefront.cart.request import read_request
from storefront.cart.unpaid import network_hash
from storefront.cart.view import load
from storefront.crash_points import reach
from storefront.errors import IdempotencyKeyRequired, Invalid
from storefront.extensions import db
from storefront.orders.tokens import order_token
from storefront.orders.views import order_view
from storefront.shipping.addresses import LENGTHS, MISSING, Refused, one_line
from storefront.shipping.destinations import destination_for
from storefront.shipping.find_places import PLACE_FIELDS
from storefront.shipping.rates import quote


def _cart(token: str, cart_id: int) -> dict[str, Any]:
    return answers.cart(token, load(cart_id))


@bp.post("/carts")
def create_cart() -> ResponseReturnValue:
    """A new, empty cart. Its id is a secret: who knows it may order from it."""
    read_object(may_be_missing=True)
    cart, token = carts.create()
    answer = _cart(token, cart.id)
    db.session.commit()
    return jsonify(answer), 201, {"Location": url_for("api.show_cart", token=token)}


@bp.get("/carts/<token>")
def show_cart(token: str) -> ResponseReturnValue:
    """The cart as it is now: live prices, live stock, and what is wrong with each line."""
    return jsonify(_cart(token, carts.by_token(token).id))


@bp.post("/carts/<token>/lines")
def add_line(token: str) -> ResponseReturnValue:
    """Put pieces into the cart; the same SKU again adds up."""
    data = read_object()
    cart = carts.by_token(token)
    lines.add(cart.id, data.get("sku"), data.get("quantity"))
    answer = _cart(token, cart.id)
    db.session.commit()
    return jsonify(answer), 201


@bp.put("/carts/<token>/lines/<sku>")
def set_line(token: str, sku: str) -> ResponseReturnValue:
    """Have exactly this many pieces of a line."""
    data = read_object()
    cart = carts.by_token(token)
    lines.set_quantity(cart.id, sku, data.get("quantity"))
    answer = _cart(token, cart.id)
    db.session.commit()
    return jsonify(answer)


@bp.delete("/carts/<token>/lines/<sku>")
def remove_line(token: str, sku: str) -> ResponseReturnValue:
    """Take a line out; nothing happens if it is not there."""
    cart = carts.by_token(token)
    lines.remove(cart.id, sku)
    answer = _cart(token, cart.id)
    db.session.commit()
    return jsonify(answer)


@bp.get("/carts/<token>/shipping")
def show_shipping(token: str) -> ResponseReturnValue:
    """What may be chosen for each facility's parcel to `province`, `city`, and where known `district` and code."""
    errors: dict[str, Any] = {}
    given: dict[str, str] = {}
    for name in PLACE_FIELDS:
        try:
            given[name] = one_line(request.args.get(name), LENGTHS.get(name, 20))
        except Refused as refused:
            errors[name] = refused.sentence
    if not errors and not given["province"]:
        errors["province"] = MISSING["province"]
    if errors:
        raise Invalid(errors)
    view = load(carts.by_token(token).id)
    offered = with_stands(view, quote(view.pieces, destination_for(**given, field="province")))
    return jsonify(parcels=[answers.parcel_quote(parcel, offered[parcel.facility.id]) for parcel in view.parcels])


@bp.post("/carts/<token>/checkout")
def order_cart(token: str) -> ResponseReturnValue:
    """Order the cart, once for each Idempotency-Key.

    The order is committed before the provider is asked for a payment page; while the provider is down the
    answer is the same with `payment.url` null.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise IdempotencyKeyRequired()
    cart_id = carts.by_token(token).id
    result = check_out(
        cart_id,
        read_request(read_object()),
        key,
        locale="id",
        network=network_hash(request.remote_addr),
        limit_unpaid=current_app.extensions["settings"].rate_limits,
    )
    reach("checkout.before_commit")
    db.session.commit()
    reach("checkout.after_commit")
    answer = answers.checkout(order_view(result.order, locale="id"), order_token(result.order))
    return jsonify(**answer, payment=answers.payment(payment_page(result))), 201


