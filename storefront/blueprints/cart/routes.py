"""See the cart, put goods in, change how many, take them out."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config import Settings
from storefront.blueprints.cart import bp
from storefront.cart import carts, cookie, lines, own_holds, ways
from storefront.cart.models import Cart
from storefront.cart.money import money_of
from storefront.cart.own_holds import OwnHold
from storefront.cart.view import CartView, load
from storefront.errors import DomainError, Invalid, NotFound, OutOfStock, UnknownSku
from storefront.extensions import db
from storefront.languages import locale
from storefront.people import access
from storefront.shipping.rates import starting_amounts

#: Refusals that the cart's page explains beside the cart itself.
EXPLAINED = (Invalid, OutOfStock, UnknownSku)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def current_cart() -> Cart | None:
    """This visitor's open cart, None when they have none."""
    person = access.person()
    return carts.current(cookie.read_token(request, _settings()), person.id if person else None)


@bp.get("/cart")
def show() -> ResponseReturnValue:
    """All that lies in the cart, grouped by the facility that sends it."""
    cart = current_cart()
    return _page(_view(cart.id) if cart else None)


@bp.post("/cart/add")
def add() -> ResponseReturnValue:
    """Put pieces of a SKU into the cart; the first ones make the cart."""
    cart, token = current_cart(), None
    if cart is None:
        person = access.person()
        cart, token = carts.create(person.id if person else None)
    cart_id, sku = cart.id, request.form.get("sku", "")
    try:
        lines.add(cart_id, sku, _quantity(), own=own_holds.pieces_of(_holds()))
    except EXPLAINED as refusal:
        db.session.rollback()
        return _refused(refusal, None if token else cart_id, sku)
    db.session.commit()
    response = redirect(url_for("cart.show"), 303)
    if token:
        cookie.set_token(response, token, _settings())  # type: ignore[arg-type]
    return response


@bp.post("/cart/update")
def update() -> ResponseReturnValue:
    """Have another number of pieces; none at all takes the line out."""
    cart_id, sku, quantity = _existing(), request.form.get("sku", ""), _quantity()
    try:
        if quantity == 0:
            lines.remove(cart_id, sku)
        else:
            lines.set_quantity(cart_id, sku, quantity, own=own_holds.pieces_of(_holds()))
    except EXPLAINED as refusal:
        db.session.rollback()
        return _refused(refusal, cart_id, sku)
    db.session.commit()
    return _changed(cart_id)


@bp.post("/cart/remove")
def remove() -> ResponseReturnValue:
    """Take a line out; it can be put back with one press."""
    cart_id, sku = _existing(), request.form.get("sku", "")
    view = load(cart_id)
    gone = next((line for line in view.lines if line.sku == sku), None)
    lines.remove(cart_id, sku)
    db.session.commit()
    return _changed(cart_id, removed=gone)


def _existing() -> int:
    cart = current_cart()
    if cart is None:
        raise NotFound()
    return cart.id


def _quantity() -> int | None:
    """The number in the form; None for anything else, which the rules then refuse."""
    text = request.form.get("quantity", "1").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _holds() -> list[OwnHold]:
    """The visitor's own unpaid orders, read once for a request."""
    if "own_holds" not in g:
        person = access.person()
        g.own_holds = own_holds.of_visitor(request, _settings(), person.id if person else None)
    found: list[OwnHold] = g.own_holds
    return found


def _view(cart_id: int) -> CartView:
    return load(cart_id, with_photos=True, holds=_holds())


def _is_fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def _changed(cart_id: int, **more: Any) -> ResponseReturnValue:
    """Back to the cart's page; htmx gets the new inside of it at once."""
    if not _is_fragment():
        return redirect(url_for("cart.show"), 303)
    response = _page(_view(cart_id), **more)
    response.headers["HX-Trigger"] = "cart-changed"
    return response


def _refused(refusal: DomainError, cart_id: int | None, sku: str) -> ResponseReturnValue:
    """The cart's page with what could not be done, and why, on top. Nothing in the cart has changed."""
    view = _view(cart_id) if cart_id else None
    # htmx shows successful answers only; for everybody else the status says what happened.
    status = 200 if _is_fragment() else refusal.status
    return _page(view, status, refusal=_explained(refusal), refused_sku=sku)


def _explained(refusal: DomainError) -> str:
    if isinstance(refusal, Invalid) and refusal.errors:
        return " ".join(str(sentence) for sentence in refusal.errors.values())
    return str(refusal.message)


def _page(view: CartView | None, status: int = 200, **more: Any) -> Response:
    has_goods = view is not None and bool(view.parcels)
    response = make_response(
        render_template(
            "cart/_cart.html" if _is_fragment() else "cart/show.html",
            cart=view,
            language=locale(),
            holds=_holds(),
            money=money_of(view) if view is not None else None,
            ways=ways.ways(view.items_total, may_grow=True) if view is not None and has_goods else [],
            starting=starting_amounts(view.pieces) if view is not None and has_goods else {},
            **more,
        ),
        status,
    )
    response.headers["Vary"] = "HX-Request"
    return response
