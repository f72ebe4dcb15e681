"""What shoppers find, ask, say and keep: search, places, pages, voices, accounts, training."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0005"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("What shoppers wrote is not thrown away: restore a backup instead.")
