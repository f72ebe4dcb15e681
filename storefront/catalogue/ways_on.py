"""What to do where a question found nothing: other words, fewer filters, and what there is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from storefront.catalogue import bits
from storefront.catalogue.cards import ProductCard
from storefront.catalogue.facets import Choice, categories_of
from storefront.catalogue.filters import CHOSEN, Filters
from storefront.catalogue.search import Results, cards_of
from storefront.extensions import db

SIMILAR_WORDS, CATEGORIES, PRODUCTS = 3, 8, 8

SIMILAR = text(
    """SELECT a.word, s.near
         FROM unnest(CAST(:words AS text[])) a (word), similar_search_words(a.word, :most) s (near)"""
)


@dataclass(frozen=True)
class Way:
    """Another question and how many products answer it."""

    filters: Filters
    count: int
    #: The word that it asks for; or the filter that it leaves out, `price` for both ends.
    word: str = ""
    filter: str = ""


@dataclass(frozen=True)
class WaysOn:
    #: Words of the shop that resemble those that are unknown here, and single words of several.
    words: list[Way]
    #: The same question with one filter less.
    fewer: list[Way]
    #: The words without any filter; None where there is none.
    unfiltered: Way | None
    categories: list[Choice]
    #: What is liked best, as far as buyers have said so, else the newest that can be sent at once.
    products: list[ProductCard]


def ways_on(results: Results, locale: str) -> WaysOn:
    """The ways on from a question without results."""
    question, index = results.question, results.question.index
    filters = question.filters
    plain = Filters(q=filters.q)
    fewer = [
        Way(filters.but(**_cleared(name)), question.without(name).bit_count(), filter=name)
        for name in question.narrowed
    ]
    ready = index.available["ready"] & index.featurable
    liked = index.rated.get("4", 0) & ready
    best = index.numbers["score"].ordered(liked, 0, PRODUCTS, falling=True)
    best += bits.highest(ready & ~bits.of(best), 0, PRODUCTS - len(best))
    return WaysOn(
        words=_words(results),
        fewer=[way for way in fewer if way.count],
        unfiltered=Way(plain, question.in_words.bit_count())
        if question.narrowed and question.in_words
        else None,
        categories=[
            choice for choice in categories_of(index, Filters(), index.alive, locale) if not choice.depth
        ][:CATEGORIES],
        products=cards_of([index.ids[slot] for slot in best], locale),
    )


def _cleared(name: str) -> dict[str, object]:
    if name == "price":
        return {"min": None, "max": None}
    assert name in CHOSEN
    return {name: ()}


def _words(results: Results) -> list[Way]:
    question = results.question
    if question.found is None:
        return []
    alive, pairs = question.index.alive, zip(question.found.asked, question.found.hits, strict=True)
    counted = [(word, hit.meant, (hit.anywhere & alive).bit_count()) for word, hit in pairs]
    # One of several words that finds something by itself.
    ways = [
        Way(Filters(q=meant), count, word=meant) for _, meant, count in counted if count and len(counted) > 1
    ]
    unknown = [word for word, _, count in counted if not count]
    rows = db.session.execute(SIMILAR, {"words": unknown, "most": SIMILAR_WORDS}).all() if unknown else []
    return ways + [Way(Filters(q=row.near), 0, word=row.near) for row in rows]
