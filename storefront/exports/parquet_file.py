"""An export as a Parquet file, with the extra `parquet` (pyarrow) alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from storefront.errors import Invalid
from storefront.exports.columns import Kind
from storefront.exports.moment import rfc3339

if TYPE_CHECKING:
    from storefront.exports.table import Table, Tally

#: Rows of one group: what is held in memory at once.
AT_ONCE = 20_000


def write_parquet(
    path: Path,
    connection: psycopg.Connection[Any],
    table: Table,
    tally: Tally,
    note: str | None,
    seen: Callable[[int], object] = lambda rows: None,
) -> None:
    """Write the table: whole numbers as int64, times in UTC, days as dates; filters and moment among the metadata.

    Texts are as they are: nothing runs them. Raises Invalid without pyarrow, and OSError.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise Invalid() from None
    types = {
        Kind.TEXT: pa.string(), Kind.NUMBER: pa.int64(), Kind.AMOUNT: pa.int64(),
        Kind.TIME: pa.timestamp("us", tz="UTC"), Kind.DAY: pa.date32(),
    }  # fmt: skip
    told = {"export": table.export, "as_of": rfc3339(table.as_of), "filters": dict(table.filters)}
    schema = pa.schema(
        [(column.name, types[column.kind]) for column in table.columns],
        metadata={"storefront": json.dumps(told | ({"note": note} if note else {}))},
    )
    chosen = ", ".join(column.name for column in table.columns)
    amounts = [(n, column.name) for n, column in enumerate(table.columns) if column.kind is Kind.AMOUNT]
    with (
        pq.ParquetWriter(path, schema, compression="zstd") as file,
        connection.cursor(name="table_export") as cursor,
    ):
        cursor.execute(f"SELECT {chosen} FROM ({table.ordered}) t", table.parameters)  # noqa: S608
        while rows := cursor.fetchmany(AT_ONCE):
            tally.rows += len(rows)
            for place, name in amounts:
                tally.sums[name] += sum(row[place] or 0 for row in rows)
            columns = zip(schema.types, zip(*rows, strict=True), strict=True)
            arrays = [pa.array(values, kind) for kind, values in columns]
            file.write_batch(pa.record_batch(arrays, schema=schema))
            seen(len(rows))
