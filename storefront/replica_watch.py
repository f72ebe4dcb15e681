"""How far behind its primary the replica is, as one process sees it."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import structlog

from config import Settings
from storefront.errors import Unavailable
from storefront.line import Line

log = structlog.get_logger("storefront.replica")

#: A replica that is further behind than this is not read from, in seconds.
MOST_BEHIND = 30.0
#: How often each process looks, and after how long without an answer it no longer relies on the last one.
EVERY, SILENT = 1.0, 5.0
#: How often a fault that lasts is logged.
SAY_EVERY = 60.0

#: What is flushed can be sent; what a transaction has committed is flushed.
WRITTEN = "SELECT pg_current_wal_flush_lsn()::text"
#: A server that replays nothing is no replica of ours, or one no longer: it must not be read from.
REPLAYED = """SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text,
                     extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float"""


@dataclass(frozen=True)
class Condition:
    """How the replica is. `word`: ok, behind, away, not_a_replica. `behind`: seconds; None when it does not say."""

    word: str
    behind: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it may be read from."""
        return self.word == "ok"


class Watch:
    """How far behind the replica is, as one process sees it; safe for threads.

    Each second it notes how far the primary's log has come and how far the replica has replayed it. The oldest note
    that the replica has not reached says how far it is behind: by this process's clock alone, and true as well for a
    replica that no longer hears of its primary. While the primary is away nothing new is written, so the notes stand.
    """

    def __init__(self, settings: Settings) -> None:
        pooled = settings.behind_pooler
        self.primary = Line(settings.database_url or "", "storefront watch", behind_pooler=pooled)
        self._replica = Line(
            settings.database_replica_url or "",
            "storefront watch",
            behind_pooler=pooled,
            connect_timeout=2,
            opened=self.knows,
        )
        #: Every open connection of this process to the replica.
        self._connections: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()
        #: How far the primary's log had come, and when; only what the replica has not reached.
        self._notes: deque[tuple[int, float]] = deque()
        self._furthest = 0
        self._condition = Condition("away")
        self._looked_at = -SILENT
        self._said_at = -SAY_EVERY
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ends = threading.Event()

    def condition(self) -> Condition:
        """As it was at the last look; the first asking begins to look."""
        if not self._threads:
            self._begin()
        return Condition("away") if self._is_silent() else self._condition

    def knows(self, connection: psycopg.Connection, *_: object) -> None:
        """`connection` to the replica was opened: it is cut off should the replica fall silent."""
        self._connections.add(connection)

    def look(self) -> Condition:
        """Look now."""
        with self._lock:
            found = self._look()
            self._condition, self._looked_at = found, time.monotonic()
            self._say(found)
            return found

    def failed(self) -> None:
        """Somebody could not read from it: not used until the next look finds it well."""
        self._condition = Condition("away")

    def comes_up(self, seconds: float) -> bool:
        """Whether the replica comes, within so many seconds, to where the primary's log is now."""
        try:
            mark, deadline = self.primary.ask(WRITTEN)[0], time.monotonic() + seconds
            while True:
                is_replica, replayed, _age = self._replica.ask(REPLAYED)
                if not is_replica or has_reached(mark, replayed):
                    return bool(is_replica)
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.1)
        except (psycopg.Error, Unavailable):
            return False

    def close(self) -> None:
        """Look no more, and let go of the connections."""
        self._ends.set()
        for thread in self._threads:
            thread.join(SILENT)
        self.primary.close()
        self._replica.close()

    def _begin(self) -> None:
        with self._lock:
            if self._threads:
                return
            for work in (self._go_on, self._guard):
                self._threads.append(threading.Thread(target=work, name="replica watch", daemon=True))
        self.look()
        for thread in self._threads:
            thread.start()

    def _go_on(self) -> None:
        while not self._ends.wait(EVERY):
            try:
                self.look()
            except Exception as error:  # a watch that ends would leave the replica unused for ever
                log.error("replica watch failed", error=type(error).__name__, exc_info=error)

    def _is_silent(self) -> bool:
        return time.monotonic() - self._looked_at > SILENT

    def _guard(self) -> None:
        """A server that is frozen keeps its connections and never answers: whoever waits for it would wait for ever."""
        while not self._ends.wait(EVERY):
            if self._is_silent():
                for connection in list(self._connections):
                    _cut(connection)

    def _look(self) -> Condition:
        written = None
        try:
            written, at = _number(self.primary.ask(WRITTEN)[0]), time.monotonic()
        except (psycopg.Error, Unavailable):
            at = time.monotonic()
        try:
            is_replica, replayed, age = self._replica.ask(REPLAYED)
        except (psycopg.Error, Unavailable):
            return Condition("away")
        if not is_replica or replayed is None:
            return Condition("not_a_replica")
        reached = _number(replayed)
        if written is not None and written > max(self._furthest, reached):
            # The first note of a process: the replica's own clock says since when it has been behind.
            first = not self._furthest and age is not None
            if len(self._notes) < 10_000:
                self._notes.append((written, at - max(0.0, age) if first else at))
        self._furthest = max(self._furthest, written or 0)
        while self._notes and self._notes[0][0] <= reached:
            self._notes.popleft()
        behind = time.monotonic() - self._notes[0][1] if self._notes else 0.0
        return Condition("ok" if behind <= MOST_BEHIND else "behind", behind)

    def _say(self, found: Condition) -> None:
        if found.is_good:
            if self._said_at > 0:
                log.info("replica is read from again")
                self._said_at = -SAY_EVERY
        elif time.monotonic() - self._said_at >= SAY_EVERY:
            log.warning("replica is not read from", condition=found.word, behind=found.behind)
            self._said_at = time.monotonic()


def _cut(connection: psycopg.Connection) -> None:
    """End a connection from outside: the thread that waits on it is told that it was lost."""
    with suppress(OSError, psycopg.Error):
        if not connection.closed:
            with socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def has_reached(mark: str | None, replayed: str | None) -> bool:
    """Whether a log replayed up to `replayed` has come to `mark`."""
    return mark is None or (replayed is not None and _number(replayed) >= _number(mark))


def _number(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
