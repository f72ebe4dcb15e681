"""An export as an XLSX workbook."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from psycopg.rows import dict_row
from rustpy_xlsxwriter import FastExcel
from rustpy_xlsxwriter import Format as CellFormat

from storefront.errors import DomainError
from storefront.exports.columns import Column, Kind

if TYPE_CHECKING:
    from storefront.exports.table import Table, Tally

#: Rows of a worksheet, its header included (Microsoft, "Excel specifications and limits").
SHEET_ROWS = 1_048_576
#: Rows taken at once: with more of them memory grows, with fewer a row costs more.
AT_ONCE = 250
WIDTHS = {Kind.TIME: 19.0, Kind.AMOUNT: 15.0, Kind.NUMBER: 10.0, Kind.TEXT: 16.0, Kind.DAY: 11.0}
WIDE = {"product": 34.0}
#: The member of the file that carries the time of writing; it and what follows come after the sheets.
STAMPED = "docProps/core.xml"


class TooManyRows(DomainError):
    code, status = "too_many_rows", 422
    message = _(
        "Lembar XLSX memuat paling banyak 1.048.575 baris. Pilih CSV, atau rentang yang lebih pendek."
    )


def write_xlsx(
    path: Path,
    connection: psycopg.Connection[Any],
    table: Table,
    tally: Tally,
    note: str | None,
    seen: Callable[[int], object] = lambda rows: None,
) -> None:
    """Write the table as a workbook: its sheets, then the rows, then their totals and the `note` if wanted.

    The header stays in sight, cells have their own type, times are in UTC to the second. `tally` counts and adds up.
    Raises TooManyRows and OSError.
    """
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
        _rows(connection, table, tally, seen),
        header_format=bold,
        column_widths={column.name: _width(table, column) for column in table.columns},
        column_formats={
            column.name: CellFormat().set_num_format(numeric[column.kind])
            for column in table.columns
            if column.kind in numeric
        },
    )
    if table.with_totals:
        book.sheet(
            gettext("Jumlah"),
            _totals(tally),
            header_format=bold,
            column_widths=[24.0, 20.0],
            column_formats=[CellFormat(), CellFormat().set_num_format("#,##0")],
        )
    if note:
        book.sheet("Keterangan", [{"keterangan": note}], column_widths={"keterangan": 40.0})
    book.save()
    stamp(path, table.as_of)


def _rows(
    connection: psycopg.Connection[Any], table: Table, tally: Tally, seen: Callable[[int], object]
) -> Iterator[dict[str, Any]]:
    """The rows as they come, so that memory stays flat; times without a zone, which Excel lacks.

    The server reads on while they are written: with a cursor of its own it would wait for each turn.
    """
    chosen = ", ".join(
        f"{column.name} AT TIME ZONE 'UTC' AS {column.name}"
        if column.kind is Kind.TIME
        else column.name if column.kind is Kind.DAY else column.cell
        for column in table.columns
    )
    amounts = [column.name for column in table.columns if column.kind is Kind.AMOUNT]
    query = f"SELECT {chosen} FROM ({table.ordered}) t"  # noqa: S608 - names and pieces of our own
    with (
        connection.cursor(row_factory=dict_row) as cursor,
        # Closed, it is called off: whoever ends early leaves nothing running on the connection.
        closing(cursor.stream(query, table.parameters, size=AT_ONCE)) as stream,  # type: ignore[type-var]
    ):
        while rows := list(islice(stream, AT_ONCE)):
            tally.rows += len(rows)
            if tally.rows > SHEET_ROWS - 1:
                raise TooManyRows()
            for name in amounts:
                tally.sums[name] += sum(filter(None, map(itemgetter(name), rows)))
            yield from rows
            seen(len(rows))
    if not tally.rows:
        yield {column.name: None for column in table.columns}  # the writer takes the header from a row


def _totals(tally: Tally) -> Iterator[dict[str, Any]]:
    """Rows and sums, once all rows have passed."""
    yield {"kolom": gettext("Baris"), "jumlah": tally.rows}
    for name, amount in tally.sums.items():
        yield {"kolom": name, "jumlah": amount}


def _width(table: Table, column: Column) -> float:
    return table.widths.get(column.name, WIDE.get(column.name, WIDTHS[column.kind]))


def stamp(path: Path, as_of: datetime) -> None:
    """Date the workbook `as_of` instead of now, so that the same export has the same bytes."""
    with zipfile.ZipFile(path, "a") as book:
        infos = book.infolist()
        first = next(index for index, info in enumerate(infos) if info.filename == STAMPED)
        members = {info.filename: book.read(info) for info in infos[first:]}
        # What comes from here on is written anew over the old; the sheets before it stay where they are.
        book.start_dir = infos[first].header_offset
        for info in infos[first:]:
            book.filelist.remove(info)
            del book.NameToInfo[info.filename]
        for name, content in members.items():
            book.writestr(zipfile.ZipInfo(name), _dated(content, as_of) if name == STAMPED else content)


def _dated(properties: bytes, as_of: datetime) -> bytes:
    """A workbook's core properties with `as_of` as their times."""
    start, end = properties.index(b"<dcterms:created"), properties.index(b"</cp:coreProperties>")
    when = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kind = 'xsi:type="dcterms:W3CDTF"'
    times = "".join(f"<dcterms:{name} {kind}>{when}</dcterms:{name}>" for name in ("created", "modified"))
    return properties[:start] + times.encode() + properties[end:]
