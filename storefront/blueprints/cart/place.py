"""Where the cart shall go, as far as it changes what sending costs."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from storefront.blueprints.cart import bp
from storefront.blueprints.cart.page import changed, existing, page, refused, view_of
from storefront.cart import place
from storefront.errors import Invalid
from storefront.extensions import db


@bp.post("/cart/place")
def choose_place() -> ResponseReturnValue:
    """Keep a postal code, district or city with the cart, or ask which one is meant; empty text forgets it."""
    cart_id, written = existing(), request.form.get("to", "")[: place.LONGEST]
    try:
        several = place.choose(cart_id, written)
    except Invalid as refusal:
        db.session.rollback()
        return refused(refusal, cart_id, "", written=written)
    if several:
        return page(view_of(cart_id), places=several, written=written)
    db.session.commit()
    return changed(cart_id)
