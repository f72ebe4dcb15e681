"""The models mirror the schema that the migrations make."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storefront.extensions import db

#: Tables that belong to Alembic and procrastinate.
FOREIGN = ("alembic_version", "procrastinate_")


def test_every_table_and_column_has_its_model(db_session: Session) -> None:
    connection = db_session.connection()
    schema = sa.inspect(connection)
    tables = {name for name in schema.get_table_names() if not name.startswith(FOREIGN)}
    models = db.metadata.tables
    transitions = {
        f"{kind}_transitions"
        for kind in ("order", "parcel", "payment", "refund", "books", "bank_line", "bank_return", "facility_transfer",
                         "quote")
    }
    assert tables - set(models) == transitions, "read by triggers alone"
    assert set(models) <= tables
    differences: list[object] = []
    for name, model in models.items():
        # Which transaction wrote a row is the database's own business.
        columns = {c["name"]: c for c in schema.get_columns(name) if not str(c["type"]).startswith("NULL")}
        if differing := set(columns) ^ {column.name for column in model.columns}:
            differences.append((name, differing))
            continue
        for column in model.columns:
            found = columns[column.name]
            kinds = tuple(kind.compile(dialect=connection.dialect) for kind in (found["type"], column.type))
            if found["nullable"] != column.nullable or kinds[0] != kinds[1]:
                differences.append((name, column.name, found["nullable"], column.nullable, *kinds))
    assert differences == []
