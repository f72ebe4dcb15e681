"""Two imports of listings: one that was run, with a few rows sent back, and one that waits to be looked at."""

from __future__ import annotations

import csv
import datetime
import io

from sqlalchemy import select, update

from storefront.audit.record import dated
from storefront.catalogue.models import Category, Product, Variant
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.listing_files import run
from storefront.listing_files.models import ListingImport, ListingImportRow
from storefront.listing_files.reading import read_import
from storefront.listings.models import ListingDraft
from storefront.media.storage import private_files

HEADINGS = ("Kode karya", "SKU", "Nama karya", "Bengkel", "Kategori", "Harga", "Berat (gram)", "Stok", "Pilihan 1",
            "Isi pilihan 1")  # fmt: skip


def add(facility: Facility, person_id: int, today: datetime.date) -> None:
    """Write both down, as if the coordinator had uploaded them. Commits."""
    workshop = db.session.scalars(
        select(Workshop.name).where(Workshop.facility_id == facility.id).order_by(Workshop.id)
    ).first()
    category = db.session.scalars(select(Category.name).order_by(Category.id)).first()
    skus = db.session.scalars(
        select(Variant.sku)
        .join(Product)
        .where(Product.facility_id == facility.id)
        .order_by(Variant.id)
        .limit(4)
    ).all()
    both = (workshop or "", category or "")
    new = [
        ("tas-lipat", "", "Tas lipat batik", *both, "85.000", "180", "10", "Ukuran", "Kecil"),
        ("tas-lipat", "", "", *both, "110.000", "240", "6", "Ukuran", "Besar"),
        ("dompet", "", "Dompet koin batik", *both, "delapan belas ribu", "60", "25", "", ""),
        ("syal", "", "Syal cap", "Bengkel Kaca", category or "", "Rp 95.000,-", "150", "4", "", ""),
    ]
    same = [("", sku, "", "", "", "", "", "", "", "") for sku in skus]
    moment = at(today - days(6), 9)
    with dated(moment):
        ended = _kept(
            facility, person_id, "karya-baru-november.csv", [*new, *same], moment, "demo-import-ended"
        )
        ended.on_fault, ended.begun_by, ended.begun_at = "skip", person_id, moment
        ended.state = "running"
        import_id = ended.id
        run.work_on(facility.id, seconds=60)
    db.session.get_one(ListingImport, import_id).ended_at = moment
    drafts = select(ListingImportRow.draft_id).where(ListingImportRow.import_id == import_id)
    db.session.execute(
        update(ListingDraft).where(ListingDraft.id.in_(drafts)).values(created_at=moment, changed_at=moment)
    )
    prices = [("", sku, "", "", "", "150.000", "", "", "", "") for sku in skus[:2]]
    moment = at(today - days(1), 8)
    with dated(moment):
        _kept(facility, person_id, "harga-desember.csv", [*prices, *new[2:]], moment, "demo-import-waits")
    db.session.commit()


def _kept(
    facility: Facility,
    person_id: int,
    name: str,
    rows: list[tuple[str, ...]],
    moment: datetime.datetime,
    key: str,
) -> ListingImport:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerows([HEADINGS, *rows])
    file_key = f"listing-imports/{facility.id}/{key}.csv"
    private_files().write(file_key, text.getvalue().encode("utf-8-sig"))
    found = ListingImport(
        facility_id=facility.id,
        form_key=key,
        file_name=name,
        format="csv",
        file_key=file_key,
        language="id",
        created_by=person_id,
        created_at=moment,
    )
    db.session.add(found)
    db.session.flush()
    read_import(found.id)
    found.read_at = moment
    db.session.flush()
    return found
