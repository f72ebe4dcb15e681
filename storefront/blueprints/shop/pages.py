"""The pages that build trust, and the help that leads to them."""

from __future__ import annotations

from flask import render_template, request

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import plain_url, public_page
from storefront.content import pages as texts
from storefront.languages import locale


@bp.get("/pages/<slug>")
@public_page()
def page(slug: str) -> str:
    """One page, as curators keep it."""
    found = texts.page(slug, locale())
    return render_template(
        "shop/page.html", page=found, html=found.html(request.script_root), canonical=plain_url("shop.page", slug=slug)
    )


@bp.get("/help")
@public_page()
def help() -> str:
    """All of them, each with its first words."""
    known = {found.slug: texts.readable(found, locale()) for found in texts.editions()}
    return render_template("shop/help.html", pages=known, canonical=plain_url("shop.help"))
