"""An XLSX or ODS file as a sheet: values by calamine, after its parts were looked at."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Sequence
from typing import Any

import python_calamine
from flask_babel import gettext as _
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from storefront.listing_files.columns import keys_of
from storefront.listing_files.sheet import BadListingFile, Mark, Sheet, cell_name
from storefront.listing_files.workbook_parts import Parts, ods_parts, open_zip, xlsx_parts, xlsx_paths

#: Whole numbers beyond this are no longer exact in a spreadsheet.
LARGEST = 10**15


def read_workbook(content: bytes, format: str) -> Sheet:
    """The first visible sheet whose heading is known, else the first. Raises BadListingFile."""
    archive = open_zip(content)
    if format == "xlsx":
        paths = xlsx_paths(archive)
        looked = [xlsx_parts(archive, path) for path in paths if path]
    else:
        looked = ods_parts(archive)
    try:
        return _opened(content, looked)
    except (python_calamine.CalamineError, ValueError, OverflowError, OSError) as error:
        raise BadListingFile() from error
    except BaseException as error:
        # What calamine did not foresee ends in a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise BadListingFile() from error


def _opened(content: bytes, looked: Sequence[Parts]) -> Sheet:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    # Parts are in the order of the sheets.
    if len(looked) != len(book.sheets_metadata):
        raise BadListingFile()
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    chosen = _chosen(book, sheets)
    place = [sheet.name for sheet in book.sheets_metadata].index(chosen)
    rows = book.get_sheet_by_name(chosen)
    hidden = [sheet.name for sheet in sheets if sheet.visible != SheetVisibleEnum.Visible]
    sheet = Sheet(iter(()))
    if hidden:
        sheet.remarks.append(_("Lembar tersembunyi tidak dibaca: %(names)s.", names=", ".join(hidden)[:200]))
    return _filled(sheet, rows.iter_rows(), looked[place], (rows.start or (0, 0))[1])


def _chosen(book: CalamineWorkbook, sheets: Sequence[Any]) -> str:
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    if not visible:
        raise BadListingFile(
            _("Semua lembarnya tersembunyi. Tampilkan lembar daftar karya, lalu unggah lagi.")
        )
    for name in visible:
        for number, row in enumerate(book.get_sheet_by_name(name).iter_rows()):
            if sum(key is not None for key in keys_of([str(cell) for cell in row])) >= 2:
                return name
            if number >= 9:
                break
    return visible[0]


def _filled(sheet: Sheet, values: Iterator[Sequence[Any]], parts: Parts, left: int) -> Sheet:
    """The sheet with what is said of its cells. Calamine leaves out the columns that are empty on the left."""
    rows: list[tuple[int, list[str]]] = []
    for number, row in enumerate(values, start=1):
        texts = [""] * left + [_text(cell) for cell in row]
        for column, cell in enumerate(row, start=left):
            if cell == "" or isinstance(cell, str):
                continue
            if odd := _odd(cell, (number, column) in parts.percents):
                sheet.odd[number, column] = odd
        if any(text.strip() for text in texts):
            rows.append((number, texts))
    _formulas(sheet, parts, dict(rows))
    for top, first_column, bottom, last in parts.merged:
        name = f"{cell_name(top, first_column)}:{cell_name(bottom, last)}"
        sentence = _("Sel %(cells)s digabung. Pisahkan, lalu isi setiap barisnya.", cells=name)
        for number in range(top, min(bottom, top + 10_000) + 1):
            sheet.marks[number, first_column] = Mark(sentence, True)
    sheet.rows = iter(rows)
    return sheet


def _formulas(sheet: Sheet, parts: Parts, rows: dict[int, list[str]]) -> None:
    for number, column in parts.formulas:
        row = rows.get(number, [])
        value = row[column] if column < len(row) else ""
        name = cell_name(number, column)
        if value.strip():
            said = _(
                "Sel %(cell)s berisi rumus; yang dipakai nilainya: %(value)s.", cell=name, value=value[:60]
            )
            sheet.marks.setdefault((number, column), Mark(said, False))
        else:
            said = _(
                "Rumus di sel %(cell)s belum punya nilai, atau nilainya galat. Tulis nilainya.", cell=name
            )
            sheet.marks[number, column] = Mark(said, True)


def _text(cell: Any) -> str:
    """A value as somebody would have typed it."""
    if isinstance(cell, bool):
        return "ya" if cell else "tidak"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < LARGEST else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, str):
        return cell.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return str(cell)


def _odd(cell: Any, is_percent: bool) -> str:
    """Why a value is no plain whole number or text: a word for the sentence; empty when it is one."""
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return "date"
    if is_percent:
        return "percent"
    if isinstance(cell, float) and not (cell.is_integer() and abs(cell) < LARGEST):
        return "fraction"
    return "number" if isinstance(cell, float) and abs(cell) >= 10**11 else ""
