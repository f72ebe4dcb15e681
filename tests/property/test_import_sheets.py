"""Whatever a sheet says: each row is stored, unchanged, or listed with a reason, as the dry run promised; and what is
listed goes out and comes back the same."""

from __future__ import annotations

import secrets
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.catalogue.models import Product, ProductFact
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.listing_files import keeping, reading, run, write_out
from storefront.listing_files.columns import COLUMNS
from storefront.listing_files.models import ListingImport
from storefront.listings import drafts
from storefront.listings.apply import apply
from storefront.listings.check import check
from storefront.listings.models import ListingDraft
from storefront.verify import imports
from storefront.verify.invariant import check as verify
from tests.factories import make_member
from tests.listing_files import csv_of, rows_of
from tests.selling import Shop, open_shop

#: Product key and SKU of a row: listed, new, of another facility, of nobody.
SUBJECTS = (
    ("", "PKL-BATIK"), ("kain-batik", "PKL-BATIK"), ("", "PKL-KURSI"), ("", "PKL-TEMPE"), ("a", ""), ("b", ""),
    ("c", ""), ("", ""), ("", "NML-MADU"), ("d", "HILANG-1"),
)  # fmt: skip
#: What may be written, and what is told as a fault.
CELLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "title": (("Taplak", "Kursi; jati", "=1+1"), ("x", "(kosong)")),
    "workshop": (("Batik",), ("Bengkel Kaca",)),
    "category": (("Kerajinan",), ("Lain",)),
    "price": (("5000", "Rp 1.250.000,-", "1,250,000"), ("0", "mahal", "12,5")),
    "weight": (("400",), ("0", "berat")),
    "stock": (("0", "7"), ("-1",)),
    "lead_time": (("7",), ("400",)),
    "made_to_order": (("ya", "tidak"), ("mungkin",)),
    "scope": (("Seluruh Indonesia", "Kota yang sama"), ("Bulan",)),
    "not_halal": (("ya", "tidak"), ("?",)),
    "halal_number": (("ID321100001234509",), ("12",)),
    "pirt_number": (("2063301010001-28",), ("x",)),
    "svlk_valid_until": (("1/6/2032", "2031-02-28"), ("besok",)),
    "sizes_note": (("± 2 cm",), ("x" * 301,)),
    "material": (("Katun", "Bahan: 1\\2; 3\nBenang\\: halus: sutra", "(kosong)"), ("B: x",)),
    "material_en": (("(kosong)",), ("a\nb\nc",)),
    "care": (("Perawatan: a: b", "'' cuci", "- "), ("\n".join(["a: b"] * 30),)),
    "description": (("Katun\nhalus", "\tlurus", "(kosong)"), ("x" * 8001,)),
}
FILLED = [column for column in COLUMNS if column.key in CELLS]
WHOLE = {"Nama karya": "Taplak baru", "Bengkel": "Batik", "Kategori": "Kerajinan", "Harga": "9000",
         "Berat (gram)": "300"}  # fmt: skip
TABLE = {
    "Kolom ukuran": "S; M",
    "Baris ukuran": "Dada\\: cm: 50,5; \n Panjang: ; 3",
    "Kolom ukuran (Inggris)": "S; M",
}
FOOD = {"Komposisi": "Kedelai", "Isi bersih": "1.000", "Satuan isi bersih": "gram", "Baik sebelum": "1/6/2032",
        "Cara menyimpan": "Dingin", "Tahan (hari)": "9"}  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """One row: of a product and a variant, what makes a new one whole, some columns more."""
    key, sku = draw(st.sampled_from(SUBJECTS))
    row = {"Kode karya": key, "SKU": sku}
    if not sku or draw(st.booleans()):
        row |= WHOLE
    row |= draw(st.sampled_from(({}, {}, TABLE, FOOD)))
    for column in draw(st.lists(st.sampled_from(FILLED), max_size=3, unique_by=lambda column: column.key)):
        good, bad = CELLS[column.key]
        row[column.heading] = draw(st.sampled_from(bad if draw(st.integers(0, 9)) == 9 else good))
    return row


SHEETS = st.lists(rows(), min_size=1, max_size=8, unique_by=lambda row: (row["SKU"], row["Kode karya"]))


def through(shop: Shop, person_id: int, content: bytes, on_fault: str = "") -> ListingImport:
    """Upload, read, and unless `on_fault` is empty run to the end."""
    found = keeping.upload(shop.pekalongan.id, "karya.csv", content, form_key=secrets.token_urlsafe(18),
                           language="id", person_id=person_id)  # fmt: skip
    db.session.commit()
    reading.read_import(found.id)
    db.session.commit()
    if found.state == "ready" and on_fault:
        keeping.begin(shop.pekalongan.id, found.id, on_fault, person_id)
        db.session.commit()
        run.work_on(shop.pekalongan.id, seconds=60)
    return db.session.get_one(ListingImport, found.id, populate_existing=True)


def publish(shop: Shop) -> None:
    """Let every draft through that can be read, as a curator does with its texts."""
    for draft in db.session.scalars(
        select(ListingDraft).where(ListingDraft.facility_id == shop.pekalongan.id)
    ).all():
        product = db.session.get(Product, draft.product_id) if draft.product_id else None
        try:
            listing = check(draft.content, None, facility_id=draft.facility_id, product_id=draft.product_id)
        except Invalid:
            continue
        apply(listing, shop.pekalongan, product, None)
        drafts.discard(draft, person_id=db.session.scalars(select(ListingImport.created_by)).first() or 0)
    db.session.commit()


def test_promised_rows_are_stored_or_listed_and_what_is_listed_comes_back(db_session: Session) -> None:
    shop = open_shop()
    person = make_member("coordinator", facility=shop.pekalongan)
    db_session.commit()
    person_id = person.id
    seen: dict[str, int] = {}

    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
    )
    @given(sheet=SHEETS, on_fault=st.sampled_from(("skip", "skip", "stop")))
    def each(sheet: list[dict[str, str]], on_fault: str) -> None:
        found = through(shop, person_id, csv_of(sheet), on_fault)
        if found.state == "refused":
            return
        kept = rows_of(found.id)
        assert found.ended_at is not None
        assert found.rows == len(kept) == (found.stored or 0) + (found.unchanged or 0) + (found.refused or 0)
        assert sum(bool(row.faults) for row in kept) == found.refused
        kept_promise: dict[str, tuple[str, ...]] = {
            "new": ("stored",), "change": ("stored",), "same": ("nothing",), "fault": ("fault",)
        }  # fmt: skip
        for row in kept:
            seen[row.verdict] = seen.get(row.verdict, 0) + 1
            may = (*kept_promise[row.verdict], *(("left",) if on_fault == "stop" else ()))
            assert row.outcome in may, (row.verdict, row.outcome, row.faults)
        # The same file once more changes nothing of what is known by its key or SKU.
        stored = {row.row for row in kept if row.outcome == "stored" and (row.key or row.sku)}
        again = through(shop, person_id, csv_of(sheet))
        assert [
            (row.changes, row.faults) for row in rows_of(again.id) if row.row in stored and row.changes
        ] == []

    each()
    assert min(seen.get(verdict, 0) for verdict in ("new", "change", "fault")) > 0, seen
    driver: Any = db_session.connection().connection.driver_connection
    assert all(finding.holds for finding in verify(driver, imports.INVARIANTS))
    full = {
        "Kode karya": "penuh",
        "SKU": "",
        **WHOLE,
        **TABLE,
        **FOOD,
        "Bahan": "a\\:b: c: d\\",
        "Bahan (Inggris)": "-",
    }
    through(shop, person_id, csv_of([full]), "skip")
    publish(shop)
    again = through(shop, person_id, write_out.listings(shop.pekalongan, "csv"))
    assert {(row.verdict, str(row.changes), str(row.faults)) for row in rows_of(again.id)} == {
        ("same", "[]", "[]")
    }
    assert db_session.scalar(select(func.count()).select_from(ProductFact))
