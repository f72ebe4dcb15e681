"""The listing with search and filters, and what the search box offers while one types."""

from __future__ import annotations

from flask import render_template, request, url_for

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import catalogue_version, follow_merged, lost, plain_url, public_page
from storefront.catalogue.filters import Filters, clean
from storefront.catalogue.search import Results, search
from storefront.catalogue.suggest import suggest
from storefront.catalogue.ways_on import ways_on
from storefront.languages import locale

#: Seconds that a browser keeps what was offered for the same letters.
OFFERED_FOR = 60


@bp.get("/products")
@public_page()
def products() -> str:
    """The listing, searched and filtered by its address."""
    follow_merged("category")
    filters = Filters.from_args(request.args)
    results = search(filters, locale(), catalogue_version())
    if not results.total and not results.question.in_words:
        lost(filters.q)
    return render_template(
        "shop/products.html",
        filters=filters,
        facets=results.facets,
        results=results.items,
        total=results.total,
        page=results.page,
        pages=results.pages,
        corrected=results.corrected,
        ways=None if results.total else ways_on(results, locale()),
        **_for_search_engines(filters.but(page=results.page), results),
    )


def _for_search_engines(filters: Filters, results: Results) -> dict[str, object]:
    """The page's one address, those before and after it; or that it is none to keep.

    Search engines get one address for each category, group, facility or province, and each of its pages.
    """
    here = plain_url("shop.products")
    if not filters.is_for_search_engines or not results.total:
        return {"keep_out": True, "canonical": None}

    def page(number: int) -> str | None:
        return here + filters.but(page=number).query_string() if 1 <= number <= results.pages else None

    return {
        "canonical": here + filters.query_string(),
        "previous_page": page(results.page - 1),
        "next_page": page(results.page + 1),
    }


@bp.get("/fragments/suggest")
@public_page(max_age=OFFERED_FOR)
def suggestions() -> str:
    """What the search box offers for `q`: a list of options for it, empty when there is nothing."""
    typed = clean(request.args.get("q", ""))
    return render_template(
        "shop/_suggest.html",
        q=typed,
        found=suggest(typed, locale(), catalogue_version()),
        everything=url_for("shop.products", q=typed),
    )
