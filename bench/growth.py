"""What pages cost in a shop of 1,000 products and in one of many more, in turns, beside the smallest Flask page."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.load import drive
from bench.pages import product_slugs
from bench.stage import Smallest, open_shop, open_smallest, quiet_rate, used
from tests.drills.running_shop import Shop

SMALL = 1000
#: Turns between both shops and the smallest page; the middle one of each counts.
ROUNDS = 5
#: Requests in a turn: pages that are rendered anew each time, and kept ones.
RENDERED, KEPT = 120, 1200
WORDS = ("kursi", "tas", "batik", "meja", "kopi", "sabun")
UNIT = "smallest Flask page, one query"


@dataclass(frozen=True)
class Growth:
    """Milliseconds of processor time, over all processes, for one request to each kind of page."""

    page: str
    small: float
    large: float
    #: The middle of the ratios within each turn.
    ratio: float
    #: In the large shop, as a multiple of the smallest page.
    beside_smallest: float


def measure(many: int) -> list[Growth]:
    """The same questions to a shop of 1,000 products and to one of `many`; the first row is the smallest page."""
    with (
        open_shop(SMALL, orders=0) as small,
        open_shop(many, orders=0) as large,
        open_smallest(small) as smallest,
    ):
        return _in_turns(small, large, smallest)


def _in_turns(small: Shop, large: Shop, smallest: Smallest) -> list[Growth]:
    number, shops = itertools.count(1), (small, large)
    questions = [_questions(shop, number) for shop in shops]
    quiet = [quiet_rate(shop, 3) for shop in shops]
    for shop, asked in zip(shops, questions, strict=True):
        for paths in asked.values():
            drive(shop.address, _next(paths, RENDERED), requests=RENDERED)
    unit: list[float] = []
    found: dict[str, list[list[float]]] = {name: [] for name in questions[0]}
    for _ in range(ROUNDS):
        unit.append(_unit(small, smallest, quiet[0]))
        for name, turns in found.items():
            requests = KEPT if name.endswith("kept") else RENDERED
            turns.append(
                [_cost(shop, questions[side][name], requests, quiet[side]) for side, shop in enumerate(shops)]
            )
    base = statistics.median(unit)
    rows = [Growth(UNIT, base, base, 1.0, 1.0)]
    for name, turns in found.items():
        before, after = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
        ratio = statistics.median(after / before for before, after in turns)
        rows.append(Growth(name, before, after, ratio, after / base))
    return rows


def _questions(shop: Shop, number: Iterator[int]) -> dict[str, Iterator[str]]:
    """Addresses without end. `n` says nothing to the shop: it makes an address that no process has kept."""
    slugs = product_slugs(shop, 20)

    def anew(*paths: str) -> Iterator[str]:
        for path in itertools.cycle(paths):
            yield f"{path}{'&' if '?' in path else '?'}n={next(number)}"

    products = [f"/products/{slug}" for slug in slugs]
    with shop.owner() as connection:
        found = connection.execute("SELECT slug FROM facilities WHERE status = 'active' ORDER BY slug LIMIT 20")
        facilities = [f"/facilities/{slug}" for (slug,) in found]
    return {
        "home, kept": itertools.repeat("/"),
        "listing, kept": itertools.repeat("/products"),
        "search, kept": itertools.cycle(f"/products?q={word}" for word in WORDS),
        "product page, kept": itertools.cycle(products),
        "home, rendered": anew("/"),
        "listing, rendered": anew("/products"),
        "listing, tenth page": anew("/products?page=10"),
        "listing, last page": anew("/products?page=999999"),
        "listing by price": anew("/products?sort=price_low&page=5"),
        "filtered": anew(
            "/products?category=mebel&availability=ready", "/products?province=jawa-tengah&max=200000"
        ),
        "search, rendered": anew(*(f"/products?q={word}" for word in WORDS)),
        "search, mistyped": anew("/products?q=kurssi", "/products?q=batikk", "/products?q=sabunn"),
        "search and filter": anew(
            "/products?q=motif&category=mebel&min=60000", "/products?q=kayu&max=900000"
        ),
        "suggestions": anew(
            "/fragments/suggest?q=kur", "/fragments/suggest?q=bat", "/fragments/suggest?q=meja+l"
        ),
        "product page, rendered": anew(*products),
        "facility, rendered": anew(*facilities),
        "list of facilities, rendered": anew("/facilities", "/facilities?goods=mebel"),
    }


def _next(paths: Iterator[str], number: int) -> list[str]:
    return list(itertools.islice(paths, number))


def _cost(shop: Shop, paths: Iterator[str], requests: int, quiet: dict[str, float]) -> float:
    asked = _next(paths, requests)
    before = shop.cpu_seconds()
    load = drive(shop.address, asked, requests=requests)
    if load.bad:
        raise RuntimeError(f"{load.bad} bad answers, as to {asked[0]}")
    return 1000 * sum(used(before, shop.cpu_seconds(), quiet, load.seconds).values()) / requests


def _unit(shop: Shop, smallest: Smallest, quiet: dict[str, float]) -> float:
    slugs = [f"/{slug}" for slug in product_slugs(shop, 20)]
    before, before_smallest, begun = shop.cpu_seconds(), smallest.cpu_seconds(), time.monotonic()
    drive(smallest.address, slugs, requests=KEPT)
    database = used(before, shop.cpu_seconds(), quiet, time.monotonic() - begun)["database"]
    return 1000 * (smallest.cpu_seconds() - before_smallest + database) / KEPT


def as_json(rows: list[Growth]) -> list[dict[str, Any]]:
    """For bench/results/."""
    return [asdict(row) for row in rows]
