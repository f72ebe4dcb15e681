"""Any table of figures: what an export consists of, its sums, and the manifest that stands beside its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from storefront.exports.columns import Column, Kind
from storefront.exports.moment import rfc3339


@dataclass(frozen=True)
class Sheet:
    """A small table of a workbook, before its rows: headings, then rows of texts and numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]
    widths: Sequence[float]


@dataclass(frozen=True)
class Table:
    """What an export consists of; `sql` gives its columns by name, in the order of its rows."""

    #: What kind of export it is, for the manifest.
    export: str
    #: Name of the file, without its ending.
    name: str
    #: Name of the sheet in a workbook.
    title: str
    columns: Sequence[Column]
    sql: str
    parameters: Mapping[str, Any]
    filters: Mapping[str, Any]
    as_of: datetime
    #: `ORDER BY …`, where `sql` has none: sums need no order.
    order: str = ""
    #: Sheets of a workbook that come before the rows.
    sheets: Sequence[Sheet] = ()
    #: Further facts for the manifest.
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Of columns in a workbook, where they are not as wide as their kind.
    widths: Mapping[str, float] = field(default_factory=dict)
    #: Whether a workbook has its sums on a sheet after the rows.
    with_totals: bool = False

    @property
    def ordered(self) -> str:
        """SQL for the rows in their order."""
        return f"{self.sql} {self.order}" if self.order else self.sql


@dataclass
class Tally:
    """Rows, and the sum of every column of amounts in whole rupiah."""

    rows: int
    sums: dict[str, int]

    @classmethod
    def of(cls, table: Table) -> Tally:
        """Nothing yet."""
        return cls(0, {column.name: 0 for column in table.columns if column.kind is Kind.AMOUNT})


def totals(connection: psycopg.Connection[Any], table: Table) -> Tally:
    """Rows and sums of a table, by the database itself."""
    names = [column.name for column in table.columns if column.kind is Kind.AMOUNT]
    sums = "".join(f", COALESCE(sum({name}), 0)::bigint" for name in names)
    row = connection.execute(f"SELECT count(*){sums} FROM ({table.sql}) t", table.parameters).fetchone()  # noqa: S608
    assert row is not None  # an aggregate always answers
    return Tally(row[0], dict(zip(names, row[1:], strict=True)))


def manifest(
    table: Table, found: Tally, *, file: str, format: str, sha256: str, note: str | None
) -> dict[str, Any]:
    """What stands beside the file; the same for the same export, so it says nothing of today."""
    told: dict[str, Any] = {
        "file": file,
        "export": table.export,
        "format": format,
        "row_count": found.rows,
        "sums": found.sums,
        "filters": dict(table.filters),
        "as_of": rfc3339(table.as_of),
        "sha256": sha256,
        "columns": [column.name for column in table.columns],
        "currency": "IDR",
        "times": "UTC",
        "days": "Asia/Jakarta",
    }
    return told | dict(table.facts) | ({"note": note} if note else {})
