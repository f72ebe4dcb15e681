"""The columns of a file of listings, in their order: what each is called, what it means, what it holds."""

from __future__ import annotations

from dataclasses import dataclass


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
    is_day: bool = False
    #: Where it stands in a listing as typed when that is not under its key: facts, food, papers, sizes.
    part: tuple[str, ...] = ()
    #: Letters that are let through; 0: the check of a listing says it.
    longest: int = 0


_LINES = "Satu baris sel untuk satu keterangan (Alt+Enter): "
_SAME_LINES = "Baris yang sama dalam bahasa Inggris, tanda - bila tidak ada."


def _fact(kind: str, heading: str, english: str, example: str) -> tuple[Column, Column]:
    """A kind of facts, one on each line of the cell, and their English."""
    return (
        Column(kind, heading, english, _LINES + example, of_product=True, part=("facts", kind)),
        Column(f"{kind}_en", f"{heading} (Inggris)", f"{english} (English)", _SAME_LINES, of_product=True,
               part=("facts", kind)),
    )  # fmt: skip


def _food(name: str, heading: str, english: str, help: str, **more: bool | int) -> Column:
    return Column(f"food_{name}", heading, english, help, of_product=True, part=("food", name), **more)  # type: ignore[arg-type]


def _sizes(name: str, heading: str, english: str, help: str, longest: int = 0) -> Column:
    return Column(
        f"sizes_{name}", heading, english, help, of_product=True, part=("sizes", name), longest=longest
    )


def _paper(kind: str, paper: str, english: str, example: str) -> tuple[Column, Column, Column]:
    """Number, issuer and last day of one kind of paper."""
    return (
        Column(f"{kind}_number", f"Nomor {paper}", f"{english} number",
               f"{example} Berkasnya diunggah di halaman karya.", of_product=True, part=("papers", kind, "number")),
        Column(f"{kind}_issued_by", f"Penerbit {paper}", f"{english} issuer", "Boleh kosong.", of_product=True,
               part=("papers", kind, "issued_by"), longest=120),
        Column(f"{kind}_valid_until", f"Akhir {paper}", f"{english} valid until", "Hari terakhir: 2027-11-30.",
               of_product=True, part=("papers", kind, "valid_until"), is_day=True),
    )  # fmt: skip


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
    Column("option1_en", "Pilihan 1 (Inggris)", "Option 1 (English)", "Misalnya Size, atau kosong.", of_product=True),
    Column("value1", "Isi pilihan 1", "Value 1", "Misalnya XL."),
    Column("value1_en", "Isi pilihan 1 (Inggris)", "Value 1 (English)", "Misalnya Extra large, atau kosong.",
           longest=60),
    Column("option2", "Pilihan 2", "Option 2", "Pembeda kedua, misalnya Warna.", of_product=True),
    Column("option2_en", "Pilihan 2 (Inggris)", "Option 2 (English)", "Misalnya Colour, atau kosong.", of_product=True),
    Column("value2", "Isi pilihan 2", "Value 2", "Misalnya Nila."),
    Column("value2_en", "Isi pilihan 2 (Inggris)", "Value 2 (English)", "Misalnya Indigo, atau kosong.", longest=60),
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
    Column("alts_en", "Keterangan foto (Inggris)", "Photo descriptions (English)", "Urutannya sama: red | blue.",
           of_product=True),
    *_fact("material", "Bahan", "Material", "Bahan: katun primisima."),
    *_fact("care", "Perawatan", "Care", "Perawatan: cuci dengan tangan."),
    *_fact("detail", "Keterangan lain", "Other details", "Ukuran: 150 × 150 cm."),
    _food("composition", "Komposisi", "Composition", "Untuk pangan; bahan terbanyak lebih dulu."),
    _food("composition_en", "Komposisi (Inggris)", "Composition (English)", "Boleh kosong.", longest=1000),
    _food("net_amount", "Isi bersih", "Net amount", "Bilangan bulat, misalnya 250.", is_number=True),
    _food("net_unit", "Satuan isi bersih", "Net unit", "g, ml, atau pcs."),
    _food("shelf_life_days", "Tahan (hari)", "Shelf life (days)", "Dihitung sejak dikemas.", is_number=True),
    _food("best_before", "Baik sebelum", "Best before", "Tanggal seperti 2027-11-30, atau isi Tahan (hari).",
          is_day=True),
    _food("storage", "Cara menyimpan", "Storage", "Misalnya: simpan di tempat sejuk dan kering."),
    _food("storage_en", "Cara menyimpan (Inggris)", "Storage (English)", "Boleh kosong.", longest=300),
    _food("allergens", "Alergen", "Allergens", "Misalnya kacang tanah; kosong bila tidak ada."),
    _food("allergens_en", "Alergen (Inggris)", "Allergens (English)", "Boleh kosong.", longest=300),
    _sizes("title", "Judul tabel ukuran", "Size table title", "Kosong: Ukuran.", 80),
    _sizes("title_en", "Judul tabel ukuran (Inggris)", "Size table title (English)", "Boleh kosong.", 80),
    _sizes("columns", "Kolom ukuran", "Size columns", "Dipisah titik koma: S; M; L. Paling banyak 8."),
    _sizes("columns_en", "Kolom ukuran (Inggris)", "Size columns (English)", "Urutannya sama, atau kosong."),
    _sizes("rows", "Baris ukuran", "Size rows", "Satu baris sel untuk satu baris tabel: Lebar dada: 50; 52; 54."),
    _sizes("note", "Catatan ukuran", "Size note", "Boleh kosong.", 300),
    _sizes("note_en", "Catatan ukuran (Inggris)", "Size note (English)", "Boleh kosong.", 300),
    *_paper("halal", "sertifikat halal", "Halal certificate", "Misalnya ID32110000123450922."),
    Column("not_halal", "Tidak halal", "Not halal", "ya bila karya ini tidak halal; selain itu kosong.",
           of_product=True, is_yes_no=True, part=("papers", "not_halal")),
    *_paper("pirt", "P-IRT", "P-IRT", "Misalnya 2063301010001-28."),
    *_paper("bpom", "BPOM", "BPOM", "Misalnya MD123456789012."),
    *_paper("cosmetic", "notifikasi kosmetik", "Cosmetic notification", "Misalnya NA18201234567."),
    *_paper("svlk", "SVLK", "SVLK", "Nomor dokumennya, seperti tertulis di suratnya."),
)  # fmt: skip
