"""The programme around the shop: fairs with a counter, training recorded by the facilities, quotes, marketplaces."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0008"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("What was sold at a stand is not forgotten: restore a backup instead.")
