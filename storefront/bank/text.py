"""A bank's file as text: what it is, its encoding, and the table in a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.errors import DomainError

#: Bytes: a year of a busy account is a tenth of it.
MAX_BYTES = 5 * 1024 * 1024
DELIMITERS = (";", "\t", ",", "|")
#: Cells in a row, and characters in a cell, of a file that is a table.
MOST_COLUMNS, LONGEST_CELL = 60, 4_000
#: Rows that are looked at to find out how a table is written.
LOOKED_AT = 200


class BadBankFile(DomainError):
    """The file cannot be read at all; the sentence says why and what to do."""

    code, status = "bad_bank_file", 422


@dataclass(frozen=True)
class Row:
    """A row of a CSV: the number of its first line in the file, and its cells."""

    line: int
    cells: tuple[str, ...]

    def cell(self, place: int | None) -> str:
        """What stands in a column, from 0; nothing where the row is shorter or there is no such column."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""


def decode(content: bytes) -> str:
    """The text of an uploaded file: UTF-8, else Windows-1252. Raises BadBankFile."""
    if not content:
        raise BadBankFile(_("Pilih berkas rekening koran dari bank."))
    if len(content) > MAX_BYTES:
        raise BadBankFile(_("Berkas ini lebih besar dari 5 MB. Unduh per bulan, lalu unggah satu per satu."))
    if content.startswith(b"PK\x03\x04") or content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadBankFile(_("Ini berkas Excel. Simpan sebagai CSV, atau unduh CSV dari bank, lalu unggah."))
    if content.startswith(b"%PDF-"):
        raise BadBankFile(_("Ini berkas PDF. Unduh CSV atau MT940 dari bank, lalu unggah."))
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BadBankFile(_("Isi berkas ini bukan teks yang dapat dibaca. Unduh lagi dari bank, lalu unggah."))


def is_mt940(text: str) -> bool:
    """Whether the text is an MT940 statement, with or without the envelope of its transport."""
    head = text.lstrip()[:2_000]
    return ":20:" in head and (":25:" in head or ":60" in head)


def rows_of(text: str) -> list[Row]:
    """The rows of a CSV, empty ones left out. Raises BadBankFile for what is no table."""
    lines = text.splitlines(keepends=True)
    # Excel's own hint about the delimiter is no row.
    hinted = lines[0].strip()[4:5] if lines and lines[0].lower().startswith("sep=") else ""
    if hinted:
        lines[0] = "\n"
    rows = _read(lines, hinted or delimiter_of(lines))
    if max((len(row.cells) for row in rows), default=0) < 3:
        raise BadBankFile(
            _("Berkas ini bukan tabel CSV dan bukan MT940. Unduh salah satunya dari bank, lalu unggah.")
        )
    return rows


def delimiter_of(lines: Sequence[str]) -> str:
    """The sign that cuts most lines into the same number of cells, at least three."""

    def regularity(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row.cells) for row in _read(lines[:LOOKED_AT], delimiter) if len(row.cells) >= 3)
        width, count = max(widths.items(), key=lambda found: (found[1], found[0]), default=(0, 0))
        return count, width

    return max(DELIMITERS, key=regularity)


def _read(lines: Sequence[str], delimiter: str) -> list[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[Row] = []
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            raise BadBankFile(
                _("Baris %(line)d tidak terbaca sebagai CSV. Unduh lagi berkasnya dari bank.", line=line)
            ) from error
        clean = tuple(cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS])
        if any(clean):
            rows.append(Row(line, clean))
        line = reader.line_num + 1
