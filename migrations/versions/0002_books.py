"""The books: refunds by line, fees, payouts, disputes, settlements, deposits, distributions, closed months.

The shop of the revision before may go on selling while this runs. What takes long with many rows (every posting is
given its accounting day, large tables get indexes) comes first, in steps that hold no table for long; cut off, they
go on where they stopped. The rest is one short transaction.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0002"
#: Postings that are given their day at once.
BATCH = 20_000
#: Longest that a step waits for a table, since whoever comes after it waits too; `db upgrade -x lock_timeout=1min`.
LOCK_TIMEOUT = "10s"


def upgrade() -> None:
    patience = context.get_x_argument(as_dictionary=True).get("lock_timeout", LOCK_TIMEOUT)
    with op.get_context().autocommit_block():
        _while_selling(op.get_bind().connection.driver_connection, patience)
    connection = op.get_bind().connection.driver_connection
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (patience,))
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("Money that was booked is not unbooked: restore a backup instead.")


def _while_selling(connection: Any, patience: str) -> None:
    """Each call is a transaction of its own, and may be run again."""
    steps = SQL / "while_selling"
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (patience,))
    connection.execute((steps / "1_column.sql").read_text(encoding="utf-8"))
    fill = (steps / "2_fill.sql").read_text(encoding="utf-8")
    for after, upto in _batches(connection):
        connection.execute(fill, {"after": after, "upto": upto})
    connection.execute("ALTER TABLE postings DROP CONSTRAINT IF EXISTS postings_day_known")
    connection.execute(
        "ALTER TABLE postings ADD CONSTRAINT postings_day_known CHECK (effective_date IS NOT NULL) NOT VALID"
    )
    connection.execute("ALTER TABLE postings VALIDATE CONSTRAINT postings_day_known")
    connection.execute((steps / "3_known.sql").read_text(encoding="utf-8"))
    # What follows only waits for others; nobody waits for it.
    connection.execute("SET lock_timeout = 0")
    connection.execute("VACUUM (ANALYZE) postings")
    for statement in (steps / "4_indexes.sql").read_text(encoding="utf-8").split(";\n"):
        if found := re.search(r"CONCURRENTLY (\w+)", statement):
            # One that a try before this left half built.
            connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {found[1]}")
            connection.execute(statement)
    connection.execute("RESET lock_timeout")


def _batches(connection: Any) -> Iterator[tuple[int, int]]:
    """Ids of the postings that have no day yet; those that come meanwhile bring theirs."""
    first, last = connection.execute(
        "SELECT COALESCE(min(id), 0), COALESCE(max(id), 0) FROM postings WHERE effective_date IS NULL"
    ).fetchone()
    for after in range(first - 1, last, BATCH):
        yield after, min(after + BATCH, last)
