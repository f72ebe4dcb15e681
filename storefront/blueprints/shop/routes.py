"""Home, listing, product and help."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import plain_url, public_page, totals
from storefront.catalogue import short_codes
from storefront.catalogue.filters import Filters
from storefront.catalogue.home_page import home_page
from storefront.catalogue.product_page import ProductPage, product_page
from storefront.catalogue.search import search
from storefront.days import today
from storefront.errors import NotFound
from storefront.languages import locale
from storefront.ledger.shares import MoneySplit, money_split
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.ledger.totals import total_of


@bp.get("/")
@public_page(figures=True)
def home() -> str:
    """The front page."""
    day = today()
    page = home_page(day, locale())
    shares = totals().of_year(day.year)
    figures = {
        "sales_this_year": total_of(shares),
        "premium_this_year": sum(part.amount for part in shares if part.code == "premium"),
        "facilities": page.facilities_count,
        "products": page.products_count,
        "shares": shares,
        "year": day.year,
    }
    return render_template(
        "shop/home.html",
        newest=page.newest,
        ready=page.ready,
        seasonal=page.seasonal,
        categories=page.categories,
        facilities=page.facilities,
        exhibition=page.exhibition,
        figures=figures,
        canonical=plain_url("shop.home"),
    )


@bp.get("/products")
@public_page()
def products() -> str:
    """The listing, searched and filtered by its address."""
    filters = Filters.from_args(request.args)
    results = search(filters, locale())
    # Search engines get one address for each category, facility or province; all else points there.
    canonical = filters.but(q="", min=None, max=None, availability=(), sort="", page=results.page)
    return render_template(
        "shop/products.html",
        filters=filters,
        facets=results.facets,
        results=results.items,
        total=results.total,
        page=results.page,
        pages=results.pages,
        corrected=results.corrected,
        canonical=plain_url("shop.products") + canonical.query_string(),
    )


@bp.get("/products/<slug>")
@public_page()
def product(slug: str) -> str:
    """One product with its variants, and where the money goes."""
    page = product_page(slug, locale())
    if page is None:
        raise NotFound()
    return render_template(
        "shop/product.html",
        product=page,
        money=money_of(page),
        more=page.more,
        canonical=plain_url("shop.product", slug=slug),
    )


def money_of(page: ProductPage) -> MoneySplit | None:
    """How one piece of the variant shown first would be divided today; None without variants."""
    shown = page.shown
    if shown is None:
        return None
    scope = Scope(page.facility.id, page.workshop_id, page.commodity_group_id)
    (rule,) = rules_in_force([scope], today())
    return money_split([(rule, shown.price, shown.material_cost or 0)])


@bp.get("/help")
@public_page()
def help() -> str:
    """How the shop works, in plain words."""
    return render_template("shop/help.html", canonical=plain_url("shop.help"))


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
