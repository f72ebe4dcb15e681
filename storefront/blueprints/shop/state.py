"""Which state of the shop public pages show: one tiny statement for each request.

It goes over a connection of its own, outside any transaction (`storefront.line`). A page that is kept is answered
without a session at all.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import psycopg
import structlog
from sqlalchemy import text

from config import Settings
from storefront import replica
from storefront.catalogue.version import CatalogueVersion
from storefront.errors import Unavailable
from storefront.extensions import db
from storefront.line import Line
from storefront.sources import Source

log = structlog.get_logger("storefront.shop")

READ = """SELECT version, raised_by::text, (SELECT max(id) FROM journal_entries), (SELECT max(id) FROM operators)
            FROM catalogue_version"""
#: How far a replica has come. Asked before the state: what is read after it is at least as new.
REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
#: How long a page that was true is still shown while the database is away, in seconds.
GRACE = 60.0


class State(NamedTuple):
    """Equal states show equal pages."""

    catalogue: CatalogueVersion
    #: Id of the journal's last entry; None before the first sale.
    newest_entry: int | None
    #: Id of the last words of who runs the shop (`content.operator`).
    newest_operator: int | None


class StateReader:
    """Reads the state of the shop at one server; one for each process, safe for threads."""

    def __init__(self, settings: Settings, source: Source = Source.PRIMARY) -> None:
        is_replica = source is Source.REPLICA
        address = settings.database_replica_url if is_replica else settings.database_url
        self._line = Line(
            address or "",
            "storefront state",
            behind_pooler=settings.behind_pooler,
            connect_timeout=2 if is_replica else 5,
            opened=watched.knows if is_replica and (watched := replica.watch()) else lambda connection: None,
        )
        self._last: tuple[State, float] | None = None

    def read(self) -> State:
        """The state now. Raises Unavailable when the database does not answer."""
        state = _state(self._ask(READ))
        self._last = state, time.monotonic()
        return state

    def replayed(self) -> str | None:
        """How far a replica has come. Raises Unavailable."""
        found: str | None = self._ask(REPLAYED)[0]
        return found

    def last(self) -> State | None:
        """What was so less than a minute ago, for while the database is away."""
        if self._last is None or time.monotonic() - self._last[1] > GRACE:
            return None
        return self._last[0]

    def _ask(self, question: str) -> tuple[Any, ...]:
        try:
            return self._line.ask(question)
        except psycopg.Error as error:
            log.error("state of the shop unknown", error=type(error).__name__)
            raise Unavailable() from error


def state_of_session() -> State:
    """The state on the session's own connection: what it reads afterwards is at least as new."""
    return _state(db.session.execute(text(READ)).one())


def _state(row: Any) -> State:
    return State(CatalogueVersion(row[0], row[1]), row[2], row[3])
