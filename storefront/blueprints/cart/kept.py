"""Put by for later, and taken out with one press to have it back."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from flask.typing import ResponseReturnValue

from storefront.blueprints.cart import bp
from storefront.blueprints.cart.page import (
    EXPLAINED,
    changed,
    current_cart,
    refused,
    token,
)
from storefront.cart import kept
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.people.access import person_id_or_none


@bp.post("/cart/save")
def save() -> ResponseReturnValue:
    """Put a line by for later; it stays beside the cart, also when the cart is ordered."""
    return _move(kept.save)


@bp.post("/cart/saved/back")
def put_back() -> ResponseReturnValue:
    """Put what was put by into the cart again."""
    return _move(kept.to_cart)


@bp.post("/cart/saved/remove")
def drop() -> ResponseReturnValue:
    """Take it off those put by."""
    return _move(kept.drop, removes=True)


@bp.post("/cart/remove")
def remove() -> ResponseReturnValue:
    """Take a line out of the cart."""
    return _move(kept.take_out, removes=True)


@bp.post("/cart/undo")
def undo() -> ResponseReturnValue:
    """Have back what was taken out, where and as it was."""
    return _move(kept.undo)


def _move(move: Callable[[int, str], bool], *, removes: bool = False) -> ResponseReturnValue:
    """Move one line, with everything that this visitor has put by in one place first."""
    sku, cart, fresh = request.form.get("sku", ""), current_cart(), None
    before = kept.carts_of(cart.id if cart else None, token(), person_id_or_none())
    if not before:
        raise NotFound()
    if cart is None:
        cart, fresh = kept.begin(token(), person_id_or_none())
    else:
        kept.gather(cart.id, before)
    cart_id = cart.id
    try:
        moved = move(cart_id, sku)
    except EXPLAINED as refusal:
        db.session.rollback()
        return refused(refusal, None if fresh else cart_id, sku)
    db.session.commit()
    return changed(cart_id, removed=sku if removes and moved else None, fresh=fresh)
