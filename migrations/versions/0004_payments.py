"""Payments: real providers, the bank's files, bank transfer, events that wait, payments on hold, reconciliation."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0004"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("What providers and banks said is not unsaid: restore a backup instead.")
