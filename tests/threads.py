"""Many calls at the same moment."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import psycopg

Answer = TypeVar("Answer")


def at_once(calls: list[Callable[[], Answer]]) -> list[Answer | Exception]:
    """Start all `calls` together, each in a thread and context of its own; what each gave or raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer | Exception:
        start.wait(timeout=30)
        try:
            return contextvars.Context().run(call)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def while_held(superuser: str, lock: str, calls: list[Callable[[], Answer]]) -> list[Answer | Exception]:
    """Run all `calls` while a row that they need is held by `lock` (SQL), let go once all of them wait for it.

    So their transactions overlap for certain, whatever the machine does. `superuser`: libpq address of somebody who
    sees everybody's waits.
    """
    waiting = """SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""

    def run(call: Callable[[], Answer]) -> Answer | Exception:
        try:
            return contextvars.Context().run(call)
        except Exception as error:
            return error

    with psycopg.connect(superuser) as holder, ThreadPoolExecutor(len(calls)) as threads:
        holder.execute(lock)
        running = [threads.submit(run, call) for call in calls]
        deadline = time.monotonic() + 30
        with psycopg.connect(superuser, autocommit=True) as watch:
            while watch.execute(waiting).fetchone() != (len(calls),):
                assert time.monotonic() < deadline, "they never waited for it"
        holder.commit()
        return [one.result() for one in running]
