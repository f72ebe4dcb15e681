"""Any table of figures as a file: CSV and JSONL streamed by COPY, XLSX row by row, each with its manifest.

The sales export stands in modules of its own, as CONTRACT.md describes it; statements, reports and ageing
share this one. What reads, reads in one snapshot, so that rows, sums and what stands before them agree.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from flask import current_app
from psycopg.rows import dict_row
from rustpy_xlsxwriter import FastExcel
from rustpy_xlsxwriter import Format as CellFormat

from storefront.exports.columns import Column, Kind
from storefront.exports.download import Download, Part, pieces, zipped
from storefront.exports.files import CannotWrite, check_target, drafts, put_in_place
from storefront.exports.formats import BLOCK, Changed, Format
from storefront.exports.manifest import as_json
from storefront.exports.moment import rfc3339
from storefront.exports.workbook import SHEET_ROWS, TooManyRows, stamp

WIDTHS = {Kind.TIME: 19.0, Kind.AMOUNT: 15.0, Kind.NUMBER: 10.0, Kind.TEXT: 16.0, Kind.DAY: 11.0}
WIDE = {"product": 34.0, "facility_name": 34.0}


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
    #: Sheets of a workbook that come before the rows.
    sheets: Sequence[Sheet] = ()
    #: Further facts for the manifest.
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Totals:
    """Rows, and the sum of every column of amounts in whole rupiah."""

    rows: int
    sums: dict[str, int]


def totals(connection: psycopg.Connection[Any], table: Table) -> Totals:
    """Rows and sums of a table, by the database itself."""
    names = [column.name for column in table.columns if column.kind is Kind.AMOUNT]
    sums = "".join(f", COALESCE(sum({name}), 0)::bigint" for name in names)
    row = connection.execute(f"SELECT count(*){sums} FROM ({table.sql}) t", table.parameters).fetchone()  # noqa: S608
    assert row is not None  # an aggregate always answers
    return Totals(row[0], dict(zip(names, row[1:], strict=True)))


def text_blocks(
    connection: psycopg.Connection[Any], table: Table, format: Format, counted: int
) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 with a byte order mark) or JSONL, in blocks of about 64 kB."""
    if format is Format.CSV:
        head = ("\ufeff" + ",".join(column.name for column in table.columns) + "\r\n").encode()
        chosen = ", ".join(column.cell for column in table.columns)
        copy = f"COPY (SELECT {chosen} FROM ({table.sql}) t) TO STDOUT (FORMAT csv)"  # noqa: S608
        end = b"\r\n"
    else:
        head, end = b"", b"\n"
        chosen = ", ".join(column.plain for column in table.columns)
        # JSON holds no raw control characters, so with these as quote and delimiter COPY changes nothing in it.
        unused = r"DELIMITER E'\x02', QUOTE E'\x01', ESCAPE E'\x01'"
        rows = f"SELECT row_to_json(line) FROM (SELECT {chosen} FROM ({table.sql}) t) AS line"  # noqa: S608
        copy = f"COPY ({rows}) TO STDOUT (FORMAT csv, {unused})"
    gathered, size, count = [head], len(head), 0
    with connection.cursor() as cursor, cursor.copy(copy, table.parameters) as found:
        for row in found:
            line = bytes(row)[:-1] + end
            gathered.append(line)
            size, count = size + len(line), count + 1
            if size >= BLOCK:
                yield b"".join(gathered)
                gathered, size = [], 0
    if count != counted:
        raise Changed(count, counted)
    yield b"".join(gathered)


def write_xlsx(
    path: Path, connection: psycopg.Connection[Any], table: Table, counted: int, note: str | None
) -> None:
    """Write the table as a workbook: its sheets, then the rows, then (with `note`) a sheet with the note."""
    if counted > SHEET_ROWS - 1:
        raise TooManyRows()
    bold = CellFormat().set_bold()
    book = FastExcel(str(path)).freeze(row=1).format(datetime_format="yyyy-mm-dd hh:mm:ss")
    for sheet in table.sheets:
        book.sheet(
            sheet.title[:31],
            [dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows],
            header_format=bold,
            column_widths=list(sheet.widths),
            column_formats=[CellFormat().set_num_format("#,##0")] * len(sheet.headings),
        )
    numeric = {Kind.AMOUNT: "#,##0", Kind.NUMBER: "0"}
    book.sheet(
        table.title[:31],
        _rows(connection, table, counted),
        header_format=bold,
        column_widths={
            column.name: 34.0 if column.name == "product" else WIDTHS[column.kind] for column in table.columns
        },
        column_formats={
            column.name: CellFormat().set_num_format(numeric[column.kind])
            for column in table.columns
            if column.kind in numeric
        },
    )
    if note:
        book.sheet("Keterangan", [{"keterangan": note}], column_widths={"keterangan": 40.0})
    book.save()
    stamp(path, table.as_of)


def _rows(connection: psycopg.Connection[Any], table: Table, counted: int) -> Iterator[dict[str, Any]]:
    """The rows by a cursor on the server, so that memory stays flat; times without a zone, which Excel lacks."""
    chosen = ", ".join(
        column.name if column.kind in (Kind.TIME, Kind.DAY) else column.cell for column in table.columns
    )
    times = [column.name for column in table.columns if column.kind is Kind.TIME]
    count = 0
    with connection.cursor(name="table_export", row_factory=dict_row) as cursor:
        cursor.itersize = 5000
        for row in cursor.execute(f"SELECT {chosen} FROM ({table.sql}) t", table.parameters):  # noqa: S608
            for name in times:
                row[name] = row[name] and row[name].astimezone(UTC).replace(tzinfo=None)
            count += 1
            yield row
    if count != counted:
        raise Changed(count, counted)
    if not count:
        yield {column.name: None for column in table.columns}  # the writer takes the header from a row


def manifest(
    table: Table, found: Totals, *, file: str, format: str, sha256: str, note: str | None
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


def fill(
    draft: Path, connection: psycopg.Connection[Any], table: Table, format: Format, *, note: str | None
) -> dict[str, Any]:
    """Write the table's bytes to `draft`; returns the manifest. Raises TooManyRows and OSError."""
    found = totals(connection, table)
    if format is Format.XLSX:
        write_xlsx(draft, connection, table, found.rows, note)
    else:
        with draft.open("wb") as file:
            file.writelines(text_blocks(connection, table, format, found.rows))
    with draft.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return manifest(
        table, found, file=f"{table.name}.{format}", format=format.value, sha256=sha256, note=note
    )


def write(
    connection: psycopg.Connection[Any], table: Table, format: Format, target: Path, *, note: str | None
) -> dict[str, Any]:
    """Write the table to `target` and its manifest beside it, whole or not at all; returns the manifest.

    Raises CannotWrite and TooManyRows.
    """
    return beside(target, lambda draft: fill(draft, connection, table, format, note=note))


def beside(target: Path, fill: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Write a file by `fill(draft)`, which gives its manifest, and that beside it, whole or not at all.

    Returns the manifest, which names the file `target`. Raises CannotWrite and what `fill` raises.
    """
    check_target(target)
    manifest_target = target.with_name(target.name + ".manifest.json")
    with drafts(target, manifest_target) as (draft, manifest_draft):
        found = fill(draft) | {"file": target.name}
        manifest_draft.write_bytes(as_json(found))
        put_in_place(draft, manifest_draft, target, manifest_target)
    return found


def download(
    connection: psycopg.Connection[Any], table: Table, format: Format, part: Part, *, note: str | None
) -> Download:
    """The table in pieces, its manifest, or both in one archive; all written before the first piece leaves.

    Raises TooManyRows and CannotWrite.
    """
    with _private_file() as path:
        try:
            found = fill(path, connection, table, format, note=note)
        except OSError as error:
            raise CannotWrite() from error
        file = path.open("rb")
    # The file has no name any more; it is gone when the download has read it.
    return parted(file, found, format.mimetype, table.as_of, part)


def parted(file: IO[bytes], found: dict[str, Any], mimetype: str, as_of: datetime, part: Part) -> Download:
    """A finished file, its manifest `found`, or both; the manifest names the file."""
    name = found["file"]
    if part is Part.MANIFEST:
        file.close()
        return Download(f"{name}.manifest.json", "application/json", iter([as_json(found)]))
    if part is Part.ZIP:
        return Download(f"{Path(name).stem}.zip", "application/zip", zipped(file, found, as_of))
    return Download(name, mimetype, pieces(file))


@contextmanager
def _private_file() -> Iterator[Path]:
    """A path that nobody can find; whoever keeps the file open can read it after."""
    folder = current_app.extensions["settings"].var_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as private:
        yield Path(private) / "export"
