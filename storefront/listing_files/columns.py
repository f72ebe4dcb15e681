"""The columns of a file of listings: their headings, what they hold, and how a text is guarded in a cell.

The headings are part of the file's format, so they stay Indonesian in every language; English ones are read too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storefront.spreadsheet import FORMULA

#: Written into a cell, it takes away what stands there; an empty cell changes nothing.
EMPTIED = "(kosong)"
#: What it is read as: no text from outside holds this sign.
TAKEN_AWAY = "\0"
#: Rows with this product key are examples.
EXAMPLE = "CONTOH"
#: Heading of the column of reasons in an error file.
REASONS = "Alasan"
#: Between the names of photos, and between their descriptions.
PHOTO_BREAK, ALT_BREAK = ";", "|"


@dataclass(frozen=True)
class Column:
    """One column; `help` explains it on the template's second sheet."""

    key: str
    heading: str
    english: str
    help: str
    #: Of the product rather than of the variant in the row.
    of_product: bool = False
    is_number: bool = False
    is_yes_no: bool = False


COLUMNS = (
    Column("key", "Kode karya", "Product key", "Kata yang sama pada setiap baris dari satu karya, misalnya taplak-01."),
    Column("sku", "SKU", "SKU", "Kode satu varian. Kosongkan untuk varian baru: toko memberinya."),
    Column("title", "Nama karya", "Title", "3 sampai 140 huruf.", of_product=True),
    Column("title_en", "Nama karya (Inggris)", "Title (English)", "Boleh kosong.", of_product=True),
    Column("description", "Cerita", "Description", "Paling panjang 8.000 huruf.", of_product=True),
    Column("description_en", "Cerita (Inggris)", "Description (English)", "Boleh kosong.", of_product=True),
    Column("workshop", "Bengkel", "Workshop", "Salin dari lembar Pilihan.", of_product=True),
    Column("category", "Kategori", "Category", "Salin dari lembar Pilihan.", of_product=True),
    Column("group", "Kelompok komoditas", "Commodity group", "Dari lembar Pilihan, atau kosong.", of_product=True),
    Column("scope", "Dikirim ke", "Delivered to", "Salin dari lembar Pilihan.", of_product=True),
    Column("option1", "Pilihan 1", "Option 1", "Pembeda varian, misalnya Ukuran.", of_product=True),
    Column("value1", "Isi pilihan 1", "Value 1", "Misalnya XL."),
    Column("option2", "Pilihan 2", "Option 2", "Pembeda kedua, misalnya Warna.", of_product=True),
    Column("value2", "Isi pilihan 2", "Value 2", "Misalnya Nila."),
    Column("price", "Harga", "Price", "Rupiah bulat: 125000 atau Rp 125.000,-.", is_number=True),
    Column("material_cost", "Biaya bahan", "Material cost", "Rupiah untuk satu buah, atau kosong.", is_number=True),
    Column("weight", "Berat (gram)", "Weight (gram)", "Satu buah dengan kemasannya.", is_number=True),
    Column("made_to_order", "Dibuat sesuai pesanan", "Made to order", "ya atau tidak.", is_yes_no=True),
    Column("lead_time", "Lama pengerjaan (hari)", "Lead time (days)", "1 sampai 365, bila dibuat sesuai pesanan.",
           is_number=True),
    Column("capacity", "Kapasitas per minggu", "Weekly capacity", "Buah per minggu, bila dibuat sesuai pesanan.",
           is_number=True),
    Column("stock", "Stok", "Stock", "Jumlah yang dihitung di gudang. Kosong: stok tidak berubah.", is_number=True),
    Column("is_active", "Dijual", "On sale", "ya atau tidak.", is_yes_no=True),
    Column("photos", "Foto", "Photos", "Nama berkas di dalam ZIP, dipisah titik koma: depan.jpg; belakang.jpg.",
           of_product=True),
    Column("alts", "Keterangan foto", "Photo descriptions", "Apa yang terlihat, dipisah garis tegak: merah | biru.",
           of_product=True),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
HEADINGS = tuple(column.heading for column in COLUMNS)
SCOPES = {
    "nationwide": "Seluruh Indonesia",
    "province": "Provinsi yang sama",
    "same_city": "Kota yang sama",
    "pickup": "Ambil sendiri",
}
YES, NO = ("ya", "y", "yes", "true", "1", "benar"), ("tidak", "t", "no", "n", "false", "0", "salah")


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", heading.casefold())


_NAMES = {
    name: column.key
    for column in COLUMNS
    for name in map(_plain, (column.heading, column.english, column.key))
}


def keys_of(headings: Sequence[str]) -> list[str | None]:
    """The column that each heading names; None for one that we do not know, or that stands there twice."""
    seen: set[str] = set()
    keys: list[str | None] = []
    for heading in headings:
        key = _NAMES.get(_plain(heading))
        keys.append(key if key not in seen else None)
        if key:
            seen.add(key)
    return keys


def guarded(text: str) -> str:
    """A text as it stands in a cell: what a spreadsheet would run, or we would take otherwise, begins with `'`."""
    return f"'{text}" if FORMULA.match(text) or text.startswith("'") or text.strip() == EMPTIED else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    rest = text[1:]
    is_guard = text.startswith("'") and (
        FORMULA.match(rest) or rest.startswith("'") or rest.strip() == EMPTIED
    )
    return rest if is_guard else text


def read_cell(cell: str) -> str:
    """What a filled cell says: its text without the guard, or TAKEN_AWAY."""
    return TAKEN_AWAY if cell.strip().casefold() == EMPTIED else unguarded(cell)


def yes_no(text: str) -> bool | None:
    """`ya` or `tidak`, in the ways that people and spreadsheets write them; None for anything else."""
    plain = text.strip().casefold()
    return True if plain in YES else False if plain in NO else None
