"""A cart goes to another device: by a link that says nothing about anybody and ends by itself."""

from __future__ import annotations

import datetime

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from storefront.blueprints.cart import bp
from storefront.blueprints.cart.page import (
    changed,
    current_cart,
    existing,
    holds,
    remember_cart,
    settings_now,
)
from storefront.blueprints.cart.page import token as own_token
from storefront.cart import kept, merge, own_holds, sending
from storefront.cart.models import Cart
from storefront.cart.view import load
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.languages import locale
from storefront.people.access import person_id_or_none
from storefront.qr_code import in_page


@bp.get("/cart/send")
def send() -> ResponseReturnValue:
    """The link, as words, as a code for a camera, and as a message to oneself."""
    cart = current_cart()
    view = load(cart.id) if cart else None
    if cart is None or view is None or view.is_empty:
        return redirect(url_for("cart.show"))
    address = settings_now().base_url + url_for("cart.link", token=sending.link_token(cart.id))
    until = datetime.datetime.now(datetime.UTC) + sending.VALID
    return _shown(render_template("cart/send.html", cart=view, address=address, code=_code(address), until=until))


@bp.get("/cart/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """What lies in the cart of a link, and the button that takes it over."""
    try:
        source = sending.cart_of(token)
    except NotFound:
        return _ended()
    if _is_own(source):
        return redirect(url_for("cart.show"))
    return _shown(render_template("cart/link.html", cart=load(source.id), token=token, language=locale()))


@bp.post("/cart/link/<token>")
def take_over(token: str) -> ResponseReturnValue:
    """Have the same goods in this device's cart; pressed twice they are there once."""
    try:
        source = sending.cart_of(token)
    except NotFound:
        return _ended()
    cart, fresh = current_cart(), None
    if not _is_own(source):
        source_id = source.id
        if cart is None:
            cart, fresh = kept.begin(own_token(), person_id_or_none())
        merge.bring(source_id, cart.id, own_holds.pieces_of(holds()))
        db.session.commit()
    return remember_cart(redirect(url_for("cart.show"), 303), fresh)


@bp.post("/cart/understood")
def understood() -> ResponseReturnValue:
    """What happened when carts were put together has been read."""
    cart_id = existing()
    merge.understood(cart_id)
    db.session.commit()
    return changed(cart_id)


def _is_own(source: Cart) -> bool:
    cart = current_cart()
    return cart is not None and cart.id == source.id


def _ended() -> Response:
    return _shown(render_template("cart/link.html", cart=None, token="", language=locale()), 404)


def _shown(page: str, status: int = 200) -> Response:
    """A page with the secret of a day in it or in its address: that is told to nobody else."""
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _code(address: str) -> Markup:
    return in_page(address, border=3, scale=4, dark="#1D1B26", light="#FFFFFF", svgclass=None, lineclass=None)
