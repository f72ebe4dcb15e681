"""Pages of finding: filters at work, ways on from nothing, and the curators' words."""

from __future__ import annotations

from playwright.sync_api import Response, expect

from tests.browser.sights import Sight, at, found, sent
from tests.browser.visitor import Visitor

CURATOR = "curator@demo.test"


def suggestions(visitor: Visitor) -> Response:
    """The front page with what the search box offers."""
    response = visitor.go("/")
    visitor.page.locator("#cari").press_sequentially("ke")
    expect(visitor.page.locator(".suggest")).to_be_visible()
    visitor.page.keyboard.press("ArrowDown")
    return response


def sheet(visitor: Visitor) -> Response:
    """The listing with its filters unfolded, a sheet on a phone."""
    response = visitor.go("/products?category=mebel")
    visitor.page.locator(".filters > summary").click()
    return response


FINDING_PAGES = [
    Sight("suggestions", "shop.home", suggestions),
    Sight("filters", "shop.products", sheet),
    Sight("products-none-filtered", "shop.products", at("/products?q=batik&category=mebel&max=5000")),
    Sight("admin-synonyms", "admin.synonym_list", at("/admin/synonyms?try=kripic+kaos"), CURATOR),
    Sight(
        "admin-synonyms-refused",
        "admin.add_synonyms",
        sent(at("/admin/synonyms"), {"#f-terms": "kaos"}, "form[method=post] .btn--main"),
        CURATOR,
        status=422,
    ),
    Sight(
        "admin-synonym-group",
        "admin.synonym_group",
        found("/admin/synonyms/{}", "SELECT group_id FROM synonyms WHERE term = 'kaos'"),
        CURATOR,
    ),
    Sight("admin-searches", "admin.lost_searches", at("/admin/searches"), CURATOR),
]

#: What the search box asks for is no page of its own.
NO_FINDING_PAGES = {"shop.suggestions"}
