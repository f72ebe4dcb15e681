"""The forms of an export: CSV and XLSX for spreadsheets, JSONL and Parquet for programs; here those that are text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import psycopg

from storefront.exports.columns import Kind

if TYPE_CHECKING:
    from storefront.exports.table import Table, Tally

#: Bytes gathered before they are handed on: a million small writes cost more than the rows themselves.
BLOCK = 64 * 1024
#: A quoted CSV field, or each part of one that its own quotes divide: commas and ends of lines within it are none.
QUOTED = re.compile(rb'"[^"]*"')
Buffer = bytes | bytearray | memoryview
Add = Callable[[bytes], None]


class Format(StrEnum):
    CSV = "csv"
    #: As spreadsheets in Indonesian expect it.
    CSV_SEMICOLON = "csv-semicolon"
    XLSX = "xlsx"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return self.value.partition("-")[0]

    @property
    def mimetype(self) -> str:
        return {
            "csv": "text/csv; charset=utf-8",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "jsonl": "application/x-ndjson",
            "parquet": "application/vnd.apache.parquet",
        }[self.ending]

    @property
    def is_text(self) -> bool:
        """Whether it can leave while it is read."""
        return self.ending in ("csv", "jsonl")


def offered() -> list[Format]:
    """The forms that can be made here: Parquet with the extra `parquet` alone."""
    return [form for form in Format if form is not Format.PARQUET or find_spec("pyarrow")]


def text_blocks(
    connection: psycopg.Connection[Any],
    table: Table,
    format: Format,
    *,
    tally: Tally | None = None,
    seen: Callable[[int], object] = lambda rows: None,
) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 with a byte order mark) or JSONL, in blocks of about 64 kB.

    `tally` counts rows and adds up their amounts while they pass, so that the question is asked once; `seen` is told
    how many rows more have passed.
    """
    if format.ending == "csv":
        delimiter = ";" if format is Format.CSV_SEMICOLON else ","
        head = ("\ufeff" + delimiter.join(column.name for column in table.columns) + "\r\n").encode()
        chosen = ", ".join(column.cell for column in table.columns)
        copy = f"COPY (SELECT {chosen} FROM ({table.ordered}) t) TO STDOUT (FORMAT csv, DELIMITER '{delimiter}')"  # noqa: S608
        end = b"\r\n"
        add = _csv_adder(table, delimiter.encode(), tally) if tally is not None else None
    else:
        head, end = b"", b"\n"
        add = _json_adder(tally) if tally is not None else None
        chosen = ", ".join(column.plain for column in table.columns)
        # JSON holds no raw control characters, so with these as quote and delimiter COPY changes nothing in it.
        unused = r"DELIMITER E'\x02', QUOTE E'\x01', ESCAPE E'\x01'"
        rows = f"SELECT row_to_json(line) FROM (SELECT {chosen} FROM ({table.ordered}) t) AS line"  # noqa: S608
        copy = f"COPY ({rows}) TO STDOUT (FORMAT csv, {unused})"
    gathered: list[Buffer] = []
    size = 0
    yield head
    with connection.cursor() as cursor, cursor.copy(copy, table.parameters) as found:
        # PostgreSQL sends one message for each row ("COPY Operations" in its protocol), ended by \n. As little as can
        # be is done for each: all else is done block by block.
        for row in found:
            gathered.append(row)
            size += len(row)
            if size >= BLOCK:
                yield _block(gathered, end, add)
                seen(len(gathered))
                gathered, size = [], 0
    if gathered:
        yield _block(gathered, end, add)
        seen(len(gathered))


def _block(rows: list[Buffer], end: bytes, add: Add | None) -> bytes:
    """Rows that end in \\n as a block whose rows end in `end`."""
    block = b"".join(rows)
    if add is not None:
        add(block)
    if end == b"\n":
        return block
    if block.count(b"\n") == len(rows):
        return block.replace(b"\n", end)
    return b"".join(bytes(row[:-1]) + end for row in rows)  # a text has lines of its own, which stay as they are


def _csv_adder(table: Table, delimiter: bytes, tally: Tally) -> Add:
    """What counts the rows of whole blocks and adds up their amounts.

    COPY never quotes a number; so without what is quoted every delimiter and every end of line is one, and each column
    is every so many-th value.
    """
    wide = len(table.columns)
    places = [(n, column.name) for n, column in enumerate(table.columns) if column.kind is Kind.AMOUNT]

    def add(block: bytes) -> None:
        bare = QUOTED.sub(b"", block) if b'"' in block else block
        values = bare.replace(b"\n", delimiter).split(delimiter)
        tally.rows += (len(values) - 1) // wide
        for place, name in places:
            column = values[place:-1:wide]
            tally.sums[name] += sum(map(int, column if b"" not in column else filter(None, column)))

    return add


def _json_adder(tally: Tally) -> Add:
    def add(block: bytes) -> None:
        rows = [json.loads(line) for line in block.splitlines()]
        tally.rows += len(rows)
        for name in tally.sums:
            tally.sums[name] += sum(row[name] or 0 for row in rows)

    return add
