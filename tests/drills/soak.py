"""The soak: many orders paid through the provider's fake, whose news are lost, doubled, late and in disorder.

Meanwhile the worker is killed again and again. Then nothing more is delivered, reconciliation is asked for (and
killed too), and what the fake did, by its own record, must be what the shop believes: every paid order paid once,
every entry once, the clearing balance explained to the rupiah.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import text

from storefront import create_app
from storefront.embedded import OWNER, WEB
from storefront.extensions import db, jobs
from storefront.reconciliation import runs
from storefront.reconciliation.compare import explained
from storefront.reconciliation.models import ReconciliationRun
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.clones import SECRETS, settings_for
from tests.drills.judge import run_the_clock_ahead, settle
from tests.drills.promises import UNFINISHED
from tests.drills.running_shop import NotRunning, Shop, fill_small, kill
from tests.drills.shoppers import Client
from tests.drills.soak_judge import Ours, Theirs, Told, judge
from tests.drills.soak_people import DECK, LATER_LIFE, RUN_OUT, Finance, Shoppers, Way
from tests.stripe_fake.run import FakeStripe, fake_stripe

#: Refunds may have failed, or go by bank; the judge looks at each.
ON_ITS_WAY = {
    what: query for what, query in UNFINISHED.items() if "refunds" not in what and "sandbox" not in query
}


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    orders: int
    #: Kills of the worker at random moments at most, and the seconds between two, at least and at most.
    kills: int
    pauses: tuple[float, float]
    #: Seconds over which what becomes of the orders is spread.
    spread: float
    #: Kills in the midst of the first reconciliation; of the second, one less.
    kills_of_runs: int
    #: Seconds by which an event is late at most.
    late: float
    #: Let heartbeats and retries not be waited for.
    hurry: bool


SHORT = Size(orders=30, kills=2, pauses=(0.5, 4), spread=3, kills_of_runs=1, late=2, hurry=True)
LONG = Size(orders=500, kills=50, pauses=(1, 40), spread=180, kills_of_runs=4, late=30, hurry=False)


@dataclass
class Soaked:
    """What a soak came to."""

    seed: int
    #: What was wrong before reconciliation: if nothing was, the soak has tested nothing.
    before: list[str]
    wrong: list[str]
    figures: dict[str, Any]

    def words(self) -> str:
        """What happened, in one line."""
        return f"seed {self.seed}: " + ", ".join(f"{what} {count}" for what, count in self.figures.items())


class Soak:
    """One soak of one shop."""

    def __init__(self, shop: Shop, fake: FakeStripe, size: Size, seed: int) -> None:
        self.shop, self.fake, self.size, self.seed = shop, fake, size, seed
        self.chance = random.Random(seed)
        # Set as the shop is, so that finance can act in this process.
        self.app = create_app(settings_for(dict(shop.addresses()), shop.var_dir, **fake.settings()))
        self.told = Told()
        self.finance = Finance(self.app, fake, self.told)
        self.shoppers = Shoppers(shop.address, fake, self.told, seed)
        self.killer = Killer(shop, size, seed)
        self.killed_runs: list[str] = []
        self.stuck: list[str] = []

    def run(self) -> Soaked:
        """From the first order to the judgement."""
        try:
            self._deliver(
                "mixed", late=self.size.late, seed=self.seed, url=f"{self.shop.address}/webhooks/stripe"
            )
            with self.killer:
                self._buy()
                self._what_becomes_of_it()
            self._end_of_delivery()
            lost = self._a_lost_letter()
            before = [words for words in self._judge() if lost in words]
            self._reconcile(self.size.kills_of_runs)
            self._next_morning()
            self._reconcile(self.size.kills_of_runs - 1)
            # What finance wrote down of a run that was killed is compared once more.
            self._reconcile(0)
            return Soaked(self.seed, before, self._wrong(), self._figures())
        finally:
            with self.app.app_context():
                db.session.remove()
                db.engine.dispose()

    def _a_lost_letter(self) -> str:
        """An order that is paid, of which no webhook ever tells: only reconciliation can heal it.

        The last of all, since the clock asks for a reconciliation too, once an hour.
        """
        self._deliver("never")
        self.shoppers.buy([Way.CARD], at_once=1)
        return self.shoppers.sales[-1].number

    def _deliver(self, manner: str, **how: Any) -> None:
        self.fake.tell("delivery", manner=manner, **how)

    def _buy(self) -> None:
        ways = (DECK * (1 + self.size.orders // len(DECK)))[: self.size.orders - 1]
        self.chance.shuffle(ways)
        self.shoppers.buy(ways)
        for way, lives in LATER_LIFE.items():
            for number, sale in enumerate(self.shoppers.of(way)):
                sale.life = lives[number % len(lives)]

    def _what_becomes_of_it(self) -> None:
        """Money comes later, or never; time runs out; finance gives back; banks take back; payouts."""
        of, tell = self.shoppers.of, self.fake.tell
        acts: list[Callable[[], Any]] = [
            *(lambda s=s: tell("settle", session=s.pages[0], outcome="succeeded") for s in of(Way.LATER)),
            *(
                lambda s=s: tell("settle", session=s.pages[0], outcome="failed")
                for s in of(Way.STAYS_AWAY, Way.PAYS_AGAIN)
            ),
            *(lambda s=s: self.finance.lives_on(s) for s in of(*LATER_LIFE)),
            lambda: self.finance.pay_out("arrives"),
            lambda: self.finance.pay_out("fails"),
        ]
        self.chance.shuffle(acts)
        for act in acts:
            act()
            time.sleep(self.chance.uniform(0, 2 * self.size.spread / len(acts)))
        client = Client(self.shop.address)
        for sale in of(Way.PAYS_AGAIN):
            sale.pages.append(self.shoppers.new_page(client, sale))
            tell("pay", session=sale.pages[-1], method="card")
        self._time_runs_out()
        self.finance.goods_are_gone(of(Way.TOO_LATE))
        for sale in of(Way.AFTER_EXPIRY, Way.TOO_LATE):
            tell("settle", session=sale.pages[0], outcome="succeeded")
        self.finance.refunds_arrive(self.shoppers.sales)

    def _time_runs_out(self) -> None:
        """Holds and pages end, and whoever looks for them is killed like any other job."""
        numbers = [sale.number for sale in self.shoppers.of(*RUN_OUT)]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(psycopg.Error, NotRunning), self.shop.owner() as connection:
                # Also those of whom the shop has heard meanwhile that money is on its way.
                connection.execute(
                    "UPDATE payments SET expires_at = now() - interval '4 days' WHERE order_id IN"
                    " (SELECT id FROM orders WHERE number = ANY (%s))", [numbers],
                )  # fmt: skip
                connection.execute(
                    "UPDATE orders SET expires_at = now() - interval '1 second' WHERE number = ANY (%s)",
                    [numbers],
                )
                with suppress(AlreadyEnqueued):
                    jobs.configure_task("orders.expire_unpaid", connection=connection).defer(timestamp=0)
                if self.size.hurry:
                    run_the_clock_ahead(connection)
                row = connection.execute(
                    "SELECT count(*) FROM orders WHERE state = 'awaiting_payment' AND number = ANY (%s)",
                    [numbers],
                ).fetchone()
                if row == (0,):
                    return
            time.sleep(1)
        self.stuck.append("orders whose time is over do not end")

    def _end_of_delivery(self) -> None:
        deadline = time.monotonic() + 120
        while self.fake.tell("deliveries")["under_way"] and time.monotonic() < deadline:
            time.sleep(0.1)
        self._settle()

    def _settle(self) -> None:
        """Until no job waits. What only reconciliation can bring to its end is looked at by the judge."""
        events = {"events wait": UNFINISHED["events wait"]}
        left = settle(self.shop, hurry=self.size.hurry, unfinished=events)
        self.stuck += [f"still on its way: {left}"] if left else []

    def _next_morning(self) -> None:
        """Finance at work, after which the provider's word on it never comes: the next run must bring it."""
        self._deliver("never")
        self.finance.write_down_payouts()
        self.finance.write_down_refunds_made_there()
        self.finance.try_what_waited()
        self._settle()
        self.finance.refunds_arrive(self.shoppers.sales)
        self._reconcile(0)
        self.finance.send_again(self.shoppers.sales)
        self._settle()
        self.finance.refunds_arrive(self.shoppers.sales)
        self.finance.pay_out("under way")

    def _reconcile(self, kills: int) -> None:
        """A run as the button asks for it; the worker is killed in its midst so many times."""
        with self.app.app_context():
            run_id = runs.ask("stripe", self.finance.first).id
            db.session.commit()
        for number in range(kills):
            # The first kill always meets it at work; how far it gets until the others is left to chance.
            step = self._in_the_midst(run_id, self.chance.randrange(len(STEPS)) if number else 0)
            if step is None:
                break
            self.killer.kill()
            self.killed_runs.append(step)
            self._until_taken_up()
        self._settle()
        with self.app.app_context():
            run = db.session.get_one(ReconciliationRun, run_id)
            if run.state != "done":
                self.stuck.append(f"reconciliation {run_id} is {run.state} at {run.step}: {run.error}")

    def _in_the_midst(self, run_id: int, goal: int) -> str | None:
        """Wait until a run is at the step `goal`, and a moment more; None when it was done before."""
        with self.app.app_context():
            while True:
                row = db.session.execute(
                    text("SELECT state, step FROM reconciliation_runs WHERE id = :id"), {"id": run_id}
                ).one()
                db.session.rollback()
                if row.state in ("done", "failed"):
                    return None
                if row.state == "running" and STEPS.index(row.step) >= goal:
                    time.sleep(self.chance.uniform(0, 0.1))
                    return str(row.step)
                time.sleep(0.005)

    def _until_taken_up(self) -> None:
        """The run's job lies with a dead worker, where the kill has met it: wait until another has begun it anew."""
        deadline = time.monotonic() + 120
        with self.shop.owner() as connection:
            begun = connection.execute(BEGUN).fetchone()
            while time.monotonic() < deadline:
                if self.size.hurry:
                    run_the_clock_ahead(connection)
                if (
                    connection.execute(AT_WORK).fetchone() == (0,)
                    or connection.execute(BEGUN).fetchone() != begun
                ):
                    return
                time.sleep(0.3)

    def _judge(self) -> list[str]:
        with self.app.app_context():
            balance = explained("stripe")
            db.session.rollback()
        with self.shop.owner() as connection:
            return judge(Theirs.of(self.fake), Ours.of(connection, balance), self.told)

    def _wrong(self) -> list[str]:
        wrong = [*self.stuck, *self.shoppers.failures, *self.finance.refused, *self._judge()]
        left = settle(self.shop, hurry=self.size.hurry, unfinished=ON_ITS_WAY)
        wrong += [f"still on its way: {left}"] if left else []
        with self.shop.owner() as connection:
            for finding in check(connection, INVARIANTS, shown=2):
                if not finding.holds:
                    wrong.append(f"{finding.invariant.name}: {finding.count}, as {finding.rows}")
            for name, count in connection.execute(FAILED_JOBS).fetchall():
                wrong.append(f"{count} jobs {name} failed")
        return wrong

    def _figures(self) -> dict[str, Any]:
        with self.shop.owner() as connection:
            one = {what: connection.execute(query).fetchone() for what, query in COUNTED.items()}  # type: ignore[call-overload]
        events = self.fake.tell("deliveries")
        names = ("dropped", "doubled", "delayed", "overtaken", "refused")
        return {
            **{what: row[0] for what, row in one.items() if row},
            "events at the provider": len(self.fake.tell("events")),
            **{f"events {name}": events.get(name, 0) for name in names},
            "kills": self.killer.kills,
            "of them in reconciliation, at": " ".join(self.killed_runs) or "none",
            **self.finance.done,
        }


#: What a run says of how far it is.
STEPS = ("events", "payments", "payouts", "lines", "heal", "days", "done")
AT_WORK = "SELECT count(*) FROM reconciliation_runs WHERE state = 'running'"
BEGUN = "SELECT max(started_at) FROM reconciliation_runs"
FAILED_JOBS = """SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'failed'
    AND task_name NOT LIKE 'jobs.%' AND task_name NOT LIKE 'catalogue.%' GROUP BY 1"""
COUNTED = {
    "orders": "SELECT count(*) FROM orders",
    "paid": "SELECT count(*) FROM orders WHERE state = 'paid'",
    "expired": "SELECT count(*) FROM orders WHERE state = 'expired'",
    "payments that pay nothing": "SELECT count(*) FROM payments WHERE state = 'succeeded' AND NOT counts",
    "entries": "SELECT count(*) FROM journal_entries",
    "events brought by reconciliation": "SELECT sum(events) FROM reconciliation_runs",
    "facts healed": "SELECT sum(healed) FROM reconciliation_runs",
}


@dataclass
class Killer:
    """SIGKILL to the worker at random moments, as long as the block lasts."""

    shop: Shop
    size: Size
    seed: int
    kills: int = 0
    _enough: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _go_on(self) -> None:
        chance = random.Random(f"{self.seed}:kills")
        while self.kills < self.size.kills and not self._enough.wait(chance.uniform(*self.size.pauses)):
            self._until_busy()
            with suppress(NotRunning):
                self.kill()

    def _until_busy(self) -> None:
        """A worker that has nothing at hand loses nothing: wait a little for one that has."""
        deadline = time.monotonic() + 3
        with self.shop.owner() as connection:
            while time.monotonic() < deadline and not self._enough.is_set():
                if connection.execute(AT_HAND).fetchone() != (0,):
                    return
                time.sleep(0.01)

    def kill(self) -> None:
        """Once, and wait until the parent has started another."""
        before = self.shop.pids("worker")
        for pid in before:
            kill(pid)
            self.kills += 1
        self.shop.wait_for("worker", before)


AT_HAND = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND task_name NOT LIKE 'jobs.%'"


def soak(folder: Path, size: Size, addresses: Mapping[str, str] | None = None) -> Soaked:
    """A soak in `folder`, on a database of its own or, where `addresses` are given, on that one, filled already."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    with fake_stripe() as fake, _shop(folder, fake, addresses) as shop:
        return Soak(shop, fake, size, seed).run()


@contextmanager
def _shop(folder: Path, fake: FakeStripe, addresses: Mapping[str, str] | None) -> Iterator[Shop]:
    given = {}
    if addresses is None:
        fill_small(folder)
    else:
        given = {"DATABASE_URL": addresses[WEB], "DATABASE_OWNER_URL": addresses[OWNER]}
    shop = Shop(folder, env={**SECRETS, **given, **fake.settings()})
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()
