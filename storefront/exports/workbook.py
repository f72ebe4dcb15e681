"""The sales export as an XLSX workbook."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _
from rustpy_xlsxwriter import FastExcel
from rustpy_xlsxwriter import Format as CellFormat

from storefront.errors import DomainError
from storefront.exports import sales
from storefront.exports.columns import SALES, Column, Kind
from storefront.exports.formats import Changed
from storefront.exports.sales import Source

#: Rows of a worksheet, its header included (Microsoft, "Excel specifications and limits").
SHEET_ROWS = 1_048_576
#: The member of the file that carries the time of writing; it and what follows come after the sheets.
STAMPED = "docProps/core.xml"


class TooManyRows(DomainError):
    code, status = "too_many_rows", 422
    message = _(
        "Lembar XLSX memuat paling banyak 1.048.575 baris. Pilih CSV, atau rentang yang lebih pendek."
    )


def write_xlsx(path: Path, source: Source, *, note: str | None) -> None:
    """Write the export to `path`: header kept in sight, cells of their own type, times in UTC to the second.

    `note` goes to a sheet of its own after the data. Raises `TooManyRows` and `OSError`.
    """
    if source.totals.rows > SHEET_ROWS - 1:
        raise TooManyRows()
    book = FastExcel(str(path)).freeze(row=1).format(datetime_format="yyyy-mm-dd hh:mm:ss")
    book.sheet(
        "Penjualan",
        _sheet_rows(source),
        header_format=CellFormat().set_bold(),
        column_widths={column.name: _width(column) for column in SALES},
        column_formats={
            column.name: CellFormat().set_num_format("#,##0" if column.kind is Kind.AMOUNT else "0")
            for column in SALES
            if column.kind in (Kind.AMOUNT, Kind.NUMBER)
        },
    )
    if note:
        book.sheet("Keterangan", [{"keterangan": note}], column_widths={"keterangan": 40.0})
    book.save()
    stamp(path, source.as_of)


def _sheet_rows(source: Source) -> Iterator[dict[str, Any]]:
    """The rows ready for the workbook: times without a zone (they are UTC), as Excel knows none."""
    count = 0
    for row in sales.rows(source):
        row["paid_at"] = row["paid_at"].astimezone(UTC).replace(tzinfo=None)
        count += 1
        if count % 1000 == 0:
            source.seen(1000)
        yield row
    source.seen(count % 1000)
    if count != source.totals.rows:
        raise Changed(count, source.totals.rows)
    if not count:
        yield {column.name: None for column in SALES}  # the writer takes the header from a row


def _width(column: Column) -> float:
    widths = {Kind.TIME: 19.0, Kind.AMOUNT: 14.0, Kind.NUMBER: 10.0, Kind.TEXT: 16.0}
    return {"facility_name": 34.0, "product": 38.0}.get(column.name, widths[column.kind])


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
