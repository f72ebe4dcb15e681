"""What a process keeps of the listings: one small column for each thing that lists are filtered or sorted by.

Members are numbered from the product published first to the newest, so that the highest bits of a set are its
newest products. The state of an index never changes: a newer one is made from it (`followed_by`), and readers of
the older one are not disturbed.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from storefront.catalogue import bits
from storefront.catalogue.bits import Choices, Numbers
from storefront.catalogue.filters import AVAILABILITY, PRICE_BANDS, RATINGS, slug_of
from storefront.catalogue.version import CatalogueVersion

#: States of a listing by the number they have in a column.
STATES = ("sold_out", "ready", "few_left", "made_to_order")
#: Columns of a reading and the array's type of each; rows come in the order of publishing.
COLUMNS = {
    "ids": "q",
    "published": "q",
    "category": "i",
    "facility": "i",
    "group": "i",
    "workshop": "i",
    "state": "i",
    "price_from": "i",
    "price_to": "i",
    "rating": "i",
    "score": "i",
}
CHOICES = ("category", "facility", "group", "workshop", "state")
NUMBERS = ("price_from", "price_to", "rating", "score")


@dataclass(frozen=True)
class Names:
    """What the values of the columns are called; equal ones are interchangeable."""

    #: `id parent_id slug name name_en`, in the order of the menu.
    categories: Sequence[Mapping[str, Any]]
    #: `id code name name_en`.
    groups: Sequence[Mapping[str, Any]]
    #: `id slug code name city province kind`, by name; active ones.
    facilities: Sequence[Mapping[str, Any]]
    #: Terms of several words that have synonyms, each as its words.
    phrases: frozenset[tuple[str, ...]]
    #: Changes whenever any synonym does.
    synonyms: str
    #: Slugs of categories that were merged, each with that of the one it went into.
    merged: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def category_ids(self) -> dict[str, list[int]]:
        """Ids of each category and of all below it, by its slug."""
        below: dict[int | None, list[int]] = {}
        for row in self.categories:
            below.setdefault(row["parent_id"], []).append(row["id"])

        def branch(category_id: int) -> list[int]:
            return [category_id] + [found for child in below.get(category_id, ()) for found in branch(child)]

        return {row["slug"]: branch(row["id"]) for row in self.categories}

    @cached_property
    def facility_ids(self) -> dict[str, int]:
        """Ids of facilities by slug, and by code in lower case."""
        return {key: row["id"] for row in self.facilities for key in (row["slug"], row["code"].lower())}

    @cached_property
    def provinces(self) -> dict[str, tuple[str, list[int]]]:
        """Name and facilities of each province that has any, by its slug, in the order of names."""
        found: dict[str, tuple[str, list[int]]] = {}
        for row in sorted(self.facilities, key=lambda row: row["province"]):
            found.setdefault(slug_of(row["province"]), (row["province"], []))[1].append(row["id"])
        return found

    @cached_property
    def group_ids(self) -> dict[str, int]:
        """Ids of commodity groups by code."""
        return {row["code"]: row["id"] for row in self.groups}


@dataclass(frozen=True)
class Reading:
    """What one look at the database said: everything, or what changed since an earlier look."""

    version: CatalogueVersion
    #: Transactions below this number are in it, whole.
    reached: str
    #: Server and table: with another one nothing that was read before counts.
    birth: str
    names: Names
    columns: dict[str, array[int]]
    #: Ids of products that left the list.
    gone: list[int] = field(default_factory=list)
    #: How many listings there are; None: not counted.
    total: int | None = None


def unpacked(kind: str, data: bytes | None) -> array[int]:
    """A column as the database packed it."""
    column: array[int] = array(kind)
    column.frombytes(data or b"")
    if sys.byteorder == "little":
        column.byteswap()
    return column


class ListingIndex:
    """All listings at one version of the catalogue."""

    def __init__(
        self, reading: Reading, choices: dict[str, Choices], numbers: dict[str, Numbers], alive: int
    ) -> None:
        self.version, self.reached, self.birth = reading.version, reading.reached, reading.birth
        self.names = reading.names
        self.choices, self.numbers = choices, numbers
        #: All members that are on the list now.
        self.alive = alive
        self.ids: array[int] = array("q")
        self.published: array[int] = array("q")
        self._slots: array[int] = array("i")
        #: Counts that were made once, by column and set.
        self.tallies: dict[tuple[str, int], dict[int, int]] = {}

    @classmethod
    def of(cls, reading: Reading) -> ListingIndex:
        """The index of a reading of everything."""
        columns = reading.columns
        choices = {name: Choices(columns[name]) for name in CHOICES}
        numbers = {name: Numbers(columns[name]) for name in NUMBERS}
        index = cls(reading, choices, numbers, bits.below(len(columns["ids"])))
        index.ids, index.published = columns["ids"], columns["published"]
        index._slots = array("i", [-1]) * (max(index.ids, default=0) + 1)
        for slot, product_id in enumerate(index.ids):
            index._slots[product_id] = slot
        return index

    @cached_property
    def sold_out(self) -> int:
        return self.choices["state"].any_of([STATES.index("sold_out")])

    @cached_property
    def featurable(self) -> int:
        """Members that may be shown without having been asked for: nothing that children made."""
        children = [row["id"] for row in self.names.facilities if row["kind"] == "lpka"]
        return self.alive & ~self.choices["facility"].any_of(children)

    @cached_property
    def goods(self) -> dict[int, dict[str, int]]:
        """How many listings each facility has in each category of the top, by its slug; none without any."""
        tops = {row["id"]: row["slug"] for row in self.names.categories if row["parent_id"] is None}
        sets = {slug: self.choices["category"].any_of(self.names.category_ids[slug]) for slug in tops.values()}
        found: dict[int, dict[str, int]] = {}
        for facility_id, members in self.choices["facility"].sets.items():
            counts = {slug: (members & self.alive & within).bit_count() for slug, within in sets.items()}
            found[facility_id] = {slug: count for slug, count in counts.items() if count}
        return found

    @cached_property
    def available(self) -> dict[str, int]:
        """Members by availability, as the address names it."""
        return {
            name: self.choices["state"].any_of(STATES.index(state) for state in states)
            for name, states in AVAILABILITY.items()
        }

    @cached_property
    def rated(self) -> dict[str, int]:
        """Members with at least so many stars in the mean; empty while nothing is rated."""
        column = self.numbers["rating"]
        if not column.at_least(self.alive, 1):
            return {}
        return {stars: column.at_least(self.alive, 20 * int(stars)) for stars in RATINGS}

    @cached_property
    def price_bands(self) -> dict[tuple[int | None, int | None], int]:
        """Members that a band of prices holds, by its ends."""
        return {(low, high): self.priced(low, high) for low, high in PRICE_BANDS}

    def priced(self, least: int | None, most: int | None) -> int:
        """Members with a variant at `least` rupiah or more, and one at `most` or less; None: no limit."""
        found = self.alive
        if least:
            found = self.numbers["price_to"].at_least(found, least)
        return found if most is None else self.numbers["price_from"].at_most(found, most)

    def members(self, product_ids: Sequence[int] | array[int]) -> int:
        """The set of these products, as far as they are on the list."""
        slots, size = self._slots, len(self.ids)
        known = len(slots)
        found = [slots[product_id] for product_id in product_ids if product_id < known]
        return bits.of(slot for slot in found if 0 <= slot < size) & self.alive

    def tally(self, column: str, within: int) -> dict[int, int]:
        """How many members of `within` have each value of a column of choices. The same set is counted once."""
        key = (column, within)
        counts = self.tallies.get(key)
        if counts is None:
            if len(self.tallies) > 200:
                self.tallies.clear()
            counts = self.tallies[key] = self.choices[column].tally(within)
        return counts

    def followed_by(self, reading: Reading) -> ListingIndex | None:
        """The index after what `reading` says has changed; None when it must be read anew as a whole."""
        ids, alive = reading.columns["ids"], self.alive
        dead = len(self.ids) - alive.bit_count()
        if len(ids) > max(200, len(self.ids) // 20) or dead > max(200, len(self.ids) // 4):
            return None
        found = ListingIndex(
            reading,
            {name: column.copy() for name, column in self.choices.items()},
            {name: column.copy() for name, column in self.numbers.items()},
            0,
        )
        found.ids, found.published, found._slots = self.ids[:], self.published[:], self._slots
        for slot in filter(lambda slot: slot >= 0, map(self._slot_of, reading.gone)):
            alive &= ~(1 << slot)
        for row, product_id in enumerate(ids):
            slot = self._slot_of(product_id)
            published = reading.columns["published"][row]
            if slot < 0 or not alive >> slot & 1 or found.published[slot] != published:
                if slot >= 0 and alive >> slot & 1:
                    alive ^= 1 << slot
                slot = found._append(product_id, published)
                if slot < 0:
                    return None
            alive |= 1 << slot
            for name, choice in found.choices.items():
                choice.put(slot, reading.columns[name][row])
            for name, number in found.numbers.items():
                number.put(slot, reading.columns[name][row])
        found.alive = alive
        return found if reading.total is None or reading.total == alive.bit_count() else None

    def _slot_of(self, product_id: int) -> int:
        return self._slots[product_id] if product_id < len(self._slots) else -1

    def _append(self, product_id: int, published: int) -> int:
        """A new member's number; -1 when it was not published last, and so belongs among the others."""
        if self.ids and (published, product_id) < (self.published[-1], self.ids[-1]):
            return -1
        self.ids.append(product_id)
        self.published.append(published)
        # Shared with the older index, which does not look at members beyond its own.
        self._slots.extend([-1] * (product_id + 1 - len(self._slots)))
        self._slots[product_id] = len(self.ids) - 1
        return len(self.ids) - 1
