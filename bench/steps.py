"""Where a purchase spends its time: each step in one process, with its statements and its processor time.

`python -m bench steps` (`--profile` adds the functions that cost most). The sums here leave out the HTTP server,
the worker's queue and the database's own part; `purchase` measures all of it.
"""

from __future__ import annotations

import contextvars
import cProfile
import json
import logging
import os
import pstats
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event, text

from bench.stage import plenty
from tests.drills.running_shop import Shop, kill
from tests.drills.shoppers import ADDRESS

ROUNDS = 40


@dataclass
class Step:
    """What one step of a purchase has cost so far, over all purchases."""

    times: int = 0
    statements: int = 0
    #: Seconds of this process.
    cpu: float = 0.0


@dataclass
class Stopwatch:
    """Counts statements and processor time by step."""

    engine: Engine
    steps: dict[str, Step] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        event.listen(self.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)

    def take(self, name: str, action: Callable[[], Any]) -> Any:
        """Do a step in a context of its own, as a server would."""
        step, counted, begun = self.steps.setdefault(name, Step()), len(self.statements), time.process_time()
        answer = contextvars.Context().run(action)
        step.cpu += time.process_time() - begun
        step.statements += len(self.statements) - counted
        step.times += 1
        return answer


def measure(shop: Shop, rounds: int = ROUNDS, *, profile: bool = False) -> dict[str, Step]:
    """Buy `rounds` times, step by step, after a few for warming up."""
    worker = shop.pids("worker")[0]
    kill(worker, signal.SIGSTOP)  # it would do some of the jobs before us
    try:
        return _measure(app_of(shop), plenty(shop), rounds, profile)
    finally:
        kill(worker, signal.SIGCONT)


def _measure(app: Flask, skus: list[str], rounds: int, profile: bool) -> dict[str, Step]:
    with app.app_context():
        from storefront.extensions import db

        engine = db.engine
    for _ in range(5):
        _buy(app, Stopwatch(engine), skus)
    watch, profiler = Stopwatch(engine), cProfile.Profile()
    if profile:
        profiler.enable()
    for _ in range(rounds):
        _buy(app, watch, skus)
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
    engine.dispose()
    return watch.steps


def app_of(shop: Shop) -> Flask:
    """The app in this process, on the database of a running shop."""
    from config import Settings
    from storefront import create_app, import_rooms

    app = create_app(Settings.from_env({**os.environ, **shop.environment()}))
    import_rooms("tasks")
    logging.getLogger().setLevel(logging.CRITICAL)
    return app


def _buy(app: Flask, watch: Stopwatch, skus: list[str]) -> None:
    from storefront.extensions import jobs

    client = app.test_client()

    def post(name: str, path: str, body: Any, **headers: str) -> Any:
        raw = body if isinstance(body, str) else json.dumps(body)
        answer = watch.take(
            name, lambda: client.post(path, data=raw, content_type="application/json", headers=headers)
        )
        assert answer.status_code in (200, 201, 202), answer.get_data(as_text=True)
        return answer.get_json()

    def job(name: str, **arguments: Any) -> None:
        def run() -> None:
            with app.app_context():
                jobs.tasks[name].func(**arguments)

        watch.take(f"job {name}", run)

    cart = post("POST /carts", "/api/v1/carts", {})["id"]
    for sku in skus:
        post("POST /carts/…/lines", f"/api/v1/carts/{cart}/lines", {"sku": sku, "quantity": 1})
    buyer = {"name": "Sari", "email": f"{cart}@example.test", "address": ADDRESS}
    key = {"Idempotency-Key": "one"}
    order = post("POST /carts/…/checkout", f"/api/v1/carts/{cart}/checkout", buyer, **key)
    payment_id = order["payment"]["id"]
    post("POST /sandbox/…/outcome", f"/sandbox/payments/{payment_id}/outcome", {"outcome": "succeeded"})
    event_id, body = _one(app, "SELECT id, body FROM sandbox_events WHERE payment_id = :id", payment_id)
    signature = app.extensions["gateways"]["sandbox"].signed_headers(body.encode())
    post("POST /webhooks/sandbox", "/webhooks/sandbox", body, **signature)
    (row_id,) = _one(app, "SELECT id FROM payment_events WHERE event_id = :id", event_id)
    job("orders.handle_payment_event", event_row_id=row_id)
    (messages,) = _one(
        app,
        "SELECT array_agg(m.id) FROM messages m JOIN payments p USING (order_id) WHERE p.id = :id",
        payment_id,
    )
    for message_id in messages:
        job("orders.send_message", message_id=message_id)


def _one(app: Flask, query: str, value: str) -> Any:
    from storefront.extensions import db

    with app.app_context():
        return db.session.execute(text(query), {"id": value}).one()


def table(steps: dict[str, Step], rounds: int = ROUNDS) -> str:
    """The steps as lines to print."""
    lines = [f"{'step':<30} {'times':>5} {'statements':>10} {'CPU ms':>8}"]
    for name, step in steps.items():
        lines.append(
            f"{name:<30} {step.times / rounds:>5.0f} {step.statements / step.times:>10.0f}"
            f" {1000 * step.cpu / step.times:>8.1f}"
        )
    statements = sum(step.statements for step in steps.values()) / rounds
    cpu = 1000 * sum(step.cpu for step in steps.values()) / rounds
    lines.append(f"{'one purchase':<30} {'':>5} {statements:>10.0f} {cpu:>8.1f}")
    return "\n".join(lines)
