"""A marketplace's file of sales as rows of the columns that we need. All else, buyers above all, is left behind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.listing_files.keeping import format_of
from storefront.listing_files.reading import open_sheet
from storefront.listing_files.sheet import BadListingFile
from storefront.written import one_line

#: What we need of a row, and the headings that marketplaces are known to give it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("No. Pesanan", "Nomor Invoice", "Invoice", "Order ID", "Order Number"),
    "sold_on": ("Waktu Pesanan Dibuat", "Tanggal Pembayaran", "Tanggal", "Created Time", "Order Date"),
    "sku": ("Nomor Referensi SKU", "Nomor SKU", "SKU", "Seller SKU"),
    "quantity": ("Jumlah", "Jumlah Produk Dibeli", "Kuantitas", "Quantity"),
    "unit_price": ("Harga Setelah Diskon", "Harga Jual (IDR)", "Harga", "Unit Price"),
    "fee": ("Biaya", "Biaya Administrasi", "Biaya Layanan", "Fee"),
}
NEEDED = tuple(name for name in COLUMNS if name != "fee")
HEAD_ROWS = 20
MOST_ROWS = 2000


class HeadingsMissing(BadListingFile):
    """The columns that we need are not found by their headings."""

    def __init__(self, missing: Sequence[str], headings: Sequence[str]) -> None:
        super().__init__(
            _(
                "Kolom ini tidak ditemukan: %(missing)s. Judul di berkas: %(headings)s. Sesuaikan judulnya di bawah, "
                "lalu unggah lagi.",
                missing=", ".join(missing),
                headings=", ".join(headings)[:600] or "–",
            )
        )


def read(content: bytes, name: str, columns: Mapping[str, str]) -> list[list[Any]]:
    """The rows of a file: [number in the file, cell …], cells as COLUMNS orders them.

    `columns`: what we need → its heading in this marketplace's files; without one the known headings count.
    Raises BadListingFile.
    """
    sheet = open_sheet(content, format_of(content, name))
    wanted = {key: [columns[key]] if columns.get(key) else list(known) for key, known in COLUMNS.items()}
    places: dict[str, int] = {}
    best: list[str] = []
    rows: list[list[Any]] = []
    for place, (number, cells) in enumerate(sheet.rows):
        if not places:
            found = _places(cells, wanted)
            if all(key in found for key in NEEDED):
                places = found
            else:
                best = max(best, [one_line(cell) for cell in cells if cell.strip()], key=len)
                if place >= HEAD_ROWS:
                    break
            continue
        picked = [_cell(cells, places.get(key)) for key in COLUMNS]
        if any(picked):
            rows.append([number, *picked])
        if len(rows) > MOST_ROWS:
            raise BadListingFile(
                _("Berkas ini memuat lebih dari 2.000 baris. Unduh per minggu, lalu unggah satu per satu.")
            )
    if not places:
        plain = {_plain(heading) for heading in best}
        missing = [wanted[key][0] for key in NEEDED if not plain & {_plain(one) for one in wanted[key]}]
        raise HeadingsMissing(missing or [wanted[key][0] for key in NEEDED], best)
    if not rows:
        raise BadListingFile(_("Tidak ada satu penjualan pun di bawah judul kolomnya."))
    return rows


def _places(cells: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    plain = [_plain(cell) for cell in cells]
    found = {}
    for key, headings in wanted.items():
        for heading in headings:
            if _plain(heading) in plain:
                found[key] = plain.index(_plain(heading))
                break
    return found


def _cell(cells: Sequence[str], place: int | None) -> str:
    return one_line(cells[place])[:200].removeprefix("'") if place is not None and place < len(cells) else ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())
