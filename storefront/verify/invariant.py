"""What an invariant is, and how it is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

#: Rows shown of each broken invariant; all are counted.
SHOWN = 20
#: Longest that anything may stay in a passing state beyond its time, as SQL.
GRACE = "interval '15 minutes'"


@dataclass(frozen=True)
class Invariant:
    """A promise and the query whose rows break it; no row means that it holds."""

    name: str
    #: Number of the promise in the product's list of ten.
    number: int
    promise: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows break the invariant, and the first of them."""

    invariant: Invariant
    count: int
    rows: tuple[dict[str, Any], ...]

    @property
    def holds(self) -> bool:
        return self.count == 0


def check(
    connection: psycopg.Connection[Any], invariants: Iterable[Invariant], shown: int = SHOWN
) -> list[Finding]:
    """Check each of `invariants` in the connection's transaction."""
    return [_check_one(connection, invariant, shown) for invariant in invariants]


def _check_one(connection: psycopg.Connection[Any], invariant: Invariant, shown: int) -> Finding:
    # The queries are ours alone; nothing from outside enters them.
    query = f"SELECT *, count(*) OVER () AS rows_in_all FROM ({invariant.sql}) AS broken LIMIT {shown:d}"  # noqa: S608
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    count = rows[0]["rows_in_all"] if rows else 0
    return Finding(
        invariant, count, tuple({k: v for k, v in row.items() if k != "rows_in_all"} for row in rows)
    )
