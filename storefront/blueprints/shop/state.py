"""Which state of the shop public pages show: one tiny statement for each request.

It goes over a connection of its own, outside any transaction: one round trip, where the session's pool would
make five (is the connection alive? BEGIN, the statement, ROLLBACK, reset). A page that is kept is answered
without a session at all.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

import psycopg
import structlog

from config import Settings
from storefront.catalogue.version import CatalogueVersion
from storefront.errors import Unavailable

log = structlog.get_logger("storefront.shop")

READ = """SELECT version, raised_by::text, (SELECT max(id) FROM journal_entries), (SELECT max(id) FROM operators)
            FROM catalogue_version"""
#: How long a page that was true is still shown while the database is away, in seconds.
GRACE = 60.0
#: How long a request waits for its turn, in seconds.
PATIENCE = 5.0


class State(NamedTuple):
    """Equal states show equal pages."""

    catalogue: CatalogueVersion
    #: Id of the journal's last entry; None before the first sale.
    newest_entry: int | None
    #: Id of the last words of who runs the shop (`content.operator`).
    newest_operator: int | None


class StateReader:
    """Reads the state of the shop; one for each process, safe for threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._last: tuple[State, float] | None = None

    def read(self) -> State:
        """The state now. Raises Unavailable when the database does not answer."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable()
        try:
            state = self._read()
            self._last = state, time.monotonic()
            return state
        except psycopg.Error as error:
            log.error("state of the shop unknown", error=type(error).__name__)
            raise Unavailable() from error
        finally:
            self._lock.release()

    def last(self) -> State | None:
        """What was so less than a minute ago, for while the database is away."""
        if self._last is None or time.monotonic() - self._last[1] > GRACE:
            return None
        return self._last[0]

    def _read(self) -> State:
        if self._connection is not None:
            try:
                return self._ask(self._connection)
            except psycopg.OperationalError:
                # The server was restarted, or a pooler let go of us: once more on a fresh connection.
                self._connection.close()
        self._connection = psycopg.connect(
            self._settings.database_url or "",
            autocommit=True,
            connect_timeout=5,
            application_name="storefront state",
            prepare_threshold=None if self._settings.behind_pooler else 5,
        )
        return self._ask(self._connection)

    def _ask(self, connection: psycopg.Connection) -> State:
        row = connection.execute(READ).fetchone()
        assert row is not None  # a CHECK and the migration keep exactly one row there
        return State(CatalogueVersion(row[0], row[1]), row[2], row[3])
