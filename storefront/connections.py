"""The database connections of the web and of jobs."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus


class Connection(psycopg.Connection[Any]):
    """A psycopg connection that keeps its prepared statements over a rollback that undoes no failure.

    Each request ends its last, reading transaction by ROLLBACK. psycopg then forgets every prepared statement,
    in case tables were dropped in it, and PostgreSQL would plan each query anew for each request. After an error
    they are forgotten as before.
    """

    def _rollback_gen(self) -> Generator[Any, Any, None]:
        healthy = self.pgconn.transaction_status == TransactionStatus.INTRANS
        if healthy and not self._num_transactions and not self._tpc and not self._pipeline:
            yield from self._exec_command(b"ROLLBACK")
        else:
            yield from super()._rollback_gen()
