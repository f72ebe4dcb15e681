"""The books: refunds by line, fees, payouts, disputes, settlements, deposits, distributions, closed months."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0002"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("Money that was booked is not unbooked: restore a backup instead.")
