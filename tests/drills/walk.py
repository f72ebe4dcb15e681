"""A seeded random walk over the real shop: many shoppers, a chaotic provider, workers and processes that die.

Requests go through the real app, jobs are the real tasks, the database is the real one. One source of chance
decides everything, so that a seed that finds a fault finds it again. The queue is emptied here in random
order, at least once for each job, as many workers that die would.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront import crash_points
from storefront.errors import DomainError
from storefront.extensions import db, jobs
from storefront.orders.cancel import cancel
from storefront.orders.models import Order
from storefront.orders.ship import mark_packed, mark_ready, mark_received, mark_shipped
from storefront.payments.sandbox import SandboxGateway
from storefront.payments.tasks import NotTaken
from storefront.stock.adjust import count, move
from tests.drills.live import Died
from tests.drills.promises import broken, unfinished

ADDRESS = {
    "line1": "Jl. Melati 1",
    "district": "Pekalongan Barat",
    "city": "Pekalongan",
    "province": "Jawa Tengah",
    "postal_code": "51111",
}
#: What the shop may answer to a shopper who is unlucky; anything else is a fault.
REFUSALS = {"out_of_stock", "price_changed", "order_closed", "cart_closed", "listing_unavailable"}
OUTCOMES = ("succeeded", "succeeded", "succeeded", "succeeded", "failed", "pending", "expired")


class Walk:
    """One walk. `app` is served on its BASE_URL; `owner` may do what a clock or an administrator does."""

    def __init__(self, app: Flask, owner: psycopg.Connection[Any], seed: int) -> None:
        self.app = app
        self.owner = owner
        self.seed = seed
        self.chance = random.Random(seed)
        self.client: FlaskClient = app.test_client()
        #: What happened how often; a walk that never meets a case proves nothing of it.
        self.seen: Counter[str] = Counter()
        self.person = self.one("SELECT id FROM people ORDER BY id LIMIT 1")
        #: How likely a process dies while it does something.
        self.faults = 0.25
        crash_points.end = self._die

    def _die(self) -> None:
        self.seen[f"died at {crash_points.chosen}"] += 1
        crash_points.chosen = None
        raise Died

    def run(self, steps: int, *, check_every: int = 10) -> None:
        """Walk `steps` steps, then let the faults stop, and everything must come to an end."""
        actions = [getattr(self, name) for name in WEIGHTS]
        for number in range(steps):
            action = self.chance.choices(actions, list(WEIGHTS.values()))[0]
            self._dangerously(action)
            if number % check_every == 0:
                self.check(f"step {number}, {action.__name__}")
        self.come_to_an_end()

    def check(self, where: str) -> None:
        """Raise AssertionError when a promise is broken; the words lead back here."""
        found = broken(db.engine)
        assert not found, f"seed {self.seed}, {where}: {found}"

    def come_to_an_end(self) -> None:
        """No more faults: workers empty the queue, time passes, and nothing may be left on its way."""
        self.faults = 0.0
        for _ in range(6):
            self.owner.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")
            self._empty_queue()
            self._pass_time(everything=True)
        self.check("the end")
        left = unfinished(self.owner)
        assert not left, f"seed {self.seed}, the end: {left}"

    # What shoppers do

    def shop(self) -> None:
        """Fill a cart and order it, asking again by the same key until an answer comes."""
        cart = self._call("POST", "/api/v1/carts").get_json()["id"]
        skus = [sku for (sku,) in self.owner.execute("SELECT sku FROM variants ORDER BY id")]
        laid = 0
        for sku in self.chance.sample(skus, self.chance.randint(1, 3)):
            line = {"sku": sku, "quantity": self.chance.randint(1, 3)}
            laid += self._call("POST", f"/api/v1/carts/{cart}/lines", json=line).status_code == 201
        if not laid:
            return
        if self.chance.random() < 0.1:
            self.change_price()
        key = f"key-{self.chance.getrandbits(64):x}"
        body = {"name": "Sari", "email": f"sari{self.chance.randint(1, 5)}@example.test", "address": ADDRESS}
        first = self._until_answered("POST", f"/api/v1/carts/{cart}/checkout", key, body)
        if first.status_code == 201 and self.chance.random() < 0.2:
            again = self._until_answered("POST", f"/api/v1/carts/{cart}/checkout", key, body)
            assert again.get_json()["order"]["number"] == first.get_json()["order"]["number"]

    def _until_answered(self, method: str, path: str, key: str, body: dict[str, Any]) -> TestResponse:
        for _ in range(9):
            try:
                return self._call(method, path, json=body, headers={"Idempotency-Key": key})
            except Died:
                self._bury()
        return self._call(method, path, json=body, headers={"Idempotency-Key": key})

    def pay(self) -> None:
        """Some outcome at the page of some payment, whatever became of its order meanwhile."""
        payment_id = self._any("SELECT id FROM sandbox_payments ORDER BY created_at, id")
        if payment_id:
            self._call(
                "POST",
                f"/sandbox/payments/{payment_id}/outcome",
                json={"outcome": self.chance.choice(OUTCOMES)},
            )

    def pay_once_more(self) -> None:
        """A further payment page for some order."""
        from storefront.orders.tokens import order_token

        order = self._order("true")
        if order is not None:
            self._call("POST", f"/api/v1/orders/{order.number}/payments?token={order_token(order)}")

    def cancel(self) -> None:
        """A shopper changes their mind."""
        order = self._order("state <> 'expired'")
        if order is not None:
            self._allowing_refusal(lambda: cancel(order))

    # What the provider does

    def repeat_event(self) -> None:
        """The provider sends an old event again, three times, as it may."""
        body = self._any("SELECT body FROM sandbox_events ORDER BY created_at, id")
        for _ in range(3 if body else 0):
            self._send(body)

    def new_event_of_old_news(self) -> None:
        """The same news as another event, long after, perhaps of a payment that has moved on."""
        body = self._any(
            "SELECT body FROM sandbox_events WHERE type NOT LIKE 'refund%' ORDER BY created_at, id"
        )
        if body:
            event = json.loads(body)
            # Only what was true once is said again: money that never came is not invented.
            state = self.one(f"SELECT state FROM sandbox_payments WHERE id = '{event['payment']['id']}'")
            if event["type"] != "payment.succeeded" or state == "succeeded":
                self._send(json.dumps(event | {"id": f"evt_{self.chance.getrandbits(96):x}"}))

    def foreign_event(self) -> None:
        """Signed, but about a payment that is not ours; or not signed at all."""
        event = {"id": f"evt_{self.chance.getrandbits(96):x}", "type": "payment.succeeded"}
        body = json.dumps({**event, "payment": {"id": "pay_of_somebody_else_00", "amount": 5}})
        self._send(body)
        answer = self._call(
            "POST", "/webhooks/sandbox", data=body, headers={"Sandbox-Signature": "t=1,v1=00"}
        )
        assert answer.status_code == 400

    def _send(self, body: str) -> None:
        provider = self.app.extensions["gateways"]["sandbox"]
        assert isinstance(provider, SandboxGateway)
        answer = self._call(
            "POST", "/webhooks/sandbox", data=body, headers=provider.signed_headers(body.encode())
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)

    # What the facilities do

    def handle_parcel(self) -> None:
        """The next step of some parcel."""
        parcel_id = self._any(
            "SELECT id FROM parcels WHERE state IN ('to_pack', 'packed', 'shipped', 'ready') ORDER BY id"
        )
        if not parcel_id:
            return
        query = f"SELECT state, is_pickup FROM parcels WHERE id = {parcel_id}"
        state, is_pickup = self.owner.execute(query).fetchone() or ("", False)  # type: ignore[call-overload]
        if state == "to_pack":
            self._allowing_refusal(lambda: mark_packed(parcel_id, self.person))
        elif state == "packed" and is_pickup:
            self._allowing_refusal(lambda: mark_ready(parcel_id, self.person))
        elif state == "packed":
            self._allowing_refusal(lambda: mark_shipped(parcel_id, "JNE", "", self.person))
        else:
            self._allowing_refusal(lambda: mark_received(parcel_id, None))

    def correct_stock(self) -> None:
        """Pieces are made, break, or are counted anew."""
        query = "SELECT variant_id, location_id, on_hand FROM stock_levels ORDER BY 1, 2"
        variant_id, location_id, on_hand = self.chance.choice(self.owner.execute(query).fetchall())
        kind = self.chance.choice(("made", "damaged", "counted"))
        if kind == "counted":
            counted = max(0, on_hand + self.chance.randint(-2, 2))
            self._allowing_refusal(lambda: count(variant_id, location_id, counted, person_id=self.person))
            return
        quantity = self.chance.randint(1, 4) * (1 if kind == "made" else -1)
        source = f"walk:{self.chance.randint(1, 200)}"
        self._allowing_refusal(lambda: move(variant_id, location_id, quantity, kind, source=source))

    def change_price(self) -> None:
        """Some price moves while it lies in carts."""
        self.owner.execute(
            "UPDATE variants SET price = %s WHERE id = (SELECT id FROM variants ORDER BY id OFFSET %s LIMIT 1)",
            (self.chance.randint(10_000, 500_000), self.chance.randrange(4)),
        )

    # What workers and time do

    def work(self) -> None:
        """A worker runs a few jobs, not in their order."""
        for _ in range(self.chance.randint(1, 6)):
            self._dangerously(self._run_one_job)

    def worker_found_dead(self) -> None:
        """Jobs of dead workers are given back, as `jobs.retry_stalled` does."""
        self.owner.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")

    def time_passes(self) -> None:
        """The hold of some unpaid order ends; the periodic job may run, now or later."""
        self._pass_time(everything=False)

    def _pass_time(self, *, everything: bool) -> None:
        which = "true" if everything else "id % 3 = (SELECT max(id) % 3 FROM orders)"
        for table in ("orders", "payments", "sandbox_payments"):
            ours = which if table == "orders" else f"expires_at > now() AND {str(everything).lower()}"
            self.owner.execute(f"UPDATE {table} SET expires_at = now() - interval '1 second' WHERE {ours}")
        self._run_task("orders.expire_unpaid", {"timestamp": 0})

    def _empty_queue(self) -> None:
        while self._run_one_job():
            pass

    def _run_one_job(self) -> bool:
        query = "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
        waiting = self.owner.execute(query).fetchall()
        if not waiting:
            return False
        job_id, task_name, arguments = self.chance.choice(waiting)
        mark = "UPDATE procrastinate_jobs SET status = %s WHERE id = %s"
        self.owner.execute(mark, ("doing", job_id))
        try:
            self._run_task(task_name, arguments)  # a Died leaves it `doing`
        except NotTaken:
            # The web process died before it answered: the sender tries again later.
            self.owner.execute(mark, ("todo", job_id))
            return True
        if self.chance.random() < self.faults:
            self.seen["died after its job"] += 1
            return True
        self.owner.execute(mark, ("succeeded", job_id))
        return True

    def _run_task(self, task_name: str, arguments: dict[str, Any]) -> None:
        self.seen[task_name] += 1
        try:
            jobs.tasks[task_name].func(**arguments)
        finally:
            self._bury()

    # The means

    def _dangerously(self, action: Callable[[], Any]) -> None:
        """Do something in a process that may die at a random place."""
        crash_points.chosen = None
        points = DEADLY.get(action.__name__, ())
        if points and self.chance.random() < self.faults:
            crash_points.chosen = self.chance.choice(points)
        try:
            action()
        except Died:
            self._bury()
        finally:
            crash_points.chosen = None
        self.seen[action.__name__] += 1

    def _bury(self) -> None:
        """What the kernel does for a dead process: its connection ends, its transaction with it."""
        db.session.rollback()
        db.session.expunge_all()

    def _call(self, method: str, path: str, **options: Any) -> TestResponse:
        answer = self.client.open(path, method=method, **options)
        assert answer.status_code < 500, f"seed {self.seed}: {method} {path}: {answer.get_data(as_text=True)}"
        if answer.status_code in (409, 422):
            code = (answer.get_json() or {}).get("code")
            self.seen[f"refused: {code}"] += 1
            assert code in REFUSALS, f"seed {self.seed}: {method} {path}: {answer.get_data(as_text=True)}"
        return answer

    def _allowing_refusal(self, action: Callable[[], Any]) -> None:
        try:
            action()
            db.session.commit()
        except DomainError as refusal:
            db.session.rollback()
            self.seen[f"refused: {refusal.code}"] += 1

    def _order(self, condition: str) -> Order | None:
        number = self._any(f"SELECT id FROM orders WHERE {condition} ORDER BY id")
        return db.session.get(Order, number, populate_existing=True) if number else None

    def _any(self, query: str) -> Any:
        rows = self.owner.execute(query).fetchall()  # type: ignore[call-overload]
        # The newest ones more often: what is old rarely changes any more.
        return rows[-min(len(rows), 1 + int(self.chance.expovariate(0.15)))][0] if rows else None

    def one(self, query: str) -> Any:
        """The first value that a query finds."""
        row = self.owner.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


#: How often each thing happens, relative to the others.
WEIGHTS = {
    "shop": 8,
    "pay": 8,
    "pay_once_more": 2,
    "cancel": 1,
    "repeat_event": 1,
    "new_event_of_old_news": 1,
    "foreign_event": 0.3,
    "handle_parcel": 3,
    "correct_stock": 3,
    "change_price": 0.3,
    "work": 8,
    "worker_found_dead": 1,
    "time_passes": 1,
}

#: Where a process may die while it does what it does.
DEADLY = {
    name: [point for point in crash_points.POINTS if point.startswith(places)]
    for name, places in {
        "shop": ("checkout.", "payment."),
        "repeat_event": ("webhook.",),
        "_run_one_job": ("delivery.", "event.", "message.", "refund.", "webhook."),
        "time_passes": ("expiry.",),
    }.items()
}


def fill(session: Any) -> None:
    """Two facilities with rules of their own, each with a rare piece and a common one."""
    import datetime

    from tests.factories import make_facility, make_product, make_rule, make_variant, make_workshop

    make_rule()
    second = make_facility(city="Kotawaringin Barat", province="Kalimantan Tengah")
    make_rule(basis="profit", facility=second, valid_from=datetime.date(2023, 1, 1))
    for facility in (make_facility(), second):
        product = make_product(make_workshop(facility))
        make_variant(product, stock=4, price=485_001, material_cost=5_000)
        make_variant(product, stock=60, price=33_333, material_cost=1_000)
    session.commit()
