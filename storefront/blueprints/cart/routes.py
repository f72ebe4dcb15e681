"""See the cart, put goods in, change how many, take them out."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.cart import bp
from storefront.blueprints.cart.page import (
    EXPLAINED,
    changed,
    current_cart,
    existing,
    holds,
    page,
    person_id,
    quantity,
    refused,
    settings_now,
    view_of,
    whole,
)
from storefront.cart import carts, cookie, lines, own_holds
from storefront.cart.view import load
from storefront.extensions import db


@bp.get("/cart")
def show() -> ResponseReturnValue:
    """All that lies in the cart, grouped by the facility that sends it."""
    cart = current_cart()
    return page(view_of(cart.id) if cart else None)


@bp.post("/cart/add")
def add() -> ResponseReturnValue:
    """Put pieces of a SKU into the cart; the first ones make the cart."""
    cart, token = current_cart(), None
    if cart is None:
        cart, token = carts.create(person_id())
    cart_id, sku = cart.id, request.form.get("sku", "")
    try:
        lines.add(cart_id, sku, quantity(), own=own_holds.pieces_of(holds()))
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, None if token else cart_id, sku)
    db.session.commit()
    response = redirect(url_for("cart.show"), 303)
    if token:
        cookie.set_token(response, token, settings_now())  # type: ignore[arg-type]
    return response


@bp.post("/cart/update")
def update() -> ResponseReturnValue:
    """Have another number of pieces; none at all takes the line out."""
    cart_id, sku, wanted = existing(), request.form.get("sku", ""), quantity()
    try:
        if wanted == 0:
            lines.remove(cart_id, sku)
        else:
            lines.set_quantity(cart_id, sku, wanted, own=own_holds.pieces_of(holds()), keep_price=True)
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, cart_id, sku)
    db.session.commit()
    return changed(cart_id)


@bp.post("/cart/accept")
def accept() -> ResponseReturnValue:
    """Agree to the price as it stands on the page; where it is another one by now, the page asks again."""
    cart_id, sku = existing(), request.form.get("sku", "")
    try:
        lines.accept_price(cart_id, sku, whole(request.form.get("price", "")))
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, cart_id, sku)
    db.session.commit()
    return changed(cart_id)


@bp.post("/cart/remove")
def remove() -> ResponseReturnValue:
    """Take a line out; it can be put back with one press."""
    cart_id, sku = existing(), request.form.get("sku", "")
    view = load(cart_id)
    gone = next((line for line in view.lines if line.sku == sku), None)
    lines.remove(cart_id, sku)
    db.session.commit()
    return changed(cart_id, removed=gone)
