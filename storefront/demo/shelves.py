"""What lies where: pieces made through the year, the stores at the end, and the stand of the exhibition."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from storefront.demo.bulk import insert_rows
from storefront.demo.catalogue import Item
from storefront.demo.moments import JAKARTA, at, days
from storefront.demo.places import Places
from storefront.demo.plan import YEAR, PlannedOrder
from storefront.extensions import db
from storefront.stock.models import MovementReason, StockLevel, StockMovement

#: A size that has run out, so that a shopper sees what happens then.
SOLD_OUT = "PKL-JAHIT-01-XL"
#: SKUs at the stand; the exhibition needs 30 of ten facilities.
AT_STAND = 40
Month = tuple[int, int]


@dataclass
class Shelves:
    """How many pieces of each variant are made when, so that no sale finds the shelf empty."""

    places: Places
    #: Who notes movements in a facility, by its code.
    keepers: dict[str, int]
    today: datetime.date
    #: Pieces in the store at the end, by variant id.
    left: dict[int, int] = field(default_factory=dict)
    #: Pieces to bring to the stand, by variant id.
    at_stand: dict[int, int] = field(default_factory=dict)
    _demand: dict[Month, dict[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    _items: dict[int, Item] = field(default_factory=dict)

    def prepare(self, items: Iterable[Item], orders: Sequence[PlannedOrder], rng: random.Random) -> None:
        """Decide what shall be left, what goes to the stand, and what each month must make."""
        kept = [item for item in items if not item.is_made_to_order]
        self._items = {item.variant_id: item for item in kept}
        self.left = {item.variant_id: _left(item, rng) for item in kept}
        self.at_stand = _stand_choice(kept, rng)
        for order in orders:
            for item, quantity in order.lines if order.paid_at else ():
                if not item.is_made_to_order:
                    day = order.placed_at.astimezone(JAKARTA)
                    self._demand[day.year, day.month][item.variant_id] += quantity

    def open(self) -> None:
        """The first pieces of everything: as many as shall be left, and what goes to the stand."""
        first = self.today - days(YEAR + 1)
        rows = [
            self._made(item, self.left[id_] + self.at_stand.get(id_, 0), max(item.published_on, first), 11)
            for id_, item in self._items.items()
        ]
        insert_rows(StockMovement, sorted(rows, key=lambda row: (row["moved_at"], row["variant_id"])))

    def make_for(self, month: Month) -> None:
        """What the orders of a month will take, made before its first order."""
        start = max(datetime.date(*month, 1), self.today - days(YEAR))
        wanted = self._demand.pop(month, {})
        insert_rows(
            StockMovement,
            [
                self._made(self._items[id_], quantity, max(start, self._items[id_].published_on), 5)
                for id_, quantity in sorted(wanted.items())
            ],
        )

    def brought(self) -> dict[str, dict[int, int]]:
        """What goes to the stand: pieces by variant id, by facility code."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for id_, pieces in self.at_stand.items():
            found[self._items[id_].row.facility][id_] = pieces
        return found

    def portable(self, code: str) -> list[int]:
        """Variant ids of a facility's things that can be carried and keep."""
        return [id_ for id_, item in self._items.items() if item.row.facility == code and _is_portable(item)]

    def sell_out(self) -> None:
        """Take the last pieces of one size that nobody holds: shown at the provincial crafts council."""
        item = next((item for item in self._items.values() if item.sku == SOLD_OUT), None)
        if item is None:
            return
        store = self.places.stores[item.row.facility]
        free = db.session.scalar(
            select(StockLevel.on_hand - StockLevel.reserved).where(
                StockLevel.variant_id == item.variant_id, StockLevel.location_id == store
            )
        )
        if free:
            row = self._made(item, -free, self.today - days(1), 11)
            reason = {"reason": MovementReason.GIVEN.value, "note": "Contoh untuk pameran dekranasda"}
            insert_rows(StockMovement, [row | reason])

    def _made(self, item: Item, quantity: int, day: datetime.date, hour: int) -> dict[str, Any]:
        facility = self.places.facilities[item.row.facility]
        return {
            "variant_id": item.variant_id,
            "location_id": self.places.stores[item.row.facility],
            "quantity": quantity,
            "reason": MovementReason.MADE.value,
            "source": None,
            "note": "",
            "person_id": self.keepers.get(item.row.facility),
            "moved_at": at(day, hour, zone=facility.time_zone),
        }


def _left(item: Item, rng: random.Random) -> int:
    variants = len(item.row.variants)
    if item.row.stock is not None:
        return max(1, item.row.stock // variants)
    if item.price < 30_000:
        pieces = rng.randrange(70, 140)
    elif item.price < 80_000:
        pieces = rng.randrange(40, 80)
    elif item.price < 200_000:
        pieces = rng.randrange(24, 48)
    else:
        pieces = rng.randrange(4, 10)
    return max(4, pieces // variants)


def _is_portable(item: Item) -> bool:
    return item.row.delivery_scope == "nationwide" and item.row.weight_g < 5000


def _stand_choice(items: Sequence[Item], rng: random.Random) -> dict[int, int]:
    """Things that can be carried and keep, from as many facilities as there are."""
    by_facility: dict[str, list[Item]] = {}
    for item in items:
        if _is_portable(item):
            by_facility.setdefault(item.row.facility, []).append(item)
    for own in by_facility.values():
        rng.shuffle(own)
    chosen: list[Item] = []
    while len(chosen) < AT_STAND and any(by_facility.values()):
        chosen += [own.pop() for own in by_facility.values() if own]
    return {
        item.variant_id: rng.randrange(2, 5) if item.price >= 150_000 else rng.randrange(4, 13)
        for item in chosen[:AT_STAND]
    }
