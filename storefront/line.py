"""One connection of a process for tiny questions: outside any transaction, opened anew when it was lost.

One round trip for each, where the session's pool would make five (is the connection alive? BEGIN, the statement,
ROLLBACK, reset).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from storefront.errors import Unavailable

#: How long a question waits for its turn, in seconds.
PATIENCE = 5.0


class Line:
    """A connection to one server; safe for threads."""

    def __init__(
        self,
        address: str,
        name: str,
        *,
        behind_pooler: bool = False,
        connect_timeout: int = 5,
        opened: Callable[[psycopg.Connection], object] = lambda connection: None,
    ) -> None:
        """`name` is what the server's lists call it; `opened` is told of each connection."""
        self._address, self._opened = address, opened
        # The timeout is for a server that vanished without a word: no answer to what was sent for so long.
        self._options: dict[str, Any] = {
            "connect_timeout": connect_timeout,
            "application_name": name,
            "prepare_threshold": None if behind_pooler else 5,
            "tcp_user_timeout": connect_timeout * 1000,
        }
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()

    def ask(self, question: str) -> tuple[Any, ...]:
        """The one row that answers `question`. Raises psycopg.Error; Unavailable when others wait too long already."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Unavailable()
        try:
            return self._ask(question)
        finally:
            self._lock.release()

    def _ask(self, question: str) -> tuple[Any, ...]:
        if self._connection is not None:
            try:
                return _row(self._connection, question)
            except psycopg.OperationalError:
                # The server was restarted, or a pooler let go of us: once more on a fresh connection.
                self._connection.close()
                self._connection = None
        self._connection = psycopg.connect(self._address, autocommit=True, **self._options)
        self._opened(self._connection)
        return _row(self._connection, question)

    def close(self) -> None:
        """Let go of the connection; another question opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _row(connection: psycopg.Connection, question: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(question).fetchone()
    assert row is not None  # each of these questions has one answer
    return row
