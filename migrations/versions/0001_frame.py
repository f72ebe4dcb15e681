"""The frame: people, facilities, catalogue, stock, shipping, ledger, orders, payments, reporting.

The SQL stands in migrations/sql/0001, one file for each room of the house, run in the order of their names.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = "0000"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0001"


def upgrade() -> None:
    # The driver's own connection takes many statements at once and leaves `%` alone.
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("The first schema has nothing to go back to: restore a backup instead.")
