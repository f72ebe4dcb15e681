"""A product's page and what belongs to it: where the money of a variant goes, and its code as a picture."""

from __future__ import annotations

from flask import current_app, render_template, url_for

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.blueprints.shop.public import plain_url, public_page
from storefront.blueprints.shop.voices import Voices
from storefront.catalogue.product_page import ProductPage
from storefront.days import today
from storefront.ledger.shares import MoneySplit, money_split
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.qr_code import as_file


@bp.get("/products/<slug>")
@public_page()
def product(slug: str) -> str:
    """One product with its variants, and where the money goes; `?sku=` chooses a variant."""
    page = asked_page(slug, with_voices=True)
    return render_template(
        "shop/product.html",
        product=page,
        money=money_of(page),
        voices=Voices.of(page.voices),
        canonical=plain_url("shop.product", slug=slug),
    )


@bp.get("/fragments/money/<slug>")
@public_page()
def money_of_variant(slug: str) -> str:
    """*Ke mana uang Anda* for the variant `?sku=`."""
    return render_template("shop/_money.html", money=money_of(asked_page(slug)))


@bp.get("/products/<slug>/qr.svg")
@public_page(mimetype="image/svg+xml")
def product_code(slug: str) -> str:
    """The page's address as a QR code, in the page's language."""
    asked_page(slug)
    path = url_for("shop.product", slug=slug)
    address = current_app.extensions["settings"].base_url + path
    return as_file(address, border=3, scale=6, dark="#1D1B26", light="#FFFFFF", xmldecl=False, nl=False)


def money_of(page: ProductPage) -> MoneySplit | None:
    """How one piece of the variant shown would be divided today; None without variants."""
    shown = page.shown
    if shown is None:
        return None
    scope = Scope(page.facility.id, page.workshop_id, page.commodity_group_id)
    (rule,) = rules_in_force([scope], today())
    return money_split([(rule, shown.price, shown.material_cost or 0)])
