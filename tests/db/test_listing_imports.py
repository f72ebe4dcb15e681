"""An import says beforehand what it will do, and does that: each product whole or not at all."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import Product, Variant
from storefront.listing_files import keeping, write_out
from storefront.listing_files.models import ListingImport
from storefront.listing_files.reading import open_sheet
from storefront.listing_files.reading import rows_of as rows_of_sheet
from storefront.listing_files.written_file import Table, file_of
from storefront.listings import drafts
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.media.storage import private_files
from storefront.people.models import Person
from storefront.stock.models import StockLevel, StockMovement
from tests.factories import make_member, make_photo
from tests.listing_files import NEW, csv_of, fresh, new_rows, rows_of, run_through, told, upload
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


def test_the_dry_run_says_what_each_row_will_do_and_stores_nothing(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    rows = [
        {"SKU": "PKL-BATIK", "Harga": "Rp 1.250.000,-", "Stok": "9"},
        {"SKU": "PKL-KURSI", "Lama pengerjaan (hari)": "20", "Cerita": "Kayu jati."},
        {"SKU": shop.tempeh.sku, "Harga": "15000"},
        {"SKU": shop.honey.sku, "Harga": "1"},
        {"SKU": "TIDAK-ADA", "Harga": "1"},
        *new_rows(1),
        {"Kode karya": "kosong", "Nama karya": "Taplak tanpa harga", **NEW},
        {
            "Kode karya": "dua",
            "Nama karya": "Baju",
            "Harga": "1,250,000",
            "Pilihan 1": "Ukuran",
            "Isi pilihan 1": "M",
            **NEW,
        },
        {"Kode karya": "dua", "Harga": "0", "Isi pilihan 1": "L", "Berat (gram)": "400"},
        {"Kode karya": "CONTOH", "Nama karya": "Contoh", "Harga": "abc"},
    ]
    import_id = upload(shop.pekalongan, person, csv_of(rows))
    run_jobs()
    found, read = fresh(import_id), rows_of(import_id)
    assert (found.state, found.rows) == ("ready", 9)
    assert [row.verdict for row in read] == [
        "change",
        "change",
        "same",
        "fault",
        "fault",
        "new",
        "fault",
        "fault",
        "fault",
    ]
    batik, chair, _, foreign, unknown, _, no_price, first, second = read
    assert {(c["column"], c["old"], c["new"], c["at_once"]) for c in batik.changes} == {
        ("price", "100000", "1250000", True),
        ("stock", "5", "9", True),
    }
    assert {(c["column"], c["at_once"]) for c in chair.changes} == {
        ("lead_time", True),
        ("description", False),
    }
    # Another facility's SKU is told as one that is not there at all.
    assert told(foreign)["sku"].replace(foreign.sku, "X") == told(unknown)["sku"].replace(unknown.sku, "X")
    assert "rupiah" in told(no_price)["price"]
    assert "rupiah" in told(second)["price"]
    assert f"Baris {second.row}" in told(first)["key"]
    assert db_session.scalar(select(func.count()).select_from(ListingDraft)) == 0
    assert db_session.scalars(select(Variant.price).where(Variant.id == shop.batik.id)).one() == 100_000


def test_a_run_stores_what_the_dry_run_said_and_accounts_for_every_row(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    rows = [
        {"SKU": shop.batik.sku, "Harga": "125.000", "Stok": "9", "Cerita": "Cap kawung.\nWarna alam."},
        {"SKU": shop.tempeh.sku, "Stok": ""},
        *new_rows(2, Stok="4"),
        {
            "Kode karya": "baju",
            "Nama karya": "Baju",
            "Harga": "1",
            "Pilihan 1": "Ukuran",
            "Isi pilihan 1": "M",
            **NEW,
        },
        {"Kode karya": "baju", "Harga": "2", "Isi pilihan 1": "L", "Berat (gram)": "400"},
        {"SKU": "HILANG-1", "Harga": "5"},
    ]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (found.state, found.rows, found.stored, found.unchanged, found.refused) == ("done", 7, 5, 1, 1)
    read = rows_of(found.id)
    assert [row.outcome for row in read] == [
        "stored",
        "nothing",
        "stored",
        "stored",
        "stored",
        "stored",
        "fault",
    ]
    assert read[0].done == {"price": [100_000, 125_000], "stock": [5, 9]}
    variant = db_session.get_one(Variant, shop.batik.id)
    assert variant.price == 125_000
    assert (
        db_session.scalars(select(StockLevel.on_hand).where(StockLevel.variant_id == variant.id)).one() == 9
    )
    moved = db_session.scalars(select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert moved is not None
    assert (moved.reason, moved.quantity, moved.person_id) == ("counted", 4, person.id)
    # What a curator looks at first is a proposal; what is listed stays.
    proposal = db_session.scalars(
        select(ListingDraft).where(ListingDraft.product_id == variant.product_id)
    ).one()
    assert proposal.content["description"] == "Cap kawung.\nWarna alam."
    assert db_session.get_one(Product, variant.product_id).description == ""
    made = db_session.scalars(
        select(ListingDraft).where(ListingDraft.product_id.is_(None)).order_by(ListingDraft.id)
    ).all()
    assert [draft.content["title"] for draft in made] == ["Taplak nomor 1", "Taplak nomor 2", "Baju"]
    assert [row["options"] for row in made[2].content["variants"]] == [["M"], ["L"]]
    assert made[0].content["variants"][0]["stock"] == "4"
    assert (
        db_session.scalar(select(func.count()).select_from(Product).where(Product.status != "published")) == 0
    )
    events = db_session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("%import%"))).all()
    assert sorted(events) == [
        "listing_import.begun", "listing_import.ended", "listing_import.read", "listing_import.uploaded",
        "product.imported",
    ]  # fmt: skip
    # The same file once more finds its own drafts: nothing comes twice.
    again = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert (again.stored, again.unchanged, again.refused) == (0, 6, 1)
    assert db_session.scalar(select(func.count()).select_from(ListingDraft)) == 4


def test_it_stops_at_the_first_fault_when_asked_and_lists_the_rest(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    rows = [*new_rows(2), {"SKU": "HILANG-1", "Harga": "5"}, *new_rows(4)[2:]]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs, on_fault="stop")
    assert (found.state, found.stored, found.refused) == ("stopped", 2, 3)
    assert [row.outcome for row in rows_of(found.id)] == ["stored", "stored", "fault", "left", "left"]
    assert all(row.faults for row in rows_of(found.id)[2:])
    # What was not stored comes back with reasons, is put right, and goes in alone.
    lines = write_out.error_file(found).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Alasan;Kode karya")
    assert len(lines) == 4
    fixed = "\r\n".join(line for line in lines if "HILANG" not in line).encode()
    second = run_through(shop.pekalongan, person, fixed, run_jobs)
    assert (second.state, second.stored, second.refused) == ("done", 2, 0)
    assert db_session.scalar(select(func.count()).select_from(ListingDraft)) == 4


def test_what_is_held_or_waits_for_a_curator_is_refused_with_its_reason(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    draft = drafts.draft_of(db_session.get_one(Product, shop.batik.product_id), person_id=person.id)
    draft.state, draft.submitted_by = "in_review", person.id
    draft.submitted_at = func.now()
    rows = [
        {"SKU": shop.batik.sku, "Harga": "99000"},
        {"SKU": shop.chair.sku, "Stok": "4"},
        {"SKU": shop.tempeh.sku, "Cerita": "Segar."},
    ]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    # The price needs no curator.
    assert [row.outcome for row in rows_of(found.id)] == ["stored", "fault", "stored"]
    rows = [{"SKU": shop.batik.sku, "Harga": "98000", "Cerita": "Baru."}]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs)
    assert "kurator" in told(rows_of(found.id)[0])["key"]
    assert db_session.scalars(select(Variant.price).where(Variant.id == shop.batik.id)).one() == 99_000


def test_an_export_read_again_changes_nothing(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    product = db_session.get_one(Product, shop.batik.product_id)
    product.title, product.description = '=HYPERLINK("a")', '\'+62\n"kutip"; 007 😀\t'
    product.description_en = "(kosong)"
    make_photo(product)
    db_session.commit()
    for format in ("csv", "xlsx", "ods"):
        content = write_out.listings(shop.pekalongan, format)
        import_id = upload(shop.pekalongan, person, content, f"karya.{format}")
        run_jobs()
        found = fresh(import_id)
        assert found.state == "ready", found.fault
        assert {(row.verdict, str(row.changes), str(row.faults)) for row in rows_of(import_id)} == {
            ("same", "[]", "[]")
        }
        assert found.rows == 3
        template = write_out.template(shop.pekalongan, format)
        import_id = upload(shop.pekalongan, person, template, f"templat.{format}")
        run_jobs()
        assert "tidak memuat satu karya" in fresh(import_id).fault


def test_a_stopped_import_keeps_what_it_stored_and_lists_the_rest(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    import_id = upload(shop.pekalongan, person, csv_of(new_rows(3)))
    run_jobs()
    keeping.begin(shop.pekalongan.id, import_id, "skip", person.id)
    keeping.stop(shop.pekalongan.id, import_id, person.id)
    db_session.commit()
    run_jobs()
    found = fresh(import_id)
    assert (found.state, found.stored, found.refused) == ("cancelled", 0, 3)
    assert all(row.faults for row in rows_of(import_id))


def test_photos_come_by_file_name_and_a_bad_one_costs_no_row(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    one = photos(
        {
            "Foto/Depan.JPG": picture(),
            "rusak.jpg": b"no picture",
            "a/dua.png": picture(),
            "b/DUA.png": picture(),
        }
    )
    other = photos({"__MACOSX/depan.jpg": b"x", "samping.jpg": picture(200)})
    rows = [
        {
            "Kode karya": "baju",
            "Nama karya": "Baju",
            "Harga": "9000",
            "Foto": "depan.jpg; rusak.jpg;dua.png; hilang.jpg; samping.jpg",
            "Keterangan foto": "Baju dari depan",
            **NEW,
        },
        {"SKU": shop.batik.sku, "Foto": "samping.jpg"},
    ]
    found = run_through(shop.pekalongan, person, csv_of(rows), run_jobs, zips=[one, other])
    assert (found.state, found.stored, found.refused) == ("done", 2, 0)
    new, changed = rows_of(found.id)
    assert {picture["name"]: picture["text"].split(".")[0] for picture in new.pictures} == {
        "dua.png": "Ada dua berkas bernama dua",
        "hilang.jpg": "Foto hilang",
        "rusak.jpg": "rusak",
    }
    assert changed.pictures == []
    drawn = db_session.scalars(
        select(DraftPhoto).where(DraftPhoto.draft_id == new.draft_id).order_by(DraftPhoto.position)
    ).all()
    assert [(photo.state, photo.alt) for photo in drawn] == [("ready", "Baju dari depan"), ("ready", "")]
    assert db_session.scalar(select(func.count()).where(DraftPhoto.draft_id == changed.draft_id)) == 1
    assert "hilang.jpg" in write_out.error_file(found).decode("utf-8-sig")
    # The same photo is not added twice.
    run_through(shop.pekalongan, person, csv_of(rows[1:]), run_jobs, zips=[other])
    assert db_session.scalar(select(func.count()).where(DraftPhoto.draft_id == changed.draft_id)) == 1


def picture(side: int = 120) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "brown").save(file, "JPEG")
    return file.getvalue()


def photos(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_files_are_kept_for_their_time(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    found = run_through(shop.pekalongan, person, csv_of(new_rows(1)), run_jobs)
    key = found.file_key or ""
    keeping.forget()
    assert private_files().exists(key)
    db_session.execute(update(ListingImport).values(created_at=func.now() - datetime.timedelta(days=91)))
    db_session.commit()
    keeping.forget()
    assert not private_files().exists(key)
    assert fresh(found.id).file_key is None
    assert len(rows_of(found.id)) == 1


@pytest.mark.parametrize("format", ["xlsx", "ods"])
def test_the_error_file_comes_back_in_the_format_of_the_upload(
    shop: Shop, person: Person, run_jobs: Jobs, format: str
) -> None:
    headings = ["SKU", "Nama karya", "Harga", "", "Warna"]
    rows = [
        ["PKL-BATIK", "", 5, "x", "=biru"],
        ["HILANG-1", "", "'=1+1", "", "007"],
        ["PKL-BATIK", "", 6, "", ""],
    ]
    content = file_of([Table("Karya", headings, rows)], format)
    found = run_through(shop.pekalongan, person, content, run_jobs, name=f"karya.{format}")
    assert [row.outcome for row in rows_of(found.id)] == ["fault", "fault", "fault"]
    assert "Warna" in found.remarks[0]
    back = list(open_sheet(write_out.error_file(found), format).rows)
    assert back[0][1][0] == "Alasan"
    assert back[0][1][1:4] == headings[:3]
    assert "Baris 4 dari karya yang sama" in back[1][1][0]
    assert "HILANG-1 tidak ada" in back[2][1][0]
    assert "sudah ada di baris 2" in back[3][1][0]
    # Put right and read again, it is as it was: neither the reasons nor the guards add up.
    again = rows_of_sheet(open_sheet(write_out.error_file(found), format))[2]
    assert [row.values["sku"] for row in again] == ["PKL-BATIK", "HILANG-1", "PKL-BATIK"]
    assert again[1].values["price"] == "=1+1"
    assert again[1].cells[-1] == "007"
