"""The front page, and short links."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import catalogue_version, plain_url, public_page, totals
from storefront.catalogue import short_codes
from storefront.content.home_page import home_page
from storefront.days import today
from storefront.errors import NotFound
from storefront.languages import locale


@bp.get("/")
@public_page(figures=True)
def home() -> str:
    """The front page."""
    day = today()
    return render_template(
        "shop/home.html",
        home=home_page(day, locale(), version=catalogue_version()),
        shares=totals().of_year(day.year),
        canonical=plain_url("shop.home"),
    )


@bp.get("/p/<code>")
def short_link(code: str) -> ResponseReturnValue:
    """A label's short link: a variant's product for everyone, a parcel for those who pack it."""
    target = short_codes.resolve(code)
    if target is None:
        raise NotFound()
    if target.kind == "variant":
        slug = short_codes.product_slug_of(target.id)
        if slug is None:
            raise NotFound()
        return redirect(url_for("shop.product", slug=slug))
    return _parcel_page(target.id)


def _parcel_page(parcel_id: int) -> ResponseReturnValue:
    """Where a member of its facility works on the parcel; for everybody else there is no such code."""
    from storefront.blueprints.shop.parcels import parcel_address

    address = parcel_address(parcel_id)
    if address is None:
        raise NotFound()
    return redirect(address)
