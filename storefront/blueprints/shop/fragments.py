"""The little that is personal or live on public pages; each page works without them."""

from __future__ import annotations

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.blueprints.shop.for_one import for_one
from storefront.cart import carts, cookie, own_holds
from storefront.cart.models import CartLine
from storefront.extensions import db
from storefront.people import access
from storefront.shoppers import wishes
from storefront.stock import levels


@bp.get("/fragments/me")
def me() -> ResponseReturnValue:
    """Who is signed in, and how many pieces lie in the cart."""
    who = access.person()
    token = cookie.read_token(request, current_app.extensions["settings"])
    count = None
    if token or who:
        cart = carts.current(token, who.id if who else None)
        if cart is not None:
            count = db.session.scalar(select(func.sum(CartLine.quantity)).where(CartLine.cart_id == cart.id))
    return for_one(
        render_template(
            "shop/_me.html",
            name=who.name if who else None,
            count=count,
            # Hearts are filled from these; a guest's lie in their browser.
            wishes=wishes.slugs_of(who.id) if who else None,
        )
    )


@bp.get("/fragments/stock/<slug>")
def stock(slug: str) -> ResponseReturnValue:
    """How many pieces of each variant are free at this moment, and which this visitor's own unpaid orders hold."""
    page = asked_page(slug)
    available = levels.available([variant.id for variant in page.variants])
    who, settings = access.person(), current_app.extensions["settings"]
    return for_one(
        render_template(
            "shop/_stock.html",
            product=page,
            available=available,
            holds=own_holds.of_visitor(request, settings, who.id if who else None),
        )
    )
