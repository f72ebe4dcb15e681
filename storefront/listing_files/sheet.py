"""A sheet as it was read: rows of texts, and what is said of single cells. Its limits, and why a file is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.errors import DomainError

#: Of one file, and of one ZIP of photos.
MOST_BYTES = 12 * 1024 * 1024
MOST_ZIP_BYTES = 20 * 1024 * 1024
#: Rows below the heading.
MOST_ROWS = 10_000
MOST_COLUMNS = 100
#: No cell may stand further down, whatever lies between.
LAST_ROW = 3 * MOST_ROWS
MOST_UNPACKED = 120 * 1024 * 1024
MOST_MEMBERS = 2000


class BadListingFile(DomainError):
    """The file as a whole cannot be read; the sentence says why and what to do."""

    code, status = "bad_listing_file", 422
    message = _l(
        "Berkas ini bukan XLSX, ODS, atau CSV yang dapat dibaca. Simpan ulang dari aplikasinya, lalu unggah."
    )


def too_many_rows() -> BadListingFile:
    return BadListingFile(
        _(
            "Berkas ini memuat lebih dari %(most)s baris. Bagi menjadi beberapa berkas.",
            most=f"{MOST_ROWS:,}".replace(",", "."),
        )
    )


def too_wide() -> BadListingFile:
    return BadListingFile(
        _("Ada isi jauh di luar tabel. Hapus sel di bawah dan di kanan tabelnya, simpan, lalu unggah lagi.")
    )


def too_large_inside() -> BadListingFile:
    return BadListingFile(
        _("Isi berkas ini terlalu besar setelah dibuka. Simpan ulang tanpa gambar dan tanpa lembar lain.")
    )


@dataclass(frozen=True)
class Mark:
    """What is said of a cell: `fault` when its row cannot be used."""

    text: str
    is_fault: bool


@dataclass
class Sheet:
    """Rows by their number in the file; empty ones are left out."""

    rows: Iterator[tuple[int, list[str]]]
    #: (row, column from 0) → what is said of that cell.
    marks: dict[tuple[int, int], Mark] = field(default_factory=dict)
    #: Cells that hold a number with a fraction, a percentage or a date: no price and no count.
    odd: dict[tuple[int, int], str] = field(default_factory=dict)
    #: Sentences about the file as a whole.
    remarks: list[str] = field(default_factory=list)
    delimiter: str = ";"


def cell_name(row: int, column: int) -> str:
    """`B5`, as spreadsheets name the cell of column 1 (from 0) in row 5."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
