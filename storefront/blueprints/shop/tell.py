"""*Kabari saya*: to be told once when a variant is back. No page of it is kept by anybody."""

from __future__ import annotations

from flask import Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.blueprints.shop.for_one import for_one
from storefront.catalogue import stock_alerts
from storefront.catalogue.product_page import ProductPage
from storefront.catalogue.stock_alerts import AlreadyThere
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.languages import locale


@bp.get("/products/<slug>/notify")
def tell_form(slug: str) -> ResponseReturnValue:
    """The form on a page of its own (`?sku=`), for who comes back to its address."""
    page = asked_page(slug)
    offer = page.shown
    if offer is None:
        raise NotFound()
    return _page(page, offer.sku, "there" if offer.can_be_bought else "form")


@bp.post("/products/<slug>/notify")
def ask_to_be_told(slug: str) -> ResponseReturnValue:
    """Send the letter that asks for their word. The answer is the same whoever waits already."""
    page, sku, email = asked_page(slug), request.form.get("sku", ""), request.form.get("email", "")[:300]
    if sku not in {variant.sku for variant in page.variants}:
        raise NotFound()
    settings = current_app.extensions["settings"]
    try:
        stock_alerts.ask(sku, email, locale(), address=request.remote_addr, limited=settings.rate_limits)
    except Invalid as refusal:
        db.session.rollback()
        return _page(page, sku, "form", 422, email=email, error=refusal.errors["email"])
    except AlreadyThere:
        db.session.rollback()
        return _page(page, sku, "there")
    db.session.commit()
    return _page(page, sku, "asked", email=email.strip().lower())


@bp.get("/notify/<token>")
def waiting(token: str) -> ResponseReturnValue:
    """What a letter's link opens. Nothing happens by opening it: programs that read mail open links too."""
    alert = stock_alerts.find(token)
    return _about(alert, "waiting" if alert.confirmed_at else "asked")


@bp.post("/notify/<token>")
def decide(token: str) -> ResponseReturnValue:
    """Give one's word, or take the address away."""
    alert = stock_alerts.find(token)
    if request.form.get("step") == "confirm":
        stock_alerts.confirm(alert)
        answer = _about(alert, "waiting")
    else:
        answer = _about(alert, "ended")
        stock_alerts.stop(alert)
    db.session.commit()
    return answer


def _page(page: ProductPage, sku: str, state: str, status: int = 200, **more: object) -> Response:
    variant = next(variant for variant in page.variants if variant.sku == sku)
    return for_one(render_template("shop/told.html", product=page, variant=variant, state=state, **more), status)


def _about(alert: stock_alerts.StockAlert, state: str) -> Response:
    variant = stock_alerts.variant_of(alert)
    return for_one(
        render_template(
            "shop/notify.html",
            state=state,
            title=stock_alerts.title_of(variant, locale()) if variant else "",
            product_url=url_for("shop.product", slug=variant["slug"], sku=variant["sku"]) if variant else None,
        )
    )
