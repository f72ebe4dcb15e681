"""Tables without their guards, for writing millions of rows that are checked as a whole afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

REFERENCES = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
     WHERE contype = 'f' AND conrelid = ANY (%s::regclass[]) ORDER BY conrelid::regclass::text, conname"""


@contextmanager
def bare(connection: psycopg.Connection[Any], tables: Iterable[str]) -> Iterator[None]:
    """Within, triggers of `tables` are off and what they refer to is not checked; in one transaction, as their owner.

    A trigger or a reference that looks at each row costs more than the row. At the end the database checks
    every reference again, table by table. What the triggers hold (balances, sums, closed months) `flask
    verify` must prove.
    """
    names = sorted(tables)
    # Whatever waits for the commit is checked now: no table with such events can be altered.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    references = connection.execute(REFERENCES, (names,)).fetchall()
    for table, name, _definition in references:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table in names:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in names:
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, name, definition in references:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
