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
    quantity,
    refused,
    remember_cart,
    token,
    view_of,
    whole,
)
from storefront.cart import kept, lines, own_holds, place
from storefront.extensions import db
from storefront.people.access import person_id_or_none


@bp.get("/cart")
def show() -> ResponseReturnValue:
    """All that lies in the cart, grouped by the facility that sends it."""
    cart = current_cart()
    return page(view_of(cart.id) if cart else None, removed=request.args.get("removed", "")[:40])


@bp.post("/cart/add")
def add() -> ResponseReturnValue:
    """Put pieces of a SKU into the cart; the first ones make the cart."""
    cart, fresh = current_cart(), None
    if cart is None:
        cart, fresh = kept.begin(token(), person_id_or_none())
    cart_id, sku = cart.id, request.form.get("sku", "")
    try:
        lines.add(cart_id, sku, quantity(), own=own_holds.pieces_of(holds()))
        place.suggest(cart_id, request.form.get("place", "")[: place.LONGEST])
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, None if fresh else cart_id, sku)
    db.session.commit()
    return remember_cart(redirect(url_for("cart.show"), 303), fresh)


@bp.post("/cart/update")
def update() -> ResponseReturnValue:
    """Have another number of pieces; none at all takes the line out."""
    cart_id, sku, wanted, removed = existing(), request.form.get("sku", ""), quantity(), False
    try:
        if wanted == 0:
            removed = kept.take_out(cart_id, sku)
        else:
            lines.set_quantity(cart_id, sku, wanted, own=own_holds.pieces_of(holds()), keep_price=True)
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, cart_id, sku)
    db.session.commit()
    return changed(cart_id, removed=sku if removed else None)


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
