"""From a kept file to rows of one's own: the dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select

from storefront.audit.record import record
from storefront.extensions import db
from storefront.listing_files.columns import BY_KEY, EXAMPLE, REASONS, keys_of, read_cell
from storefront.listing_files.csv_sheet import read_csv
from storefront.listing_files.current import Current, current
from storefront.listing_files.judge import judge
from storefront.listing_files.models import (
    ImportState,
    ListingImport,
    ListingImportArchive,
    ListingImportRow,
)
from storefront.listing_files.pictures import PhotoFiles
from storefront.listing_files.rows import FileRow
from storefront.listing_files.sheet import MOST_COLUMNS, BadListingFile, Sheet
from storefront.listing_files.workbook_sheet import read_workbook
from storefront.media.storage import private_files
from storefront.written import one_line

#: The heading stands among the first rows.
HEAD_ROWS = 10
ROWS_AT_ONCE = 1000


def read_import(import_id: int) -> None:
    """Read a kept file into rows with their verdicts, or note why it cannot be read. Never commits.

    Run again, it begins anew.
    """
    found = db.session.get(ListingImport, import_id, with_for_update=True, populate_existing=True)
    if found is None or found.state != ImportState.READING or found.file_key is None:
        return
    db.session.execute(delete(ListingImportRow).where(ListingImportRow.import_id == import_id))
    with force_locale(found.language):
        try:
            sheet = open_sheet(private_files().read(found.file_key), found.format)
            headings, keys, rows = rows_of(sheet)
            if not rows:
                raise BadListingFile(_("Berkas ini tidak memuat satu karya pun di bawah judul kolomnya."))
        except BadListingFile as refusal:
            found.state, found.fault = ImportState.REFUSED.value, str(refusal.message)[:500]
            found.read_at = _now()
            return
        found.layout = {"headings": headings, "columns": keys, "delimiter": sheet.delimiter}
        found.remarks = _remarks(sheet, headings, keys)
        grouped = _judged(found, rows)
    _keep(import_id, grouped)
    found.rows, found.state, found.read_at = len(rows), ImportState.READY.value, _now()
    record(
        "listing_import.read",
        "listing_import",
        import_id,
        facility_id=found.facility_id,
        details={"rows": len(rows)},
    )


def open_sheet(content: bytes, format: str) -> Sheet:
    """A file's sheet. Raises BadListingFile; a CSV's rows may raise it too."""
    return read_csv(content) if format == "csv" else read_workbook(content, format)


def rows_of(sheet: Sheet) -> tuple[list[str], list[str | None], list[FileRow]]:
    """Headings, the columns that they name, and the rows below. Raises BadListingFile."""
    headings: list[str] = []
    keys: list[str | None] = []
    rows: list[FileRow] = []
    for place, (number, cells) in enumerate(sheet.rows):
        if not keys:
            if sum(key is not None for key in keys_of(cells)) >= 2:
                headings, keys = cells[:MOST_COLUMNS], keys_of(cells[:MOST_COLUMNS])
            elif place >= HEAD_ROWS:
                break
            continue
        row = _row(number, cells, keys, sheet)
        if row.key.upper() != EXAMPLE:
            rows.append(row)
    if not keys or not {"sku", "title"} & set(keys):
        raise BadListingFile(
            _(
                "Judul kolom tidak ditemukan. Pakai templat, dan biarkan baris judulnya (Kode karya, SKU, Nama karya)."
            )
        )
    return headings, keys, rows


def _row(number: int, cells: list[str], keys: Sequence[str | None], sheet: Sheet) -> FileRow:
    row = FileRow(number, cells[: len(keys)], {})
    for place, cell in enumerate(cells[: len(keys)]):
        key = keys[place]
        if key and cell.strip():
            row.values[key] = read_cell(cell)
            _odd(row, key, cell, sheet.odd.get((number, place)))
    for place in range(max(len(keys), 1)):
        if mark := sheet.marks.get((number, place)):
            column = keys[place] if place < len(keys) else None
            if mark.is_fault:
                row.wrong(column or "key", mark.text)
            else:
                row.remarks.append({"column": column or "key", "text": mark.text})
    return row


def _odd(row: FileRow, key: str, cell: str, odd: str | None) -> None:
    """A number where a text belongs, or no plain number where a number belongs."""
    is_paper = key.endswith("_number")
    if is_paper and (odd in ("fraction", "date") or _is_scientific(cell)):
        said = _(
            "Nomor ini dibaca sebagai bilangan atau tanggal (%(cell)s). Ubah kolomnya menjadi Teks, lalu tulis lagi.",
            cell=cell[:40],
        )
        row.wrong(key, said)
    elif key == "sku" and (odd in ("fraction", "number", "date") or _is_scientific(cell)):
        said = _(
            "SKU ini dibaca sebagai bilangan atau tanggal (%(cell)s). Ubah kolomnya menjadi Teks.",
            cell=cell[:40],
        )
        row.wrong(key, said)
    elif BY_KEY[key].is_number and odd in ("fraction", "date", "percent"):
        sentence = _(
            "Sel ini tanggal, persen, atau pecahan (%(cell)s). Tulis bilangan bulat.", cell=cell[:40]
        )
        row.wrong(key, sentence)


def _is_scientific(cell: str) -> bool:
    mantissa, _sign, exponent = cell.strip().upper().partition("E+")
    return bool(exponent) and exponent.isdigit() and mantissa.replace(",", "").replace(".", "").isdigit()


def _remarks(sheet: Sheet, headings: Sequence[str], keys: Sequence[str | None]) -> list[str]:
    unknown = [
        heading.strip()[:40]
        for heading, key in zip(headings, keys, strict=True)
        if key is None and heading.strip() and heading.strip() != REASONS
    ]
    ignored = (
        [_("Kolom ini tidak dikenal dan tidak dibaca: %(names)s.", names=", ".join(unknown)[:300])]
        if unknown
        else []
    )
    return sheet.remarks + ignored


def _judged(found: ListingImport, rows: Sequence[FileRow]) -> list[tuple[int, FileRow]]:
    """The rows with the number of their product, judged."""
    now = current_of(found, rows)
    grouped = group(rows, now)
    for _number, members in grouped:
        judge(members, now)
    return sorted(
        ((number, row) for number, members in grouped for row in members), key=lambda one: one[1].number
    )


def current_of(found: ListingImport, rows: Sequence[FileRow]) -> Current:
    """What these rows of an import concern, as it is now."""
    return current(
        found.facility_id,
        {row.sku for row in rows if row.sku},
        {row.key for row in rows if row.key},
        photo_files(found.id),
    )


def photo_files(import_id: int) -> PhotoFiles:
    """The photos that came with an import."""
    archives = select(ListingImportArchive.file_key).where(
        ListingImportArchive.import_id == import_id, ListingImportArchive.fault == ""
    )
    return PhotoFiles.of(list(db.session.scalars(archives.order_by(ListingImportArchive.id))))


def group(rows: Sequence[FileRow], now: Current) -> list[tuple[int, list[FileRow]]]:
    """The rows product by product, in the order of the first of each."""
    seen: dict[str, FileRow] = {}
    of_key: dict[str, int] = {}
    for row in rows:
        if row.sku:
            first = seen.setdefault(row.sku, row)
            if first is not row:
                row.wrong("sku", _("SKU ini sudah ada di baris %(row)d.", row=first.number))
        if row.key and row.sku in now.own:
            of_key.setdefault(row.key.casefold(), now.own[row.sku][0])
        elif row.key in now.slugs:
            of_key.setdefault(row.key.casefold(), now.slugs[row.key])
    groups: dict[tuple[str, Any], list[FileRow]] = {}
    for row in rows:
        key = row.key.casefold()
        name: tuple[str, Any]
        if row.sku in now.own:
            name = ("product", now.own[row.sku][0])
        elif key in of_key:
            name = ("product", of_key[key])
        else:
            name = ("key", key) if key else ("row", row.number)
        groups.setdefault(name, []).append(row)
    return list(enumerate(groups.values(), start=1))


def _keep(import_id: int, grouped: Sequence[tuple[int, FileRow]]) -> None:
    for start in range(0, len(grouped), ROWS_AT_ONCE):
        values = [_as_row(import_id, number, row) for number, row in grouped[start : start + ROWS_AT_ONCE]]
        db.session.execute(insert(ListingImportRow), values)


def _as_row(import_id: int, product: int, row: FileRow) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "row": row.number,
        "product": product,
        "key": row.key[:200],
        "sku": row.sku[:200],
        "title": one_line(row.values.get("title", ""))[:200],
        "cells": row.cells,
        "verdict": row.verdict,
        "changes": row.changes,
        "faults": row.faults,
        "remarks": row.remarks,
        "pictures": row.pictures,
    }


def again(cells: Sequence[str], keys: Sequence[str | None], number: int) -> FileRow:
    """A kept row as it was read; what was wrong with its cells had cost it already."""
    row = FileRow(number, list(cells), {})
    for key, cell in zip(keys, cells, strict=False):
        if key and cell.strip():
            row.values[key] = read_cell(cell)
    return row


def _now() -> Any:
    return db.session.execute(select(func.now())).scalar_one()
