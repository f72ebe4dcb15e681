"""All that a listing says stands in the file's columns: written out, read back, judged beside its cell."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.catalogue.models import (
    CategoryNeed,
    Product,
    ProductFact,
    ProductFood,
    ProductPaper,
    SizeTable,
)
from storefront.listing_files import write_out
from storefront.listing_files.columns import BY_KEY, COLUMNS
from storefront.listings.models import ListingDraft
from storefront.listings.read import listing_of
from storefront.listings.typed import typed
from storefront.people.models import Person
from tests.factories import make_member, make_variant
from tests.listing_files import NEW, csv_of, fresh, rows_of, run_through, told, upload
from tests.selling import Shop, open_shop

Jobs = Callable[[], None]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def person(shop: Shop, db_session: Session) -> Person:
    person = make_member("coordinator", facility=shop.pekalongan)
    db_session.commit()
    return person


def whole(product: Product, session: Session) -> Product:
    """The product with something, and something odd, in each field."""
    product.options, product.options_en = ["Ukuran", "Warna"], ["Size", "Colour"]
    [first] = product.variants
    first.options, first.options_en = ["M", "Nila"], ["M", "Indigo"]
    first.title, first.title_en = "M · Nila", "M · Indigo"
    make_variant(product, sku="PKL-BATIK-L", options=["L", "Merah; tua"], title="L · Merah; tua", position=2)
    facts = (
        ("detail", "Rasio 1:2", "", "tepi\\tengah", "a: b"),
        ("material", "Bahan", "Material", "Katun: 100%", ""),
        ("detail", "--", "", "=1+1", ""),
        ("care", "Perawatan", "", "-", ""),
        ("material", "Benang", "", "Sutra", "Silk; fine"),
    )
    for position, (kind, label, label_en, value, value_en) in enumerate(facts, start=1):
        fact = {"kind": kind, "label": label, "label_en": label_en, "value": value, "value_en": value_en}
        session.add(ProductFact(product_id=product.id, position=position, **fact))
    day = datetime.date(2031, 5, 1)
    session.add(ProductFood(product_id=product.id, composition="Kedelai, ragi", net_amount=250, net_unit="g",
                            storage="Dingin", storage_en="Cold", best_before=day, shelf_life_days=3,
                            allergens="kedelai"))  # fmt: skip
    for kind, number, until in (("halal", "ID321100001234509", None), ("pirt", "2063301010001-28", day)):
        session.add(ProductPaper(product_id=product.id, kind=kind, number=number, valid_until=until,
                                 issued_by="Dinas", document_key="papers/a.pdf"))  # fmt: skip
    session.add(SizeTable(product_id=product.id, title="Ukuran", columns=["S; M", "L"], columns_en=["S", "L"],
                          rows=["Dada: cm", "Panjang"], cells=[["50,5", ""], ["", "a\\b; c"]],
                          note="± 2 cm"))  # fmt: skip
    session.commit()
    return product


@pytest.mark.parametrize("format", ["csv", "xlsx", "ods"])
def test_everything_that_is_listed_goes_out_and_comes_back_the_same(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs, format: str
) -> None:
    whole(db_session.get_one(Product, shop.batik.product_id), db_session)
    content = write_out.listings(shop.pekalongan, format)
    found = run_through(shop.pekalongan, person, content, run_jobs, name=f"karya.{format}")
    assert {(row.verdict, row.outcome, str(row.changes), str(row.faults)) for row in rows_of(found.id)} == {
        ("same", "nothing", "[]", "[]")
    }
    assert (found.rows, found.unchanged) == (4, 4)
    assert db_session.scalars(select(ListingDraft)).all() == []


def exported(shop: Shop) -> list[dict[str, str]]:
    """The rows of the facility's export."""
    text = write_out.listings(shop.pekalongan, "csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def test_a_listing_is_written_whole_from_a_sheet(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    product = whole(db_session.get_one(Product, shop.batik.product_id), db_session)
    rows = [
        {**row, "Kode karya": "baru", "SKU": ""}
        for row in exported(shop)
        if row["SKU"].startswith("PKL-BATIK")
    ]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert [row.verdict for row in rows_of(found.id)] == ["new", "new"], [
        told(row) for row in rows_of(found.id)
    ]
    draft = db_session.scalars(select(ListingDraft).where(ListingDraft.product_id.is_(None))).one()

    def compared(content: dict[str, Any]) -> dict[str, Any]:
        apart = ("id", "sku", "stock", "photo")
        return {
            **content,
            "variants": [{n: v for n, v in row.items() if n not in apart} for row in content["variants"]],
            "papers": sorted(({**p, "document_key": None} for p in content["papers"]), key=lambda p: p["kind"]),
            # A sheet says materials first, then care, then the rest.
            "facts": sorted(content["facts"], key=lambda fact: fact["kind"]),
        }  # fmt: skip

    assert compared(draft.content) == compared(typed(listing_of(product)))
    # The papers' files are for the editor: that is said beside their numbers.
    remarks = {remark["column"]: remark["text"] for row in rows_of(found.id) for remark in row.remarks}
    assert {"halal_number", "pirt_number"} <= remarks.keys()
    assert "Berkas suratnya belum ada" in remarks["pirt_number"]
    again = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (again.stored, again.unchanged, again.refused) == (0, 2, 0)


def test_a_changed_text_keeps_its_neighbours_and_takes_its_english_from_the_file(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    product = whole(db_session.get_one(Product, shop.batik.product_id), db_session)
    before = typed(listing_of(product))
    first, *others = [row for row in exported(shop) if row["SKU"].startswith("PKL-BATIK")]
    change = {"Bahan": "Katun primisima\nBenang: Sutra", "Alergen": "(kosong)", "Akhir P-IRT": "1/6/2032"}
    rows = [{**row, **change} for row in (first, *others)]
    rows[0]["Isi pilihan 2"] = "Biru"  # its English stays `Indigo`, for the file says so
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (found.stored, found.unchanged, found.refused) == (1, 1, 0)
    content = db_session.scalars(select(ListingDraft)).one().content
    assert [(fact["kind"], fact["label"], fact["value"], fact["value_en"]) for fact in content["facts"]] == [
        ("detail", "Rasio 1:2", "tepi\\tengah", "a: b"),
        ("material", "Bahan", "Katun primisima", ""),
        ("detail", "--", "=1+1", ""),
        ("care", "Perawatan", "-", ""),
        ("material", "Benang", "Sutra", "Silk; fine"),
    ]
    assert content["food"] == {**before["food"], "allergens": ""}
    assert [paper["document_key"] for paper in content["papers"]] == ["papers/a.pdf", "papers/a.pdf"]
    assert content["papers"][1]["valid_until"] == "2032-06-01"
    assert content["variants"][0]["options_en"] == ["M", "Indigo"]
    assert content["sizes"] == before["sizes"]
    again = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (again.stored, again.unchanged, again.refused) == (0, 2, 0)
    # Without a word on the English, what is written anew has none, and the dry run says so.
    lone = [{"SKU": "PKL-BATIK", "Bahan": "Rami"}]
    import_id = upload(shop.pekalongan, person, csv_of(lone))
    run_jobs()
    [row] = rows_of(import_id)
    assert {(change["column"], change["new"]) for change in row.changes} == {
        ("material", "Bahan: Rami"),
        ("material_en", ""),
    }


def test_each_fault_is_told_beside_its_cell(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    faults = {
        "Keterangan lain": ("katun saja", "judul"),
        "Bahan (Inggris)": ("Material: cotton", "berbahasa Indonesia"),
        "Isi bersih": ("dua ons", "Isi bersih"),
        "Satuan isi bersih": ("ons", "g, ml, atau pcs"),
        "Baik sebelum": ("besok", "2026-11-30"),
        "Komposisi (Inggris)": ("a" * 1001, "1000 huruf"),
        "Kolom ukuran": ("; ".join("ABCDEFGHI"), "8 kolom"),
        "Kolom ukuran (Inggris)": ("A", "jumlahnya"),
        "Baris ukuran": (f"Dada: {'; '.join('0123456789')}", "lebih banyak daripada kolomnya"),
        "Nomor P-IRT": ("123", "belum lengkap"),
        "Akhir P-IRT": ("2031-02-30", "2026-11-30"),
        "Penerbit SVLK": ("x" * 121, "120 huruf"),
        "Tidak halal": ("mungkin", "ya atau tidak"),
        "Isi pilihan 1 (Inggris)": ("Large", "berbahasa Indonesia"),
    }
    rows = [
        {"Kode karya": f"karya-{place}", "Nama karya": "Taplak", "Harga": "5000", **NEW, name: cell}
        for place, (name, (cell, _said)) in enumerate(faults.items())
    ]
    import_id = upload(shop.pekalongan, person, csv_of(rows))
    run_jobs()
    headings = {column.key: column.heading for column in COLUMNS}
    for row, (name, (_cell, said)) in zip(rows_of(import_id), faults.items(), strict=True):
        told_of = {headings[column]: text for column, text in told(row).items()}
        assert row.verdict == "fault", name
        assert said.casefold() in told_of.get(name, "").casefold(), (name, told_of)


def test_what_the_category_asks_for_is_said_and_costs_no_row(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    product = db_session.get_one(Product, shop.tempeh.product_id)
    for need in ("food", "registration", "halal", "material", "sizes"):
        db_session.add(CategoryNeed(category_id=product.category_id, need=need))
    db_session.commit()
    category = product.category.slug
    base = {"Harga": "5000", **NEW, "Kategori": category}
    rows = [
        {"Kode karya": "a", "Nama karya": "Keripik", **base},
        {
            "Kode karya": "b", "Nama karya": "Keripik pedas", **base, "Nomor P-IRT": "2063301010001-28",
            "Akhir P-IRT": "2031-01-31", "Tidak halal": "ya", "Komposisi": "Singkong", "Isi bersih": "250",
            "Satuan isi bersih": "gram", "Tahan (hari)": "30", "Cara menyimpan": "Kering", "Bahan": "Singkong",
            "Kolom ukuran": "S; M", "Baris ukuran": "Dada: 1; 2",
        },
    ]  # fmt: skip
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (found.stored, found.refused) == (2, 0), [told(row) for row in rows_of(found.id)]
    bare, full = ({remark["column"] for remark in row.remarks} for row in rows_of(found.id))
    assert bare == {"food_composition", "pirt_number", "halal_number", "material", "sizes_rows"}
    assert full == {"pirt_number"}
    assert fresh(found.id).state == "done"


def test_the_template_explains_every_column() -> None:
    assert all(column.help and len(column.heading) < 40 for column in COLUMNS)
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS) == len(BY_KEY)
