"""Names of their time: a sale keeps its category and region, and what was renamed keeps its former name.

The shop of the revision before may go on selling while this runs, as with the revision before (`0002_books.py`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0003"
#: Lines that are filled in at once.
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
    raise RuntimeError("What was written down with a sale is not forgotten: restore a backup instead.")


def _while_selling(connection: Any, patience: str) -> None:
    """Each call is a transaction of its own, and may be run again."""
    steps = SQL / "while_selling"
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (patience,))
    connection.execute((steps / "1_columns.sql").read_text(encoding="utf-8"))
    fill = (steps / "2_fill.sql").read_text(encoding="utf-8")
    for after, upto in _batches(connection):
        connection.execute(fill, {"after": after, "upto": upto})
    connection.execute("ALTER TABLE order_lines DROP CONSTRAINT IF EXISTS order_lines_place_known")
    connection.execute(
        "ALTER TABLE order_lines ADD CONSTRAINT order_lines_place_known"
        " CHECK (category_id IS NOT NULL AND regional_office IS NOT NULL) NOT VALID"
    )
    connection.execute("ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_place_known")
    connection.execute((steps / "3_known.sql").read_text(encoding="utf-8"))
    # What follows only waits for others; nobody waits for it.
    connection.execute("SET lock_timeout = 0")
    connection.execute("VACUUM (ANALYZE) order_lines")
    connection.execute("RESET lock_timeout")


def _batches(connection: Any) -> Iterator[tuple[int, int]]:
    """Ids of the lines that are not filled in yet; those that are sold meanwhile bring theirs."""
    first, last = connection.execute(
        "SELECT COALESCE(min(id), 0), COALESCE(max(id), 0) FROM order_lines WHERE category_id IS NULL"
    ).fetchone()
    for after in range(first - 1, last, BATCH):
        yield after, min(after + BATCH, last)
