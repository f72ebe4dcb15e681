"""Shoppers who buy and pay without end, and who ask again, by the same key, until they know."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3

ADDRESS = {
    "line1": "Jl. Melati 1",
    "district": "Pekalongan Barat",
    "city": "Pekalongan",
    "province": "Jawa Tengah",
    "postal_code": "51111",
}
#: A shopper who was not answered for so long, in seconds, has given up: the drill has failed.
PATIENCE = 90.0


class GaveUp(Exception):
    """No answer within a shopper's patience."""


@dataclass
class Answer:
    status: int
    json: Any


@dataclass
class Purchase:
    """What one shopper knows of one purchase."""

    key: str
    number: str
    token: str
    payment_id: str
    seconds: float
    #: The provider's payment page; None while it has none.
    page: str | None = None


class Client:
    """A program at the shop's API. Not for several threads at once."""

    def __init__(self, address: str, timeout: float = 15.0) -> None:
        self.address = address
        self.pool = urllib3.PoolManager(num_pools=1, maxsize=1, timeout=timeout, retries=False)
        #: Requests that were cut off, refused or answered 5xx.
        self.failures = 0

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request. Raises `urllib3.exceptions.HTTPError` when there is no answer."""
        answer = self.pool.request(
            method,
            self.address + path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        found = json.loads(answer.data) if answer.data[:1] in (b"{", b"[") else None
        return Answer(answer.status, found)

    def insist(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Ask again until the shop answers other than 5xx; only for what may be asked twice."""
        deadline = time.monotonic() + PATIENCE
        headers = {"Idempotency-Key": key} if key else None
        while time.monotonic() < deadline:
            try:
                answer = self.call(method, path, body, headers)
                if answer.status < 500:
                    return answer
            except urllib3.exceptions.HTTPError:
                pass
            self.failures += 1
            time.sleep(0.1)
        raise GaveUp(f"{method} {path}")

    def buy(self, wishes: dict[str, int], *, pay: bool = True) -> Purchase | Answer:
        """Cart, lines, checkout, payment. Returns the shop's answer when it refuses the checkout."""
        begun = time.monotonic()
        cart = self._fill_cart(wishes)
        key = secrets.token_hex(8)
        body = {"name": "Sari", "email": f"{key}@example.test", "address": ADDRESS}
        answer = self.insist("POST", f"/api/v1/carts/{cart}/checkout", body, key)
        if answer.status != 201:
            return answer
        order, payment = answer.json["order"], answer.json["payment"]
        if pay:
            self.pay(payment["id"], order["number"], order["token"])
        took = time.monotonic() - begun
        return Purchase(key, order["number"], order["token"], payment["id"], took, payment["url"])

    def pay(self, payment_id: str, number: str, token: str) -> None:
        """Choose success at the provider; when it has no page yet, ask the shop for another."""
        for _ in range(20):
            if (
                self.insist(
                    "POST", f"/sandbox/payments/{payment_id}/outcome", {"outcome": "succeeded"}
                ).status
                == 202
            ):
                return
            payment_id = self.insist("POST", f"/api/v1/orders/{number}/payments?token={token}").json["id"]
        raise GaveUp(f"pay {number}")

    def _fill_cart(self, wishes: dict[str, int]) -> str:
        """A cart with `wishes`. After an unknown outcome a new one is begun: adding twice would add up."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                cart = self.call("POST", "/api/v1/carts", {})
                laid = [cart.status == 201] and [
                    self.call(
                        "POST", f"/api/v1/carts/{cart.json['id']}/lines", {"sku": sku, "quantity": n}
                    ).status
                    for sku, n in wishes.items()
                ]
                if all(status == 201 for status in laid):
                    found: str = cart.json["id"]
                    return found
                if any(status in (404, 409, 422) for status in laid):
                    raise GaveUp(f"{wishes} cannot be laid into a cart: {laid}")
            except (urllib3.exceptions.HTTPError, KeyError, TypeError):
                pass
            self.failures += 1
            time.sleep(0.1)
        raise GaveUp("fill a cart")


@dataclass
class Crowd:
    """Several shoppers at once, each in a thread, until `finish()`."""

    address: str
    skus: list[str]
    size: int = 4
    pause: float = 0.05
    purchases: list[Purchase] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)
    failures: int = 0

    def start(self) -> Crowd:
        self._enough = threading.Event()
        self._threads = [
            threading.Thread(target=self._shop, args=(n,), daemon=True) for n in range(self.size)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def finish(self) -> None:
        """No new purchases; the ones at hand are brought to their end."""
        self._enough.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)

    def wait_for(self, purchases: int, seconds: float = 60.0) -> None:
        """Until so many more purchases are made."""
        goal, deadline = len(self.purchases) + purchases, time.monotonic() + seconds
        while len(self.purchases) < goal and time.monotonic() < deadline:
            time.sleep(0.05)

    def _shop(self, number: int) -> None:
        client = Client(self.address)
        while not self._enough.is_set():
            wishes = {self.skus[(number + i) % len(self.skus)]: 1 + i for i in range(2)}
            try:
                made = client.buy(wishes)
            except GaveUp as error:
                self.gave_up.append(str(error))
                break
            if isinstance(made, Purchase):
                self.purchases.append(made)
            else:
                self.refused.append(made)
            self._enough.wait(self.pause)
        self.failures += client.failures


def all_at_once(number: int, action: Callable[[int], None]) -> None:
    """Run `action(0 … number − 1)`, each in a thread, released at the same moment."""
    gate = threading.Barrier(number)

    def run(index: int) -> None:
        gate.wait()
        action(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
