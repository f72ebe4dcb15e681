"""`make drill`: every fault against a running shop, then the crash points and a long random walk.

`python -m tests.drills [name …]` runs some of them, `--list` names them. Each prints one row; all rows are
written to bench/results/drill.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from storefront.embedded import OWNER, WEB, Server
from tests.drills import faults
from tests.drills.judge import faults_of, settle
from tests.drills.proxy import Proxy
from tests.drills.replica_drill import behind_and_gone, shop_with_replica
from tests.drills.running_shop import PROJECT, NotRunning, Shop, fill_small
from tests.drills.shoppers import Crowd
from tests.drills.soak import LONG, soak

RESULTS = PROJECT / "bench" / "results" / "drill.json"
SKUS = ["DRA-1", "DRB-1", "DRA-2", "DRB-2"]


@dataclass(frozen=True)
class Row:
    """What became of one drill."""

    drill: str
    happened: str
    verdict: str
    seconds: float
    purchases: int = 0
    asked_again: int = 0


#: Faults of a shop with its own database, in the order in which they are drilled.
OWN_DATABASE: dict[str, faults.Fault] = {
    "kill-web-worker": faults.kill_one("web"),
    "kill-web-master": faults.kill_one("master"),
    "kill-job-worker": faults.kill_one("worker"),
    "kill-database": faults.kill_one("database"),
    "kill-database-process": faults.kill_a_backend,
    "kill-parent": faults.kill_the_parent,
    "sigterm-in-flight": faults.stop_in_flight,
    "freeze-worker": faults.freeze_a_worker,
    "events-in-disorder": faults.events_in_disorder,
}
#: Faults that need something between the shop and its database.
BEHIND_PROXY: dict[str, Callable[[Proxy], faults.Fault]] = {
    "database-gone": lambda proxy: faults.database_gone(proxy, 30),
    "commit-cut": lambda proxy: faults.commits_cut(proxy, 20),
}
#: Drills that are tests, in their long form.
AS_TESTS = {
    "crash-points": ("tests/db/test_crash_points.py", {}),
    "random-walk": ("tests/property/test_random_walk.py", {"WALK_STEPS": "1000"}),
    "books-machine": ("tests/property/test_books_machine.py", {"BOOKS_EXAMPLES": "10", "BOOKS_STEPS": "150"}),
}


class Series:
    """Drills one after another against the same shop, which must come through all of them."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.crowds: list[Crowd] = []

    def drill(self, name: str, fault: faults.Fault, *, hurry: bool = False, after: int = 5) -> Row:
        """One fault in the middle of purchases, then everything must come to a good end."""
        begun = time.monotonic()
        crowd = Crowd(self.shop.address, SKUS).start()
        self.crowds.append(crowd)
        wrong: list[str] = []
        happened = ""
        try:
            crowd.wait_for(5)
            happened = fault(self.shop, crowd)
            crowd.wait_for(after)
        except (faults.NotAsPromised, NotRunning, OSError) as error:
            wrong.append(str(error))
        finally:
            crowd.finish()
        left = settle(self.shop, hurry=hurry)
        wrong += [f"still on its way: {left}"] if left else []
        wrong += faults_of(self.shop, self.crowds) if self.shop.answers() else ["the shop does not answer"]
        verdict = "nothing lost, nothing twice" if not wrong else "BROKEN: " + "; ".join(wrong)
        seconds = time.monotonic() - begun
        return Row(name, happened, verdict, round(seconds, 1), len(crowd.purchases), crowd.failures)

    def verify(self) -> Row:
        """The shop's own command has the last word."""
        begun = time.monotonic()
        done = self.shop.command("verify")
        last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
        verdict = "clean" if done.returncode == 0 else f"BROKEN: {done.stdout[-2000:]}"
        return Row("flask-verify", "".join(last), verdict, round(time.monotonic() - begun, 1))


@contextmanager
def shop_with_own_database(folder: Path) -> Iterator[Shop]:
    """A small shop under its parent, database and all."""
    fill_small(folder)
    shop = Shop(folder)
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()


@contextmanager
def shop_behind_proxy(folder: Path) -> Iterator[tuple[Shop, Proxy]]:
    """A small shop whose database is given to it, behind a proxy."""
    fill_small(folder)
    server = Server(folder)
    server.start()
    proxy = Proxy(server.port)
    addresses = server.addresses()
    web = addresses[WEB].replace(f":{server.port}/", f":{proxy.port}/")
    shop = Shop(folder, env={"DATABASE_URL": web, "DATABASE_OWNER_URL": addresses[OWNER]})
    try:
        shop.start()
        yield shop, proxy
    finally:
        shop.stop()
        proxy.close()
        server.stop()


def payments_soak(folder: Path) -> Row:
    """Five hundred orders through a payment provider whose news cannot be relied on."""
    begun = time.monotonic()
    came_to = soak(folder, LONG)
    wrong = came_to.wrong if came_to.before else ["nothing was wrong before reconciliation", *came_to.wrong]
    verdict = "nothing lost, nothing twice" if not wrong else "BROKEN: " + "; ".join(wrong[:20])
    seconds = round(time.monotonic() - begun, 1)
    return Row("payments-soak", came_to.words(), verdict, seconds, came_to.figures["orders"])


def replica_behind(folder: Path) -> Row:
    """A shop that reads from a replica five seconds behind, which then dies and comes back."""
    with shop_with_replica(folder) as (shop, follower):
        return Series(shop).drill("replica-behind", behind_and_gone(follower))


#: Drills with a shop that is prepared in a way of its own.
ALONE: dict[str, Callable[[Path], Row]] = {"replica-behind": replica_behind, "payments-soak": payments_soak}


def as_test(name: str) -> Row:
    """A drill that is a test, run by pytest."""
    path, more = AS_TESTS[name]
    seeds = " ".join(str(random.SystemRandom().randrange(10**6)) for _ in range(3))
    begun = time.monotonic()
    environment = {**os.environ, "WALK_SEEDS": os.environ.get("WALK_SEEDS", seeds), **more}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", path],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )
    summary = done.stdout.strip().splitlines()[-1:] or [done.stderr[-500:]]
    happened = re.sub(r" in .*", "", summary[0])
    if "random" in name:
        happened += f", seeds {environment['WALK_SEEDS']}, {more['WALK_STEPS']} steps each"
    broken = "\n".join(line for line in done.stdout.splitlines() if line.startswith("E  "))[:2000]
    verdict = "nothing lost, nothing twice" if done.returncode == 0 else f"BROKEN: {broken or summary[0]}"
    return Row(name, happened, verdict, round(time.monotonic() - begun, 1))


def rows(chosen: list[str]) -> Iterator[Row]:
    """Run the chosen drills; each row comes as soon as it is known."""
    folder = Path(tempfile.mkdtemp(prefix="storefront-drill-"))
    try:
        own = [name for name in OWN_DATABASE if name in chosen]
        if own:
            with shop_with_own_database(folder / "own") as shop:
                series = Series(shop)
                for name in own:
                    yield series.drill(name, OWN_DATABASE[name])
                yield series.verify()
        proxied = [name for name in BEHIND_PROXY if name in chosen]
        if proxied:
            with shop_behind_proxy(folder / "proxied") as (shop, proxy):
                series = Series(shop)
                for name in proxied:
                    yield series.drill(name, BEHIND_PROXY[name](proxy))
                yield series.verify()
        yield from (ALONE[name](folder / name) for name in ALONE if name in chosen)
        yield from (as_test(name) for name in AS_TESTS if name in chosen)
    finally:
        if not os.environ.get("KEEP_DRILL"):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """0 when every drill ended well."""
    names = [*OWN_DATABASE, *BEHIND_PROXY, *ALONE, *AS_TESTS]
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*names, []], help="which drills; all unless named")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(names))
        return 0
    found: list[Row] = []
    with suppress(KeyboardInterrupt):
        for row in rows(arguments.names or names):
            found.append(row)
            print(f"{row.drill:<22} {row.seconds:>6.1f} s  {row.happened}", flush=True)
            counted = (
                f"{row.purchases} purchases, {row.asked_again} requests asked again; "
                if row.purchases
                else ""
            )
            print(f"{'':<22} {'':>8}  {counted}{row.verdict}", flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(row) for row in found], ensure_ascii=False, indent=2) + "\n")
    bad = sum(row.verdict.startswith("BROKEN") for row in found)
    print(f"\n{len(found)} drills, {bad} broken" if bad else f"\n{len(found)} drills, all came to a good end")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
