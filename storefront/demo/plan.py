"""What was bought in the year before loading, decided before a row is written: who, when, what, how it ended."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storefront.demo.buyers import Buyer, Buyers, Home, shopper
from storefront.demo.catalogue import Item
from storefront.demo.files import BuyerWords, City
from storefront.demo.moments import at, days
from storefront.demo.seasons import busyness, demand, seasons_on

#: Days of history before the day of loading.
YEAR = 365
#: Paid sales that every facility has at least.
EACH = 4
#: One order in so many holds goods of several facilities.
SHARED = 4
#: How often a category is bought, by the piece.
APPETITE = {
    "Makanan & minuman": 3.0, "Busana & batik": 1.8, "Tas & sepatu": 1.5, "Kerajinan": 1.5, "Mebel": 0.6,
    "Rumah tangga": 1.0, "Perhiasan": 0.8, "Pertanian": 0.8,
}  # fmt: skip
#: What does not travel is bought by fewer people.
REACH = {"nationwide": 1.0, "province": 0.6, "same_city": 0.35}
#: Hours of the day at which orders come, and how often.
HOURS = range(6, 23)
HOUR_WEIGHTS = (1, 2, 3, 4, 4, 4, 5, 4, 3, 3, 3, 4, 5, 7, 8, 7, 4)

#: Whose parcels are to be packed when the demo is opened: the demo coordinators' facilities, and others.
RECENT = ("PKL", "BJB", "PLP", "PKL", "PTI", "PLP", "BJB", "PKL")


@dataclass
class Wish:
    """An order before anything was chosen; `facility` None: from any."""

    day: datetime.date
    facility: str | None = None
    buyer: Buyer | None = None
    #: With goods of several facilities.
    shared: bool = False


@dataclass(frozen=True)
class PlannedOrder:
    """An order to be. `paid_at` None: never paid; `is_open`: its hold has not ended at loading."""

    placed_at: datetime.datetime
    paid_at: datetime.datetime | None
    buyer: Buyer
    lines: tuple[tuple[Item, int], ...]
    #: Codes of facilities whose parcel is collected at the gallery.
    collected: frozenset[str] = frozenset()
    is_open: bool = False
    #: A first try at paying failed.
    failed_before: bool = False


class Planner:
    """Draws orders for a year that ends on the day before `today`."""

    def __init__(
        self,
        items: Sequence[Item],
        origins: dict[str, Home],
        words: BuyerWords,
        today: datetime.date,
        seed: str,
    ) -> None:
        self.rng = random.Random(f"{seed}:orders")
        self.items = items
        self.origins = origins
        self.words = words
        self.today = today
        self.buyers = Buyers(words, self.rng)
        self.siblings: dict[int, int] = {}
        for item in items:
            self.siblings[item.product_id] = self.siblings.get(item.product_id, 0) + 1

    def plan(self, paid: int, shopper_name: str) -> list[PlannedOrder]:
        """`paid` paid orders and some that never were, the oldest first."""
        calendar = [self.today - days(back) for back in range(YEAR, 0, -1)]
        wishes = self._wishes(sorted(self.rng.choices(calendar, [busyness(day) for day in calendar], k=paid)))
        free = [wish for wish in wishes if wish.facility is None]
        if len(free) > 100:
            self._make_recent(free[-len(RECENT) :])
            for part in (
                0.1,
                0.4,
                0.6,
                0.8,
                0.9,
                0.97,
            ):  # the demo account's own, from old ones to the last days
                free[int((len(free) - len(RECENT)) * part)].buyer = shopper(shopper_name)
        orders = [self._paid(wish) for wish in wishes]
        if paid:
            orders += [self._unpaid(day) for day in self.rng.choices(calendar[:-1], k=paid // 25)]
            orders += [self._awaiting(shopper(shopper_name)), self._awaiting(None)]
        return sorted(orders, key=lambda order: order.placed_at)

    def _wishes(self, drawn: Sequence[datetime.date]) -> list[Wish]:
        """For each drawn day an order to be; some must buy from a certain facility, so that all have sold."""
        needed = [code for _ in range(EACH) for code in sorted(self.origins)][: len(drawn)]
        makers: list[str | None] = [*needed, *[None] * (len(drawn) - len(needed))]
        self.rng.shuffle(makers)
        return [
            Wish(day, facility, shared=number % SHARED == 0)
            for number, (day, facility) in enumerate(zip(drawn, makers, strict=True))
        ]

    def _make_recent(self, wishes: Sequence[Wish]) -> None:
        """These come on the last two days and from the demo coordinators' facilities: work to do."""
        for number, (wish, code) in enumerate(zip(wishes, RECENT, strict=True)):
            wish.day = self.today - days(1 + (number % 3 == 2))
            wish.facility = code

    def _paid(self, wish: Wish) -> PlannedOrder:
        placed_at = self._moment(wish.day)
        paid_at = placed_at + datetime.timedelta(seconds=self.rng.randrange(50, 1500))
        buyer, lines = self._basket(wish)
        return PlannedOrder(
            placed_at,
            paid_at,
            buyer,
            lines,
            collected=self._collected(buyer, lines),
            failed_before=self.rng.random() < 0.05,
        )

    def _unpaid(self, day: datetime.date) -> PlannedOrder:
        buyer, lines = self._basket(Wish(day))
        return PlannedOrder(self._moment(day), None, buyer, _singly(lines))

    def _awaiting(self, buyer: Buyer | None) -> PlannedOrder:
        """Placed on the evening before loading with a long hold, so that it still waits to be paid."""
        day = self.today - days(1)
        buyer, lines = self._basket(Wish(day, buyer=buyer, shared=buyer is not None))
        placed_at = at(day, 22, self.rng.randrange(60), self.rng.randrange(60))
        return PlannedOrder(placed_at, None, buyer, _singly(lines), is_open=True)

    def _moment(self, day: datetime.date) -> datetime.datetime:
        hour = self.rng.choices(HOURS, HOUR_WEIGHTS)[0]
        return at(day, hour, self.rng.randrange(60), self.rng.randrange(60))

    def _basket(self, wish: Wish) -> tuple[Buyer, tuple[tuple[Item, int], ...]]:
        """Who buys, and what: one thing leads, others join it."""
        buyer = wish.buyer
        first = self._pick(
            wish.day,
            lambda item: (
                wish.facility in (None, item.row.facility) and (buyer is None or self._goes(item, buyer.home))
            ),
        )
        if buyer is None:
            buyer = self.buyers.in_one_of([city for city in self.words.cities if self._goes(first, city)])
        home, maker = buyer.home, first.row.facility
        chosen = [first]
        if self.rng.random() < 0.3:
            chosen.append(
                self._pick(wish.day, lambda item: item.row.facility == maker and self._goes(item, home))
            )
        chosen += [
            self._pick(wish.day, lambda item: item.row.facility != maker and self._goes(item, home))
            for _ in range(self.rng.choice((1, 1, 2)) if wish.shared else 0)
        ]
        unique = {item.variant_id: item for item in chosen}
        return buyer, tuple((item, self._quantity(item, wish.day)) for item in unique.values())

    def _pick(self, day: datetime.date, fits: Callable[[Item], bool]) -> Item:
        seasons = seasons_on(day)
        fitting = [item for item in self.items if item.published_on < day and fits(item)]
        return self.rng.choices(fitting, [self._appeal(item, seasons) for item in fitting])[0]

    def _appeal(self, item: Item, seasons: list[str]) -> float:
        cheap = min(1.6, (150_000 / item.price) ** 0.35)
        appeal = APPETITE[item.row.category] * REACH[item.row.delivery_scope] * cheap
        return appeal * demand(item.row.sku, seasons) / self.siblings[item.product_id]

    def _goes(self, item: Item, city: City | Home) -> bool:
        """Whether the item is delivered to a city; heavy water stays in its province."""
        origin = self.origins[item.row.facility]
        if item.row.delivery_scope == "same_city":
            return (city.name, city.province) == (origin.name, origin.province)
        near = item.row.delivery_scope == "province" or (item.row.weight_g > 10_000 and item.price < 100_000)
        return city.province == origin.province if near else True

    def _quantity(self, item: Item, day: datetime.date) -> int:
        if item.price >= 400_000:
            several = item.row.category == "Mebel" and item.price < 1_300_000
            return self.rng.choices((1, 2, 4), (12, 2, 1))[0] if several else 1
        if item.row.category in ("Makanan & minuman", "Pertanian"):
            most = 8 if "ramadan" in seasons_on(day) else 5
            return self.rng.choices(range(1, most + 1), [most - n for n in range(most)])[0]
        return self.rng.choices((1, 2, 3), (9, 3, 1))[0]

    def _collected(self, buyer: Buyer, lines: Sequence[tuple[Item, int]]) -> frozenset[str]:
        codes = {item.row.facility for item, _ in lines}
        return frozenset(
            code
            for code in sorted(codes)
            if self.origins[code].province == buyer.address.province and self.rng.random() < 0.3
        )


def _singly(lines: tuple[tuple[Item, int], ...]) -> tuple[tuple[Item, int], ...]:
    """One piece of each: what is held for an unpaid order leaves enough on the shelf."""
    return tuple((item, 1) for item, _ in lines)
