"""Filters with counts beside the listing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from storefront.catalogue.cards import in_language
from storefront.catalogue.filters import AVAILABILITY, Filters, slug_of


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    #: As it stands in the address.
    value: str
    name: str
    #: Products that would be listed with it, the other filters kept.
    count: int
    selected: bool


@dataclass(frozen=True)
class Facets:
    """The choices of each filter; those that lead nowhere are left out unless they are chosen."""

    category: list[Choice]
    facility: list[Choice]
    province: list[Choice]
    #: Values of `Filters.availability`; their names are the page's business.
    availability: list[Choice]


def facets_of(row: Any, filters: Filters, locale: str) -> Facets:
    """The facets of a row of the listing's statement (`counts`, `categories`, `facilities`)."""
    by_category, by_facility = Counter[int](), Counter[int]()
    by_province, by_state = Counter[int](), Counter[str]()
    for count in row.counts or []:
        if count["category_id"] is not None:
            by_category[count["category_id"]] = count["category"]
        elif count["facility_id"] is not None:
            by_facility[count["facility_id"]] = count["facility"]
            by_province[count["facility_id"]] = count["province"]
        elif count["state"] is not None:
            by_state[count["state"]] = count["availability"]
    states = {name: sum(by_state[state] for state in states) for name, states in AVAILABILITY.items()}
    return Facets(
        category=_categories(row.categories or [], by_category, filters, locale),
        facility=_facilities(row.facilities or [], by_facility, filters),
        province=_provinces(row.facilities or [], by_province, filters),
        availability=_worth_showing(
            Choice(name, name, states[name], name in filters.availability) for name in AVAILABILITY
        ),
    )


def _worth_showing(choices: Any) -> list[Choice]:
    return [choice for choice in choices if choice.count or choice.selected]


def _categories(rows: list[Any], counts: Counter[int], filters: Filters, locale: str) -> list[Choice]:
    # A parent's number includes its children's, as choosing it does.
    for row in rows:
        if row["parent_id"] is not None:
            counts[row["parent_id"]] += counts[row["id"]]
    return _worth_showing(
        Choice(
            row["slug"], in_language(row, "name", locale), counts[row["id"]], row["slug"] in filters.category
        )
        for row in rows
    )


def _facilities(rows: list[Any], counts: Counter[int], filters: Filters) -> list[Choice]:
    return _worth_showing(
        Choice(
            row["slug"],
            row["name"],
            counts[row["id"]],
            row["slug"] in filters.facility or row["code"].lower() in filters.facility,
        )
        for row in rows
    )


def _provinces(rows: list[Any], counts: Counter[int], filters: Filters) -> list[Choice]:
    totals = Counter[str]()
    for row in rows:
        totals[row["province"]] += counts[row["id"]]
    return _worth_showing(
        Choice(slug_of(name), name, totals[name], slug_of(name) in filters.province)
        for name in sorted(totals)
    )
