"""The job queue: the schema of procrastinate 3.10, as its `get_schema()` gave it."""

from pathlib import Path

from alembic import op

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0000_procrastinate.sql"


def upgrade() -> None:
    # The driver's own connection takes many statements at once and leaves `%` alone.
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("The first schema has nothing to go back to: restore a backup instead.")
