"""After a drill: let everything come to its end, then say what was lost or done twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg
from procrastinate.exceptions import AlreadyEnqueued

from storefront.extensions import jobs
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.drills.promises import UNFINISHED, unfinished
from tests.drills.running_shop import NotRunning, Shop
from tests.drills.shoppers import Crowd

#: Found by their workers' heartbeats after 30 s, tried again with growing pauses.
SETTLE_SECONDS = 240.0
BUSINESS_JOBS = """SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
    AND task_name NOT LIKE 'jobs.%' AND task_name NOT LIKE 'catalogue.%'"""


def settle(shop: Shop, *, hurry: bool = False, unfinished: Mapping[str, str] = UNFINISHED) -> str:
    """Wait until nothing is on its way; returns what still is after a long time, else an empty string.

    `hurry` lets the clock of heartbeats and retries run ahead, so that a short test need not wait for it.
    `unfinished` are the queries that count what is on its way, by what it is.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    left: Any = "the database does not answer"
    while time.monotonic() < deadline:
        try:
            with shop.owner() as connection:
                left = _left(connection, unfinished)
                if not left:
                    return ""
                if hurry:
                    run_the_clock_ahead(connection)
        except (psycopg.Error, NotRunning) as error:
            left = str(error)
        time.sleep(1)
    return str(left)


def _left(connection: psycopg.Connection[Any], queries: Mapping[str, str]) -> dict[str, int]:
    left = unfinished(connection, queries)
    row = connection.execute(BUSINESS_JOBS).fetchone()
    if row and row[0]:
        left["jobs wait"] = row[0]
    return left


def run_the_clock_ahead(connection: psycopg.Connection[Any]) -> None:
    """Let workers that died be found dead, and let waiting retries be due, now instead of in a while."""
    connection.execute(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
        " WHERE last_heartbeat < now() - interval '7 seconds'"
    )
    connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()")
    with suppress(AlreadyEnqueued):
        jobs.configure_task("jobs.retry_stalled", connection=connection).defer(timestamp=0)


def faults_of(shop: Shop, crowds: list[Crowd]) -> list[str]:
    """What is wrong after all has settled; empty when nothing was lost and nothing happened twice.

    `crowds` are all who ever bought in this shop.
    """
    wrong = [f"gave up: {words}" for crowd in crowds for words in crowd.gave_up[:3]]
    wrong += [f"refused: {answer.json}" for crowd in crowds for answer in crowd.refused[:3]]
    known = {purchase.number for crowd in crowds for purchase in crowd.purchases}
    with shop.owner() as connection:
        states = dict(connection.execute("SELECT number, state FROM orders").fetchall())
        for finding in check(connection, INVARIANTS, shown=2):
            if not finding.holds:
                wrong.append(f"{finding.invariant.name}: {finding.count}, as {finding.rows}")
    unpaid = [number for number in known if states.get(number) != "paid"]
    if unpaid:
        wrong.append(f"{len(unpaid)} orders that were paid for are not paid: {unpaid[:3]}")
    unknown = states.keys() - known
    if unknown:
        wrong.append(f"{len(unknown)} orders that nobody was told of: {sorted(unknown)[:3]}")
    return wrong
