"""How the listing and the search grow from 1,000 products to many more, when no page is kept."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from bench.load import drive
from bench.pages import product_slugs
from bench.stage import open_shop, quiet_rate, used
from tests.drills.running_shop import Shop

SMALL = 1000
REQUESTS = 200
WORDS = ("kursi", "tas", "batik", "meja", "kopi", "sabun")


@dataclass(frozen=True)
class Size:
    """Milliseconds of processor time for one request to each kind of page in a shop of `products`."""

    products: int
    costs: dict[str, float]


def measure(many: int) -> list[Size]:
    """The same questions to a shop of 1,000 products and to one of `many`."""
    return [_of(number) for number in (SMALL, many)]


def _of(products: int) -> Size:
    with open_shop(products) as shop:
        return Size(products, {name: _cost(shop, paths) for name, paths in _questions(shop).items()})


def _questions(shop: Shop) -> dict[str, list[str]]:
    """Addresses, each asked for once: `min` below every price changes nothing but the address."""
    numbers = itertools.count(1)
    search = [f"/products?q={WORDS[n % len(WORDS)]}&min={next(numbers)}" for n in range(2 * REQUESTS)]
    return {
        "listing, kept": ["/products"],
        "listing, first page": [f"/products?min={next(numbers)}" for _ in range(2 * REQUESTS)],
        "listing, tenth page": [f"/products?page=10&min={next(numbers)}" for _ in range(2 * REQUESTS)],
        "search": search,
        "search, mistyped": [path.replace("kursi", "kursy").replace("batik", "batiik") for path in search],
        "product page, kept": [f"/products/{slug}" for slug in product_slugs(shop, 20)],
    }


def _cost(shop: Shop, paths: list[str]) -> float:
    kept = len(paths) <= 20
    drive(shop.address, paths, requests=REQUESTS)
    quiet = quiet_rate(shop, 2)
    before = shop.cpu_seconds()
    load = drive(shop.address, paths if kept else paths[REQUESTS:], requests=REQUESTS * (10 if kept else 1))
    if load.bad:
        raise RuntimeError(f"{load.bad} bad answers, as to {paths[0]}")
    return 1000 * sum(used(before, shop.cpu_seconds(), quiet, load.seconds).values()) / load.requests


def as_json(sizes: list[Size]) -> list[dict[str, Any]]:
    """For bench/results/."""
    return [{"products": size.products, "cpu_ms": size.costs} for size in sizes]
