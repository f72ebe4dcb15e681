"""What a whole guest purchase costs, from the cart to the ledger, and what happens when all want the last pieces."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.bare import Bare, BareCost
from bench.stage import plenty, quiet_rate, used
from tests.drills.judge import BUSINESS_JOBS
from tests.drills.running_shop import Shop
from tests.drills.shoppers import ADDRESS, Answer, Client, GaveUp, Purchase, all_at_once

SHOPPERS, PIECES = 40, 5
#: Purchases and bare transactions are measured in turns, so that whatever else the machine does meets both.
ROUNDS = 5


@dataclass(frozen=True)
class PurchaseCost:
    """Milliseconds of processor time for one purchase of two lines from two facilities, jobs included."""

    web: float
    worker: float
    database: float
    #: Until the shopper has paid, milliseconds (median).
    latency: float
    per_second: float
    purchases: int

    @property
    def total(self) -> float:
        return self.web + self.worker + self.database


@dataclass(frozen=True)
class Beside:
    """Purchases, and the bare transaction that writes the same facts, measured in turns."""

    purchases: Sequence[PurchaseCost]
    bare: Sequence[BareCost]

    @property
    def ratios(self) -> list[float]:
        """How many bare transactions one purchase costs, round by round."""
        return [cost.total / bare.total for cost, bare in zip(self.purchases, self.bare, strict=True)]

    @property
    def database_ratios(self) -> list[float]:
        """The same for the database's part alone."""
        return [cost.database / bare.database for cost, bare in zip(self.purchases, self.bare, strict=True)]

    def middle(self) -> int:
        """The round whose ratio is the middle one: it counts."""
        return self.ratios.index(statistics.median_low(self.ratios))


def measure(shop: Shop, purchases: int = 300, threads: int = 2, rounds: int = ROUNDS) -> Beside:
    """Buy as guests through the API, and write the same facts without the shop, in turns."""
    wishes = dict.fromkeys(plenty(shop), 1)
    made, _ = _buy(shop, wishes, 20, threads)
    _until_jobs_are_done(shop)
    quiet = quiet_rate(shop)
    bare = Bare(shop, made[0].number)
    costs, floors = [], []
    try:
        for _ in range(rounds):
            costs.append(_purchases(shop, wishes, purchases // rounds, threads, quiet))
            floors.append(bare.measure(purchases, quiet))
    finally:
        bare.close()
    return Beside(costs, floors)


def _purchases(
    shop: Shop, wishes: dict[str, int], purchases: int, threads: int, quiet: dict[str, float]
) -> PurchaseCost:
    """What `purchases` cost; the clock stops when the last job is done."""
    before, begun = shop.cpu_seconds(), time.monotonic()
    made, seconds = _buy(shop, wishes, purchases, threads)
    _until_jobs_are_done(shop)
    spent = used(before, shop.cpu_seconds(), quiet, time.monotonic() - begun)
    each = {part: 1000 * value / len(made) for part, value in spent.items()}
    return PurchaseCost(
        web=each["web"],
        worker=each["worker"],
        database=each["database"],
        latency=1000 * statistics.median(purchase.seconds for purchase in made),
        per_second=len(made) / seconds,
        purchases=len(made),
    )


def _buy(shop: Shop, wishes: dict[str, int], number: int, threads: int) -> tuple[list[Purchase], float]:
    made: list[Purchase] = []

    def run(_: int) -> None:
        client = Client(shop.address)
        for _ in range(number // threads):
            bought = client.buy(wishes)
            if not isinstance(bought, Purchase):
                raise GaveUp(f"refused: {bought}")
            made.append(bought)

    begun = time.monotonic()
    all_at_once(threads, run)
    return made, time.monotonic() - begun


def _until_jobs_are_done(shop: Shop, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    with shop.owner() as connection:
        while (connection.execute(BUSINESS_JOBS).fetchone() or (0,))[0]:
            if time.monotonic() > deadline:
                raise RuntimeError("jobs are left that no worker finishes")
            time.sleep(0.1)


@dataclass(frozen=True)
class Rush:
    """What came of one rush of shoppers for a few pieces."""

    shoppers: int
    pieces: int
    orders: int
    told: int
    others: int
    #: Seconds until the last one had an answer.
    seconds: float
    left_in_stock: int


def rush(shop: Shop) -> Rush:
    """40 shoppers with full carts press at the same moment for 5 pieces; each that got an order pays."""
    sku, variant_id = _five_pieces(shop)
    carts = [_cart(shop, sku) for _ in range(SHOPPERS)]
    answers: list[Answer] = []
    guard = threading.Lock()
    clients = [Client(shop.address, timeout=60) for _ in range(SHOPPERS)]

    def press(index: int) -> None:
        body = {"name": "Sari", "email": f"rush{index}@example.test", "address": ADDRESS}
        key = {"Idempotency-Key": f"rush-{carts[index]}"}
        answer = clients[index].call("POST", f"/api/v1/carts/{carts[index]}/checkout", body, key)
        with guard:
            answers.append(answer)

    begun = time.monotonic()
    all_at_once(SHOPPERS, press)
    seconds = time.monotonic() - begun
    placed = [answer.json for answer in answers if answer.status == 201]
    for order in placed:
        clients[0].pay(order["payment"]["id"], order["order"]["number"], order["order"]["token"])
    _until_jobs_are_done(shop)
    told = sum(answer.status == 409 and answer.json["code"] == "out_of_stock" for answer in answers)
    with shop.owner() as connection:
        row = connection.execute(
            "SELECT sum(on_hand) FROM stock_levels WHERE variant_id = %s", (variant_id,)
        ).fetchone()
    left = row[0] if row else -1
    return Rush(SHOPPERS, PIECES, len(placed), told, len(answers) - len(placed) - told, seconds, left)


def _five_pieces(shop: Shop) -> tuple[str, int]:
    """A thing of which exactly five pieces lie in its store, all free, and none elsewhere."""
    with shop.owner() as connection:
        found = connection.execute(
            """SELECT v.sku, v.id, s.location_id, s.on_hand
                 FROM variants v JOIN products p ON p.id = v.product_id
                 JOIN stock_locations l ON l.facility_id = p.facility_id
                 JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
                 JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
                WHERE p.status = 'published' AND v.is_active AND NOT v.made_to_order AND s.reserved = 0
                  AND p.delivery_scope = 'nationwide'
                  AND NOT EXISTS (SELECT FROM stock_levels o WHERE o.variant_id = v.id AND o.location_id <> l.id)
                ORDER BY v.id DESC LIMIT 1"""
        ).fetchone()
        assert found is not None
        sku, variant_id, location_id, on_hand = found
        if on_hand != PIECES:
            connection.execute(
                "INSERT INTO stock_movements (variant_id, location_id, quantity, reason)"
                " VALUES (%s, %s, %s, 'counted')",
                (variant_id, location_id, PIECES - on_hand),
            )
    return sku, variant_id


def _cart(shop: Shop, sku: str) -> str:
    client = Client(shop.address)
    cart: dict[str, Any] = client.call("POST", "/api/v1/carts", {}).json
    laid = client.call("POST", f"/api/v1/carts/{cart['id']}/lines", {"sku": sku, "quantity": 1})
    assert laid.status == 201, laid
    return str(cart["id"])
