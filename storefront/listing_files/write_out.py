"""Files that people take away: the template, the facility's listings, and what of an import was not stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask_babel import force_locale
from sqlalchemy import select

from storefront.catalogue.models import Product, ProductStatus
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listing_files.columns import BY_KEY, COLUMNS, EMPTIED, EXAMPLE, HEADINGS, REASONS, guarded
from storefront.listing_files.content import LISTS, cells_of
from storefront.listing_files.current import seen
from storefront.listing_files.models import ListingImport, ListingImportRow
from storefront.listing_files.words import Words, words_of
from storefront.listing_files.written_file import Table, file_of
from storefront.listings.listing import NET_UNITS

PRODUCTS_AT_ONCE = 500
SHEET = "Karya"
#: Told to whoever opens the template, in the language of its headings.
GUIDE = (
    (
        "Satu baris",
        "Satu varian: satu SKU dengan satu harga. Baris dari satu karya memakai kode karya yang sama.",
    ),
    (
        "Karya baru",
        "Kosongkan SKU. Isi kode karya, nama, bengkel, kategori, harga, dan berat. Hasilnya draf.",
    ),
    ("Mengubah", "Isi SKU dan kolom yang berubah saja. Sel kosong tidak mengubah apa pun."),
    ("Menghapus isi", f"Tulis {EMPTIED} di selnya."),
    (
        "Beberapa baris dalam satu sel",
        "Alt+Enter di Excel, Ctrl+Enter di LibreOffice. Titik dua, titik koma, atau garis miring terbalik yang termasuk"
        " isinya diawali garis miring terbalik (\\).",
    ),
    (
        "Surat dan pangan",
        "Kolomnya diisi bila kategorinya memintanya. Berkas suratnya diunggah di halaman karya sebelum dikirim ke"
        " kurator.",
    ),
    (
        "Langsung berlaku",
        "Harga, lama pengerjaan, kapasitas, dan stok. Yang lain menjadi usulan untuk kurator.",
    ),
    ("Contoh", f"Baris dengan kode karya {EXAMPLE} tidak dibaca."),
)
SAMPLE = {
    "key": EXAMPLE, "title": "Taplak batik motif kawung", "description": "Batik cap pada katun.",
    "scope": "Seluruh Indonesia",
    "option1": "Ukuran", "value1": "150 × 150 cm", "price": "125000", "material_cost": "45000", "weight": "400",
    "made_to_order": "tidak", "stock": "12", "is_active": "ya", "photos": "taplak-depan.jpg; taplak-detail.jpg",
    "alts": "Taplak cokelat terbentang di meja | Motif kawung dari dekat", "material": "Bahan: katun primisima",
    "care": "Perawatan: cuci dengan tangan", "detail": "Ukuran: 150 × 150 cm\nTeknik: batik cap",
}  # fmt: skip


def template(facility: Facility, format: str, delimiter: str = ";") -> bytes:
    """An empty file with one example row; spreadsheets also hold what each column means and what may be chosen."""
    words = words_of(facility.id)
    sample = dict(SAMPLE)
    for column in ("workshop", "category", "group"):
        sample[column] = next(iter(words.lists[column].written.values()), "")
    rows = [[sample.get(column.key, "") for column in COLUMNS]]
    return file_of(
        [Table(SHEET, HEADINGS, rows, _choices(words)), _guide(), _lists(words)], format, delimiter
    )


def listings(facility: Facility, format: str, delimiter: str = ";") -> bytes:
    """All that the facility lists but what it has archived, in the columns of an import."""
    words = words_of(facility.id)
    tables = [Table(SHEET, HEADINGS, _rows(facility.id, words), _choices(words)), _guide(), _lists(words)]
    return file_of(tables, format, delimiter)


def _rows(facility_id: int, words: Words) -> Iterator[Sequence[str | int]]:
    ids = db.session.scalars(
        select(Product.id)
        .where(Product.facility_id == facility_id, Product.status != ProductStatus.ARCHIVED.value)
        .order_by(Product.id)
    ).all()
    for start in range(0, len(ids), PRODUCTS_AT_ONCE):
        found = seen(ids[start : start + PRODUCTS_AT_ONCE])
        for product in sorted(found.values(), key=lambda product: product.id):
            for slot in range(len(product.content["variants"])):
                cells = {"key": product.slug, **cells_of(product.content, slot, words)}
                yield [_cell(column.key, cells.get(column.key, "")) for column in COLUMNS]


def _cell(key: str, text: str) -> str | int:
    return int(text) if BY_KEY[key].is_number and text.isdigit() else guarded(text)


def _choices(words: Words) -> dict[str, Sequence[str]]:
    lists: dict[str, Sequence[str]] = {
        BY_KEY[key].heading: list(words.lists[key].written.values()) for key in LISTS
    }
    lists[BY_KEY["food_net_unit"].heading] = NET_UNITS
    return lists | {column.heading: ("ya", "tidak") for column in COLUMNS if column.is_yes_no}


def _guide() -> Table:
    rows = [*GUIDE, *((column.heading, column.help) for column in COLUMNS)]
    return Table("Petunjuk", ("Bagian", "Artinya"), rows)


def _lists(words: Words) -> Table:
    columns = [list(map(guarded, words.lists[key].written.values())) for key in LISTS]
    longest = max(map(len, columns))
    rows = [[column[place] if place < len(column) else "" for column in columns] for place in range(longest)]
    return Table("Pilihan", [BY_KEY[key].heading for key in LISTS], rows)


def error_file(found: ListingImport, *, all_rows: bool = False) -> bytes:
    """The import's rows as they were uploaded, in the same format, with their reasons in a column before them.

    Unless `all_rows`, only those that were not stored, or whose photos were not.
    """
    headings = [heading for heading in found.layout["headings"] if heading.strip() != REASONS]
    places = [place for place, heading in enumerate(found.layout["headings"]) if heading.strip() != REASONS]
    statement = select(
        ListingImportRow.cells, ListingImportRow.faults, ListingImportRow.pictures, ListingImportRow.outcome,
        ListingImportRow.verdict,
    ).where(ListingImportRow.import_id == found.id)  # fmt: skip
    rows = []
    with force_locale(found.language):
        for row in db.session.execute(statement.order_by(ListingImportRow.row)):
            told = [*_reasons(row.faults), *(picture["text"] for picture in row.pictures)]
            if told or all_rows:
                cells = [row.cells[place] if place < len(row.cells) else "" for place in places]
                rows.append([guarded("\n".join(told)), *map(_as_uploaded, cells)])
    return file_of(
        [Table(SHEET, [REASONS, *headings], rows)], found.format, found.layout.get("delimiter", ";")
    )


def _as_uploaded(cell: str) -> str:
    """A cell as it came, which may have been guarded already."""
    return cell if cell.startswith("'") else guarded(cell)


def _reasons(faults: Sequence[dict[str, str]]) -> list[str]:
    return [
        f"{BY_KEY[fault['column']].heading}: {fault['text']}" if fault["column"] in BY_KEY else fault["text"]
        for fault in faults
    ]
