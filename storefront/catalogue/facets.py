"""Filters with counts beside the listing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from storefront.catalogue.cards import in_language
from storefront.catalogue.filters import AVAILABILITY, Filters
from storefront.catalogue.listing_index import ListingIndex

#: Members that answer the question as if the named filters were not set.
Without = Callable[..., int]


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    #: As it stands in the address.
    value: str
    name: str
    #: Products that would be listed with it, the other filters kept.
    count: int
    selected: bool
    #: How many categories it lies below.
    depth: int = 0


@dataclass(frozen=True)
class PriceBand:
    """Prices to choose with one touch, in rupiah; None: no limit on that side."""

    min: int | None
    max: int | None
    count: int
    selected: bool


@dataclass(frozen=True)
class Facets:
    """The choices of each filter; those that lead nowhere are left out unless they are chosen."""

    category: list[Choice]
    group: list[Choice]
    facility: list[Choice]
    province: list[Choice]
    #: Values of `Filters.availability`; their names are the page's business.
    availability: list[Choice]
    #: Least means of stars; none while nothing on the list is rated.
    rating: list[Choice]
    price: list[PriceBand]


def facets_of(index: ListingIndex, filters: Filters, without: Without, locale: str) -> Facets:
    """The choices of each filter, counted as if that filter were not set itself."""
    return Facets(
        category=categories_of(index, filters, without("category"), locale),
        group=_groups(index, filters, without("group"), locale),
        facility=_facilities(index, filters, without("facility")),
        province=_provinces(index, filters, without("province")),
        availability=_sets(index.available, filters.availability, without("availability"), AVAILABILITY),
        rating=_sets(index.rated, filters.rating, without("rating"), index.rated),
        price=_prices(index, filters, without("price")),
    )


def _worth_showing(choices: Iterable[Choice]) -> list[Choice]:
    return [choice for choice in choices if choice.count or choice.selected]


def _sets(sets: dict[str, int], chosen: tuple[str, ...], within: int, order: Iterable[str]) -> list[Choice]:
    return _worth_showing(
        Choice(name, name, (sets[name] & within).bit_count(), name in chosen) for name in order
    )


def categories_of(index: ListingIndex, filters: Filters, within: int, locale: str) -> list[Choice]:
    """The tree in its order, each branch below its root; a branch holds all that hang from it."""
    counts, names = index.tally("category", within), index.names
    below: dict[int | None, list[int]] = {}
    for place, row in enumerate(names.categories):
        below.setdefault(row["parent_id"], []).append(place)
    found: list[Choice] = []

    def add(place: int, depth: int) -> None:
        row = names.categories[place]
        found.append(
            Choice(
                row["slug"],
                in_language(row, "name", locale),
                sum(counts.get(category_id, 0) for category_id in names.category_ids[row["slug"]]),
                row["slug"] in filters.category,
                depth,
            )
        )
        for child in below.get(row["id"], ()):
            add(child, depth + 1)

    for root in below.get(None, ()):
        add(root, 0)
    return _worth_showing(found)


def _groups(index: ListingIndex, filters: Filters, within: int, locale: str) -> list[Choice]:
    counts = index.tally("group", within)
    return _worth_showing(
        Choice(
            row["code"],
            in_language(row, "name", locale),
            counts.get(row["id"], 0),
            row["code"] in filters.group,
        )
        for row in index.names.groups
    )


def _facilities(index: ListingIndex, filters: Filters, within: int) -> list[Choice]:
    counts = index.tally("facility", within)
    return _worth_showing(
        Choice(
            row["slug"],
            row["name"],
            counts.get(row["id"], 0),
            row["slug"] in filters.facility or row["code"].lower() in filters.facility,
        )
        for row in index.names.facilities
    )


def _provinces(index: ListingIndex, filters: Filters, within: int) -> list[Choice]:
    counts = index.tally("facility", within)
    return _worth_showing(
        Choice(slug, name, sum(counts.get(facility_id, 0) for facility_id in ids), slug in filters.province)
        for slug, (name, ids) in index.names.provinces.items()
    )


def _prices(index: ListingIndex, filters: Filters, within: int) -> list[PriceBand]:
    chosen = (filters.min, filters.max)
    bands = [
        PriceBand(low, high, (members & within).bit_count(), (low, high) == chosen)
        for (low, high), members in index.price_bands.items()
    ]
    return [band for band in bands if band.count or band.selected]
