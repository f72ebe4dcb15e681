"""The listing: which products answer a question, in which order, and how many stand behind each filter.

The question is answered from what the process keeps of the listings (`listing_index.py`) and of words
(`known_words.py`); the database is asked for the cards of one page alone. So every number is exact, every page
can be reached, and a question costs the same whether the shop has a thousand products or a hundred thousand.
`docs/decisions/011-finding.md` says why, and what was measured.
"""



from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from sqlalchemy import text

from storefront.catalogue import bits
from storefront.catalogue.cards import CARDS_OF_IDS, ProductCard, cards
from storefront.catalogue.facets import Facets, facets_of
from storefront.catalogue.filters import CHOSEN, Filters
from storefront.catalogue.index_keeper import current
from storefront.catalogue.known_words import NOISE, KnownWords, WordHits
from storefront.catalogue.listing_index import ListingIndex
from storefront.catalogue.version import CatalogueVersion
from storefront.extensions import db

PAGE_SIZE = 24
#: A term with synonyms has so many words at most.
LONGEST_TERM = 4

CARDS = text(f"SELECT {CARDS_OF_IDS} AS items")


@dataclass(frozen=True)
class Found:
    """The members that some words find, best first: each ring holds the one before it."""

    #: The asked words or terms, and what was looked for instead where one is unknown.
    asked: tuple[str, ...]
    hits: tuple[WordHits, ...]
    rings: tuple[int, ...]

    @property
    def everything(self) -> int:
        return self.rings[-1]

    @property
    def corrected(self) -> str | None:
        """The words searched for instead, when that made something of them."""
        meant = tuple(
            hit.meant if hit.anywhere else word for word, hit in zip(self.asked, self.hits, strict=True)
        )
        return None if meant == self.asked else " ".join(meant)


@dataclass(frozen=True)
class Question:
    """A question to the list as it is at one version of the catalogue."""

    filters: Filters
    index: ListingIndex
    #: None: no words were asked for.
    found: Found | None
    #: Members that each filter in force lets through, by its name; `price` for both ends.
    narrowed: Mapping[str, int]

    @property
    def in_words(self) -> int:
        """Members that the words find, whatever the filters say."""
        return self.index.alive if self.found is None else self.found.everything & self.index.alive

    def without(self, *names: str) -> int:
        """Members that answer, as if these filters were not set."""
        sets = [members for name, members in self.narrowed.items() if name not in names]
        return reduce(and_, sets, self.in_words)

    def page(self, members: int) -> list[int]:
        """Ids of the products on the page asked for."""
        index, skip = self.index, (self.filters.page - 1) * PAGE_SIZE
        found: list[int] = []
        # What is sold out comes last in every order.
        for part in (members & ~index.sold_out, members & index.sold_out):
            for ring in self._in_rings(part):
                count = ring.bit_count()
                if skip < count and len(found) < PAGE_SIZE:
                    found += self._in_order(ring, skip, PAGE_SIZE - len(found))
                skip = max(0, skip - count)
        return [index.ids[slot] for slot in found]

    def _in_rings(self, members: int) -> list[int]:
        if self.found is None or self.filters.order != "relevance":
            return [members]
        parts, inner = [], 0
        for ring in self.found.rings:
            parts.append(members & ring & ~inner)
            inner |= ring
        return parts

    def _in_order(self, members: int, skip: int, take: int) -> list[int]:
        numbers = self.index.numbers
        match self.filters.order:
            case "price_low":
                return numbers["price_from"].ordered(members, skip, take)
            case "price_high":
                return numbers["price_from"].ordered(members, skip, take, falling=True)
            case "rating":
                return numbers["score"].ordered(members, skip, take, falling=True)
        return bits.highest(members, skip, take)


@dataclass(frozen=True)
class Results:
    """One page of the listing."""

    items: list[ProductCard]
    #: How many products answer.
    total: int
    page: int
    pages: int
    facets: Facets
    #: The words searched for instead, when some of those asked for are unknown.
    corrected: str | None
    #: How it was found, for whoever has further questions of the same kind.
    question: Question


def search(filters: Filters, locale: str, version: CatalogueVersion | None = None) -> Results:
    """The page of the listing that `filters` ask for, at `version` of the catalogue or later; None: as it is now.

    A page past the end is the last one.
    """
    index, words = current(version)
    question = ask(filters, index, words)
    members = question.without()
    total = members.bit_count()
    pages = max(1, -(-total // PAGE_SIZE))
    if filters.page > pages:
        question = ask(filters.but(page=pages), index, words)
    return Results(
        items=cards_of(question.page(members), locale),
        total=total,
        page=question.filters.page,
        pages=pages,
        facets=facets_of(question.index, filters, question.without, locale),
        corrected=question.found.corrected if question.found else None,
        question=question,
    )


def ask(filters: Filters, index: ListingIndex, words: KnownWords) -> Question:
    """The question that `filters` put, read against `index`."""
    found = find(filters.words, index, words) if filters.q else None
    narrowed = {
        name: _members(index, name, getattr(filters, name)) for name in CHOSEN if getattr(filters, name)
    }
    if filters.min or filters.max is not None:
        narrowed["price"] = index.priced(filters.min, filters.max)
    return Question(filters, index, found, narrowed)


def find(typed: tuple[str, ...], index: ListingIndex, words: KnownWords) -> Found:
    """What these words find: each must occur, as a form of itself, a synonym or a beginning."""
    asked = terms(typed, index.names.phrases)
    hits = words.hits(asked, index)
    if not hits:  # text without a single word
        return Found((), (), (0,))
    rings = [
        reduce(and_, (hit.in_title for hit in hits)),
        reduce(and_, (hit.in_title_begun for hit in hits)),
        reduce(and_, (hit.anywhere for hit in hits)),
    ]
    return Found(asked, tuple(hits), tuple(ring & index.alive for ring in rings))


def terms(typed: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    """The typed words, those that are one term together (`tote bag`) as one, without words that say nothing."""
    found: list[str] = []
    place = 0
    while place < len(typed):
        length = next((n for n in range(LONGEST_TERM, 1, -1) if typed[place : place + n] in phrases), 1)
        found.append(" ".join(typed[place : place + length]))
        place += length
    telling = [term for term in found if term not in NOISE]
    return tuple(dict.fromkeys(telling or found))


def cards_of(product_ids: Sequence[int], locale: str) -> list[ProductCard]:
    """The cards of these products, in their order."""
    if not product_ids:
        return []
    return cards(db.session.execute(CARDS, {"ids": list(product_ids)}).scalar_one(), locale)


def _members(index: ListingIndex, name: str, values: tuple[str, ...]) -> int:
    """Members that one of these values of a filter lets through."""
    names, choices = index.names, index.choices
    match name:
        case "category":
            ids = [found for value in values for found in names.category_ids.get(value, ())]
            return choices["category"].any_of(ids)
        case "group":
            return choices["group"].any_of(names.group_ids.get(value, -1) for value in values)
        case "facility":
            return choices["facility"].any_of(names.facility_ids.get(value, -1) for value in values)
        case "province":
            ids = [found for value in values for found in names.provinces.get(value, ("", []))[1]]
            return choices["facility"].any_of(ids)
        case "availability":
            return reduce(or_, (index.available[value] for value in values))
    return reduce(or_, (index.rated.get(value, 0) for value in values))
