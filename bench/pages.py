"""What public pages cost beside the smallest Flask page that makes one query, in one run on one server."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import urllib3

from bench.load import Load, drive
from bench.stage import Smallest, quiet_rate, used
from tests.drills.running_shop import Shop

#: Rounds over all pages; what counts is the middle one, so that a hiccup of the machine does not.
ROUNDS = 3
REQUESTS = 3000
#: Requests of one client alone, for how long an answer takes when nobody else asks.
ALONE = 300


@dataclass(frozen=True)
class Cost:
    """What one request for a page costs."""

    page: str
    #: Milliseconds of processor time over all processes, and as a multiple of the smallest page's.
    cpu: float
    cpu_ratio: float
    #: Milliseconds until one client alone has its answer (median), and as a multiple.
    latency: float
    latency_ratio: float
    per_second: float
    bad: int


@dataclass(frozen=True)
class Page:
    name: str
    address: str
    paths: list[str]
    requests: int = REQUESTS
    alone: int = ALONE


def measure(shop: Shop, smallest: Smallest) -> list[Cost]:
    """Cost of the smallest page, home, listing and products; then of pages that nobody has kept yet."""
    slugs = product_slugs(shop)
    fresh = (f"/products?min={number}" for number in itertools.count(1))
    pages = [
        Page("smallest Flask page, one query", smallest.address, [f"/{slug}" for slug in slugs]),
        Page("home", shop.address, ["/"]),
        Page("listing of 24", shop.address, ["/products"]),
        Page("product page", shop.address, [f"/products/{slug}" for slug in slugs]),
        # Each address is asked for once in the whole run, so no process has the page.
        Page("listing, nothing kept", shop.address, list(itertools.islice(fresh, 4000)), 300, 60),
    ]
    quiet = quiet_rate(shop)
    for page in pages[:4]:
        drive(page.address, page.paths, requests=400)
    samples: dict[str, list[tuple[float, Load, Load]]] = {page.name: [] for page in pages}
    for _ in range(ROUNDS):
        for page in pages:
            samples[page.name].append(_sample(shop, smallest, page, quiet))
            if "nothing kept" in page.name:
                del page.paths[: page.requests + page.alone]
    return _costs(samples)


def _sample(shop: Shop, smallest: Smallest, page: Page, quiet: dict[str, float]) -> tuple[float, Load, Load]:
    """Milliseconds of processor time for one request, the load, and one client's load."""
    before, before_smallest, begun = shop.cpu_seconds(), smallest.cpu_seconds(), time.monotonic()
    load = drive(page.address, page.paths, requests=page.requests)
    spent = used(before, shop.cpu_seconds(), quiet, time.monotonic() - begun)
    if page.address == smallest.address:
        seconds = smallest.cpu_seconds() - before_smallest + spent["database"]
    else:
        seconds = sum(spent.values())
    alone = drive(page.address, page.paths[page.requests :] or page.paths, requests=page.alone, threads=1)
    return seconds * 1000 / load.requests, load, alone


def _costs(samples: dict[str, list[tuple[float, Load, Load]]]) -> list[Cost]:
    middle = {
        name: (
            statistics.median(cpu for cpu, _, _ in found),
            statistics.median(alone.median for _, _, alone in found),
        )
        for name, found in samples.items()
    }
    unit_cpu, unit_latency = next(iter(middle.values()))
    return [
        Cost(
            page=name,
            cpu=cpu,
            cpu_ratio=cpu / unit_cpu,
            latency=latency,
            latency_ratio=latency / unit_latency,
            per_second=statistics.median(load.per_second for _, load, _ in samples[name]),
            bad=sum(load.bad + alone.bad for _, load, alone in samples[name]),
        )
        for name, (cpu, latency) in middle.items()
    ]


def product_slugs(shop: Shop, limit: int = 60) -> list[str]:
    """Addresses of published products."""
    with shop.owner() as connection:
        rows = connection.execute(
            "SELECT slug FROM products WHERE status = 'published' ORDER BY id LIMIT %s", (limit,)
        ).fetchall()
    return [slug for (slug,) in rows]


def weight(shop: Shop, path: str = "/products") -> dict[str, Any]:
    """Bytes of a page with its style sheets and scripts as they cross the line, gzipped."""
    sizes = {"html": _size(shop.address + path)}
    html = urllib3.request("GET", shop.address + path).data.decode()
    for tag in re.findall(r"<(?:link|script)\b[^>]*>", html):
        target = re.search(r'(?:href|src)="([^"]+\.(?:css|js))"', tag)
        if target and not re.search(r'rel="(?:alternate|canonical|icon|manifest)', tag):
            kind = "css" if target[1].endswith("css") else "js"
            sizes[kind] = sizes.get(kind, 0) + _size(shop.address + target[1])
    return {**sizes, "total": sum(sizes.values())}


def _size(address: str) -> int:
    answer = urllib3.request("GET", address, headers={"Accept-Encoding": "gzip"}, decode_content=False)
    return len(answer.data)


def as_json(costs: list[Cost]) -> list[dict[str, Any]]:
    """For bench/results/."""
    return [asdict(cost) for cost in costs]
