"""Many rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import insert

from storefront.extensions import db

Row = TypeVar("Row")


def in_batches(rows: Sequence[Row], size: int = 2000) -> Iterator[Sequence[Row]]:
    """`rows` in pieces: enough for a quick statement, few enough for memory."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def insert_rows(model: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows` of a model; all must name the same columns."""
    for batch in in_batches(rows):
        # Without render_nulls every None begins a statement of its own.
        db.session.execute(insert(model).execution_options(render_nulls=True), batch)


def insert_for_ids(model: type[Any], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert `rows` of a model as `insert_rows` does; returns their ids, in order."""
    ids: list[int] = []
    statement = insert(model).returning(model.id, sort_by_parameter_order=True)
    for batch in in_batches(rows):
        ids += db.session.scalars(statement.execution_options(render_nulls=True), batch)
    return ids
