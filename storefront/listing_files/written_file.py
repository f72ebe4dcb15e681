"""Tables as files: CSV in UTF-8 with a byte order mark, XLSX, ODS."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from rustpy_xlsxwriter import FastExcel
from rustpy_xlsxwriter import Format as CellFormat

FORMATS = ("xlsx", "ods", "csv")
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "csv": "text/csv; charset=utf-8",
}
#: What no XML may hold.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Table:
    """One sheet: headings, then rows of texts and whole numbers."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[str | int]]
    #: Heading → what may be chosen, for spreadsheets that can show a list.
    choices: dict[str, Sequence[str]] = field(default_factory=dict)


def file_of(tables: Sequence[Table], format: str, delimiter: str = ";") -> bytes:
    """A file with these sheets; a CSV holds the first alone."""
    if format == "csv":
        return _csv(tables[0], delimiter)
    return _xlsx(tables) if format == "xlsx" else _ods(tables)


def _csv(table: Table, delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(table.headings)
    writer.writerows(table.rows)
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _xlsx(tables: Sequence[Table]) -> bytes:
    file = io.BytesIO()
    book = FastExcel(file)
    book.freeze(row=1)
    for table in tables:
        names = _different(table.headings)
        lists = {
            name: {"type": "list", "values": list(values), "error_style": "warning"}
            for name, values in table.choices.items()
            if values
            and sum(len(value) + 1 for value in values) < 255
            and not any("," in value for value in values)
        }
        book.sheet(
            table.title,
            _rows(table, names),
            header_format=CellFormat().set_bold(),
            column_widths={name: 24.0 if len(name) < 30 else 60.0 for name in names},
            data_validations=lists or None,
        )
    book.save()
    return file.getvalue()


def _rows(table: Table, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows by heading. The writer takes the headings from the first, so there is one."""
    is_empty = True
    for row in table.rows:
        is_empty = False
        yield {**dict.fromkeys(names, ""), **dict(zip(names, map(_xml_text, row), strict=False))}
    if is_empty:
        yield dict.fromkeys(names)


def _different(headings: Sequence[str]) -> list[str]:
    """Headings of which no two are the same and none is empty."""
    found: list[str] = []
    for place, heading in enumerate(headings, start=1):
        name = heading or f"Kolom {place}"
        while name in found:
            name = f"{name} ({place})"
        found.append(name)
    return found


def _xml_text(cell: str | int) -> str | int:
    return FORBIDDEN.sub(" ", cell) if isinstance(cell, str) else cell


NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"),
                         ("manifest", "manifest"))
)  # fmt: skip
MANIFEST = (
    f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest {NAMESPACES} manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{TYPES["ods"]}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def _ods(tables: Sequence[Table]) -> bytes:
    """By hand: a library builds the whole tree first, which takes minutes where this takes seconds."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", TYPES["ods"], zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        with archive.open("content.xml", "w", force_zip64=True) as content:
            for part in _ods_content(tables):
                content.write(part.encode("utf-8", errors="replace"))
    return file.getvalue()


def _ods_content(tables: Sequence[Table]) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} office:version="1.3">'
    yield "<office:body><office:spreadsheet>"
    for table in tables:
        yield f"<table:table table:name={quoteattr(table.title)}>"
        yield _ods_row(table.headings)
        for row in table.rows:
            yield _ods_row(row)
        yield "</table:table>"
    yield "</office:spreadsheet></office:body></office:document-content>"


def _ods_row(row: Sequence[str | int]) -> str:
    return f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>"


def _ods_cell(cell: str | int) -> str:
    if isinstance(cell, int):
        value = f'office:value-type="float" office:value="{cell}"'
        return f"<table:table-cell {value}><text:p>{cell}</text:p></table:table-cell>"
    if not cell:
        return "<table:table-cell/>"
    lines = str(_xml_text(cell)).split("\n")
    paragraphs = "".join(f"<text:p>{_spaced(line)}</text:p>" for line in lines)
    return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'


def _spaced(line: str) -> str:
    """Tabs, and spaces beyond one, have elements of their own in ODS."""
    text = escape(line).replace("\t", "<text:tab/>")
    return re.sub(r"^ | {2,}", lambda found: f'<text:s text:c="{len(found[0])}"/>', text)
