"""Home and impact."""

from __future__ import annotations

import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import plain_url, public_page, totals
from storefront.catalogue import short_codes
from storefront.content.home_page import home_page
from storefront.days import today
from storefront.display import format_month, short_month
from storefront.errors import NotFound
from storefront.languages import locale
from storefront.ledger.earnings import EarnedPart
from storefront.ledger.totals import total_of


@bp.get("/")
@public_page(figures=True)
def home() -> str:
    """The front page."""
    day = today()
    return render_template(
        "shop/home.html",
        home=home_page(day, locale()),
        shares=totals().of_year(day.year),
        canonical=plain_url("shop.home"),
    )


@bp.get("/impact")
@public_page(figures=True)
def impact() -> str:
    """What sales became for each fund: by year, month and province, from the ledger."""
    figures, this_year = totals(), today().year
    known = sorted({this_year, *figures.years()}, reverse=True)
    asked = request.args.get("year", this_year, type=int)
    year = asked if asked in known else this_year
    shares = figures.of_year(year)
    orders, pieces = figures.counts.get(year, (0, 0))
    return render_template(
        "shop/impact.html",
        year=year,
        years=[(y, url_for("shop.impact", year=None if y == this_year else y)) for y in known],
        total=total_of(shares),
        shares=shares,
        orders=orders,
        pieces=pieces,
        months=[_month(datetime.date(year, number, 1)) for number in _months_of(year)],
        regions=[
            {"name": name, "facilities": count, "total": total_of(parts), "parts": parts}
            for name, count, parts in figures.by_province(year)
        ],
        kinds=[(part.kind, part.label) for part in figures.kinds(year)],
        canonical=plain_url("shop.impact", year=None if year == this_year else year),
    )


def _months_of(year: int) -> range:
    """Numbers of the year's months up to now."""
    now = today()
    return range(1, now.month + 1) if year == now.year else range(1, 13)


def _month(first: datetime.date) -> dict[str, Any]:
    parts: list[EarnedPart] = totals().of_month(first)
    return {
        "label": format_month(first),
        "short": short_month(first),
        "total": total_of(parts),
        "parts": parts,
    }


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
