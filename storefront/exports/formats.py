"""The three forms of an export: CSV and XLSX for spreadsheets, JSONL for programs."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from storefront.exports import sales
from storefront.exports.columns import SALES
from storefront.exports.sales import Source

#: Bytes gathered before they are handed on: a million small writes cost more than the rows themselves.
BLOCK = 64 * 1024


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"

    @property
    def mimetype(self) -> str:
        return {
            Format.CSV: "text/csv; charset=utf-8",
            Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format.JSONL: "application/x-ndjson",
        }[self]


class Changed(RuntimeError):
    """The rows written are not the rows counted in the same snapshot: a fault, and no file may come of it."""

    def __init__(self, written: int, counted: int) -> None:
        super().__init__(f"{written} rows written, {counted} counted")


def csv_blocks(source: Source) -> Iterator[bytes]:
    """The export as CSV (RFC 4180) in UTF-8 with a byte order mark, in blocks of about 64 kB."""
    header = "\ufeff" + ",".join(column.name for column in SALES) + "\r\n"
    statement = f"COPY ({sales.query([column.cell for column in SALES])}) TO STDOUT (FORMAT csv)"
    yield from _gather(source, statement, header.encode(), b"\r\n")


def jsonl_blocks(source: Source) -> Iterator[bytes]:
    """The export as one JSON object for each line, in UTF-8; values as they are, amounts as numbers."""
    rows = sales.query([column.plain for column in SALES])
    objects = f"SELECT row_to_json(line) FROM ({rows}) AS line"  # noqa: S608  (column names of our own)
    # JSON holds no raw control characters, so with these as quote and delimiter COPY changes nothing in it.
    unused = r"DELIMITER E'\x02', QUOTE E'\x01', ESCAPE E'\x01'"
    statement = f"COPY ({objects}) TO STDOUT (FORMAT csv, {unused})"
    yield from _gather(source, statement, b"", b"\n")


def _gather(source: Source, statement: str, header: bytes, line_end: bytes) -> Iterator[bytes]:
    """COPY's rows under `header`, each ended by `line_end`, gathered into blocks."""
    gathered, size, rows, told = [header], len(header), 0, 0
    with source.connection.cursor() as cursor, cursor.copy(statement, source.parameters) as copy:
        # PostgreSQL sends one message for each row ("COPY Operations" in its protocol), ended by \n.
        for row in copy:
            line = bytes(row)[:-1] + line_end
            gathered.append(line)
            size += len(line)
            rows += 1
            if size >= BLOCK:
                yield b"".join(gathered)
                source.seen(rows - told)
                gathered, size, told = [], 0, rows
    if rows != source.totals.rows:
        raise Changed(rows, source.totals.rows)
    source.seen(rows - told)
    yield b"".join(gathered)
