"""Tables without their guards, for writing millions of rows that are checked as a whole afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

REFERENCES = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
     WHERE contype = 'f' AND conrelid = ANY (%s::regclass[]) ORDER BY conrelid::regclass::text, conname"""


#: Indexes that no constraint rests on.
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
     WHERE indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY 1"""


@contextmanager
def bare(connection: psycopg.Connection[Any], tables: Iterable[str]) -> Iterator[None]:
    """Within, `tables` have no triggers, no references and fewer indexes; in one transaction, as their owner.

    What looks at each row, or is kept in order row by row, costs more than the row. At the end the database checks
    every reference again and builds every index anew, table by table. What the triggers hold (balances, sums,
    closed months) `flask verify` must prove. Commit soon: of a table that the transaction had updated, a new index
    is of no use before (`indcheckxmin`).
    """
    names = sorted(tables)
    # Whatever waits for the commit is checked now: no table with such events can be altered.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    references = connection.execute(REFERENCES, (names,)).fetchall()
    for table, name, _definition in references:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    indexes = connection.execute(INDEXES, (names,)).fetchall()
    for name, _definition in indexes:
        connection.execute(f"DROP INDEX {name}")
    for table in names:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for _name, definition in indexes:
        connection.execute(definition)
    for table in names:
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, name, definition in references:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
