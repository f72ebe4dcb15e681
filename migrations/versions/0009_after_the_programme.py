"""What of the programme came after it: orders collected at a stand, and lists that grow."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "0009"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def downgrade() -> None:
    raise RuntimeError("What was ordered for a stand is not forgotten: restore a backup instead.")
