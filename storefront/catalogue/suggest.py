"""What the search box offers while one types: products, categories and facilities."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from storefront.catalogue import bits
from storefront.catalogue.cards import Photo, ProductCard, in_language
from storefront.catalogue.filters import WORD, Filters
from storefront.catalogue.index_keeper import current
from storefront.catalogue.known_words import KnownWords
from storefront.catalogue.listing_index import ListingIndex
from storefront.catalogue.search import cards_of, find
from storefront.catalogue.version import CatalogueVersion
from storefront.extensions import db

#: A single letter says too little.
LEAST = 2
PRODUCTS, CATEGORIES, FACILITIES = 5, 3, 3
#: Words of the shop that a beginning is tried with, the most frequent first.
ENDINGS = 4

COMPLETE = text(
    "SELECT word FROM search_words WHERE word LIKE :start ORDER BY frequency DESC, word LIMIT :most"
)


@dataclass(frozen=True)
class Place:
    """A category or a facility that is offered."""

    slug: str
    name: str
    #: Products on sale there.
    count: int
    #: A facility's code and city; empty for a category.
    code: str = ""
    city: str = ""
    #: Of a category's newest product.
    photo: Photo | None = None


@dataclass(frozen=True)
class Suggestions:
    """What is offered for what was typed so far."""

    products: list[ProductCard]
    categories: list[Place]
    facilities: list[Place]

    @property
    def count(self) -> int:
        return len(self.products) + len(self.categories) + len(self.facilities)


def suggest(typed: str, locale: str, version: CatalogueVersion | None = None) -> Suggestions:
    """What to offer for `typed`, at `version` of the catalogue or later. Two statements at most beside new words."""
    asked = Filters(q=typed).words
    if sum(map(len, asked)) < LEAST:
        return Suggestions([], [], [])
    index, words = current(version)
    categories = _categories(index, asked, locale)
    products = [index.ids[slot] for slot in _products(index, words, asked)]
    newest = {slug: _newest(index, slug) for slug in (place.slug for place in categories)}
    wanted = dict.fromkeys([*products, *(product_id for product_id in newest.values() if product_id)])
    cards = dict(zip(wanted, cards_of(list(wanted), locale), strict=False))
    return Suggestions(
        products=[cards[product_id] for product_id in products if product_id in cards],
        categories=[
            Place(place.slug, place.name, place.count, photo=card.photo if card else None)
            for place in categories
            for card in [cards.get(newest[place.slug] or 0)]
        ],
        facilities=_facilities(index, asked),
    )


def _products(index: ListingIndex, words: KnownWords, asked: tuple[str, ...]) -> list[int]:
    """Members that the words find, the last one being a beginning; what can be bought first, then the newest."""
    whole, start = asked[:-1], asked[-1]
    endings = db.session.scalars(COMPLETE, {"start": start + "%", "most": ENDINGS}).all()
    found = 0
    for ending in endings or [start]:
        hits = find((*whole, ending), index, words)
        found |= next((ring for ring in hits.rings if ring), 0)
        if found.bit_count() >= PRODUCTS:
            break
    ready = bits.highest(found & ~index.sold_out, 0, PRODUCTS)
    return ready + bits.highest(found & index.sold_out, 0, PRODUCTS - len(ready))


def _categories(index: ListingIndex, asked: tuple[str, ...], locale: str) -> list[Place]:
    counts = index.tally("category", index.alive)
    found = [
        Place(row["slug"], in_language(row, "name", locale), sum(counts.get(one, 0) for one in ids))
        for row in index.names.categories
        if _begins(asked, row["name"], row["name_en"])
        for ids in [index.names.category_ids[row["slug"]]]
    ]
    return [place for place in found if place.count][:CATEGORIES]


def _facilities(index: ListingIndex, asked: tuple[str, ...]) -> list[Place]:
    counts = index.tally("facility", index.alive)
    found = [
        Place(row["slug"], row["name"], counts.get(row["id"], 0), row["code"], row["city"])
        for row in index.names.facilities
        if _begins(asked, row["name"], row["city"], row["code"], row["province"])
    ]
    # By name: facilities are not ranked.
    return [place for place in found if place.count][:FACILITIES]


def _newest(index: ListingIndex, slug: str) -> int | None:
    members = index.choices["category"].any_of(index.names.category_ids[slug]) & index.alive
    return next((index.ids[slot] for slot in bits.highest(members, 0, 1)), None)


def _begins(asked: tuple[str, ...], *names: str) -> bool:
    """Whether each asked word begins a word of the names."""
    words = {word for name in names for word in WORD.findall(name.lower())}
    return all(any(word.startswith(start) for word in words) for start in asked)
