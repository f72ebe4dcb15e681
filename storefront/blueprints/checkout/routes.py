"""One page to order: who you are, where it goes, how it travels, what it costs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config import Settings
from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.form import Typed, build, errors_of
from storefront.cart import carts, cookie, own_holds, place
from storefront.cart import replace as replacing
from storefront.cart.checkout import check_out, payment_page
from storefront.cart.models import Cart
from storefront.cart.money import money_of
from storefront.cart.own_holds import OwnHold
from storefront.cart.request import read_request
from storefront.cart.unpaid import network_hash
from storefront.cart.view import CartView, load
from storefront.crash_points import reach
from storefront.errors import CartClosed, DomainError, IdempotencyMismatch, NotFound
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders import order_cookie
from storefront.orders.models import Order
from storefront.orders.tokens import order_token
from storefront.people import access
from storefront.shipping.addresses import ADDRESS_FIELDS
from storefront.shipping.advice import advise, fingerprint
from storefront.shipping.destinations import provinces
from storefront.shoppers import addresses


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@bp.get("/checkout")
def show() -> ResponseReturnValue:
    """The empty form; without goods to order, the cart says what is missing."""
    person = access.person()
    token, person_id = cookie.read_token(request, _settings()), access.person_id_or_none()
    cart = carts.current(token, person_id)
    view = _view(cart.id) if cart else None
    if view is None and (waiting := carts.waiting_order(token, person_id)):
        # Back from the payment page: what was typed has become an order, and may be paid or given up there.
        return redirect(url_for("checkout.show_order", number=waiting))
    if view is None or not view.may_be_ordered or view.unsettled:
        return redirect(url_for("cart.show"))
    known = {"name": person.name, "email": person.email} if person else {}
    return _page(view, Typed.nothing(known))


@bp.post("/checkout/shipping")
def reckon() -> ResponseReturnValue:
    """The same form with shipping reckoned anew: by htmx as one changes it, by a button without JavaScript."""
    typed = _typed()
    cart_id = _cart(typed).id
    known = [typed.values.get(name, "").strip() for name in ("district", "city", "province")]
    if all(known):
        # Back in the cart, each parcel's cost is known too.
        place.suggest(cart_id, ", ".join(known))
        db.session.commit()
    return _page(_view(cart_id), typed, fragment=request.headers.get("HX-Request") == "true")


@bp.post("/checkout/address")
def use_address() -> ResponseReturnValue:
    """The same form filled with an address that its owner has saved and now chooses; all else stays as typed."""
    person = access.person()
    chosen = request.form.get("use_address", "")
    if person is None or not chosen.isdecimal() or len(chosen) > 18:
        raise NotFound()
    saved, typed = addresses.own(person.id, int(chosen)), _typed()
    filled = {name: getattr(saved, name) for name in ("name", *ADDRESS_FIELDS)}
    if saved.phone:
        filled["phone"] = saved.phone
    typed = replace(typed, values={**typed.values, **filled}, place="", advised="")
    return _page(_view(_cart(typed).id), typed, used_address=saved.id)


@bp.post("/checkout")
def order() -> ResponseReturnValue:
    """Order, once however often it is sent, then on to the payment page.

    Whatever is refused is said beside its field or on top; nothing that was typed is lost.
    """
    typed = _typed()
    cart = _cart(typed)
    cart_id, ordered = cart.id, cart.order_id
    if ordered is None and typed.seen_total is None:
        return _first_total(cart_id, typed)
    person = access.person()
    try:
        wish = read_request(typed.request_data(), saw_shipping=True)
        if ordered is None and wish.address and fingerprint(advise(typed.values)) not in ("", typed.advised):
            # Said once, before anything is ordered: whoever knows better presses again.
            return _page(_view(cart_id), typed, is_advised=True)
        replaces = [hold for hold in _holds() if hold.number in typed.replaces]
        if ordered is None and replaces:
            replacing.close_pages(replaces)
        result = check_out(
            cart_id,
            wish,
            typed.key,
            locale=locale(),
            person_id=access.person_id_or_none(),
            network=network_hash(request.remote_addr),
            limit_unpaid=_settings().rate_limits,
            replaces=replaces,
        )
    except (CartClosed, IdempotencyMismatch):
        db.session.rollback()
        return _to_order(db.session.get_one(Order, db.session.get_one(Cart, cart_id).order_id))
    except DomainError as refusal:
        db.session.rollback()
        return _page(_view(cart_id), typed, status=refusal.status, refusal=refusal, errors=errors_of(refusal))
    if person is not None and request.form.get("save_address"):
        _save_address(person.id, typed)
    reach("checkout.before_commit")
    db.session.commit()
    reach("checkout.after_commit")
    payment = payment_page(result)
    return _to_order(result.order, payment.url)


def _first_total(cart_id: int, typed: Typed) -> ResponseReturnValue:
    """Without JavaScript the first press shows shipping and total; the second orders what was then seen."""
    view = _view(cart_id)
    try:
        read_request(typed.request_data(), saw_shipping=True)
    except DomainError as refusal:
        return _page(view, typed, status=refusal.status, refusal=refusal, errors=errors_of(refusal))
    return _page(view, typed, is_first_total=True)


def _save_address(person_id: int, typed: Typed) -> None:
    """Keep the address of an order for the next one, where it is wished. A full list keeps no order back."""
    with suppress(DomainError), db.session.begin_nested():
        addresses.add(person_id, typed.values)


def _to_order(placed: Order, payment_url: str | None = None) -> ResponseReturnValue:
    """On to the payment page, or to the order's own; this browser may open it from now on."""
    target = payment_url or url_for("checkout.show_order", number=placed.number)
    response: Any = redirect(target, 303)
    order_cookie.remember(response, request, _settings(), placed.number, order_token(placed))
    return response


def _cart(typed: Typed) -> Cart:
    """The cart that the form was made for, also when it has been ordered meanwhile. Raises `NotFound`."""
    token, person_id = cookie.read_token(request, _settings()), access.person_id_or_none()
    if typed.cart_id is None:
        cart = carts.current(token, person_id)
    else:
        cart = carts.of_visitor(typed.cart_id, token, person_id)
    if cart is None:
        raise NotFound()
    return cart


def _typed() -> Typed:
    """What the form says, completed, with the old orders that are to be replaced."""
    wished = tuple(request.form.getlist("replaces")[:10])
    return replace(Typed.read(request.form).completed(), replaces=wished)


def _holds() -> list[OwnHold]:
    return own_holds.of_visitor(request, _settings(), access.person_id_or_none())


def _view(cart_id: int) -> CartView:
    return load(cart_id, with_photos=True, holds=_holds())


def _page(
    view: CartView, typed: Typed, *, status: int = 200, fragment: bool = False, errors: Any = None, **more: Any
) -> Response:
    form, holds, person = build(view, typed, errors), _holds(), access.person()
    page = render_template(
        "checkout/_shipping.html" if fragment else "checkout/show.html",
        cart=view,
        form=form,
        money=money_of(view),
        language=locale(),
        titles={line.sku: line.title_in(locale()) for line in (*view.lines, *view.withdrawn)},
        provinces=[(province.name, province.name) for province in provinces()],
        is_fragment=fragment,
        saved=addresses.addresses_of(person.id) if person and not fragment else [],
        may_save_address=person is not None,
        save_address=bool(request.form.get("save_address")),
        holds=holds,
        replaced=replacing.in_the_way(view, holds, typed.replaces),
        **more,
    )
    response = make_response(page, status)
    response.headers["Vary"] = "HX-Request"
    if not fragment and person is None:
        # A guest's own browser may keep the form for going back and forward, with what was typed, without asking us.
        response.headers["Cache-Control"] = "private, no-cache"
    return response
