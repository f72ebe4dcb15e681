"""What all of the cart's addresses share: whose cart it is, and the page that shows it after each change."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from config import Settings
from storefront.cart import carts, cookie, kept, own_holds, ways
from storefront.cart.models import Cart
from storefront.cart.money import money_of
from storefront.cart.own_holds import OwnHold
from storefront.cart.place import shipping_to
from storefront.cart.view import CartView, load, load_saved, titles_of
from storefront.errors import DomainError, Invalid, ListingUnavailable, NotFound, OutOfStock, UnknownSku
from storefront.extensions import db
from storefront.languages import locale
from storefront.people.access import person_id_or_none
from storefront.shipping.rates import starting_amounts
from storefront.shoppers.addresses import addresses_of

#: Refusals that the cart's page explains beside the cart itself.
EXPLAINED = (Invalid, ListingUnavailable, OutOfStock, UnknownSku)


def settings_now() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def token() -> str | None:
    """The token in the browser's cookie."""
    return cookie.read_token(request, settings_now())


def current_cart() -> Cart | None:
    """This visitor's open cart, None when they have none."""
    return carts.current(token(), person_id_or_none())


def existing() -> int:
    """The id of the visitor's cart. Raises NotFound when they have none."""
    cart = current_cart()
    if cart is None:
        raise NotFound()
    return cart.id


def quantity() -> int | None:
    """The number in the form; None for anything else, which the rules then refuse."""
    return whole(request.form.get("quantity", "1"))


def whole(text: str) -> int | None:
    """A whole number as a form sends it, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


def holds() -> list[OwnHold]:
    """The visitor's own unpaid orders, read once for a request."""
    if "own_holds" not in g:
        g.own_holds = own_holds.of_visitor(request, settings_now(), person_id_or_none())
    found: list[OwnHold] = g.own_holds
    return found


def view_of(cart_id: int) -> CartView:
    """The cart with live prices and stock, photos, and the visitor's own holds."""
    return load(cart_id, with_photos=True, holds=holds())


def is_fragment() -> bool:
    """Whether htmx asks, which puts the inside of the page in its place."""
    return request.headers.get("HX-Request") == "true"


def changed(cart_id: int, removed: str | None = None, fresh: str | None = None) -> BaseResponse:
    """Back to the cart's page; htmx gets the new inside of it at once.

    `removed`: the SKU that can be had back; `fresh`: the token of a cart that was begun for this.
    """
    if not is_fragment():
        return remember_cart(redirect(url_for("cart.show", removed=removed), 303), fresh)
    response = page(view_of(cart_id), removed=removed, is_change=True)
    response.headers["HX-Trigger"] = "cart-changed"
    return remember_cart(response, fresh)


def remember_cart(response: BaseResponse, fresh: str | None = None) -> BaseResponse:
    """Have the browser keep the token of a new cart, or the one that it has for as long again."""
    key = fresh or token()
    if key:
        cookie.set_token(response, key, settings_now())  # type: ignore[arg-type]
    return response


def refused(refusal: DomainError, cart_id: int | None, sku: str, **more: Any) -> Response:
    """The cart's page with what could not be done, and why, on top. Nothing in the cart has changed."""
    view = view_of(cart_id) if cart_id else None
    # htmx shows successful answers only; for everybody else the status says what happened.
    status = 200 if is_fragment() else refusal.status
    return page(view, status, refusal=_explained(refusal), refused_sku=sku, **more)


def _explained(refusal: DomainError) -> str:
    if isinstance(refusal, Invalid) and refusal.errors:
        return " ".join(str(sentence) for sentence in refusal.errors.values())
    return str(refusal.message)


def page(view: CartView | None, status: int = 200, *, removed: str | None = None, **more: Any) -> Response:
    """The cart's page, or for htmx the inside of it."""
    cart = db.session.get(Cart, view.cart_id, populate_existing=True) if view is not None else None
    has_goods = view is not None and bool(view.parcels)
    shelves = kept.carts_of(cart.id if cart else None, token(), person_id_or_none())
    response = make_response(
        render_template(
            "cart/_cart.html" if is_fragment() else "cart/show.html",
            cart=view,
            language=locale(),
            holds=holds(),
            money=money_of(view) if view is not None else None,
            ways=ways.ways(view.items_total, may_grow=True) if view is not None and has_goods else [],
            starting=starting_amounts(view.pieces) if view is not None and has_goods else {},
            shipping=shipping_to(_place(cart), view) if cart is not None and view is not None else None,
            saved=load_saved(shelves, holds()),
            news=_news(cart.news) if cart is not None and cart.news else [],
            removed=_removed(cart.id, removed) if cart is not None and removed else None,
            **more,
        ),
        status,
    )
    response.headers["Vary"] = "HX-Request"
    return response


def _place(cart: Cart) -> str | None:
    """Where its parcels shall go: what was said with the cart, else the preferred address of who is signed in."""
    home = next(iter(addresses_of(cart.person_id)), None) if cart.person_id and not cart.place else None
    return f"{home.district}, {home.city}, {home.province}" if home else cart.place


def _news(news: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What happened when carts were put together, with the goods as they are called."""
    titles = titles_of([each["sku"] for each in news], locale())
    return [{**each, "title": titles.get(each["sku"], each["sku"])} for each in news]


def _removed(cart_id: int, sku: str) -> dict[str, str] | None:
    """What was just taken out and can be had back."""
    try:
        if kept.taken_from(cart_id, sku) is None:
            return None
    except EXPLAINED:
        return None
    return {"sku": sku, "title": titles_of([sku], locale()).get(sku, sku)}
