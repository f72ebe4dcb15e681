"""Files of listings for tests, and the way from upload to end without pages."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listing_files import keeping, reading
from storefront.listing_files.models import ListingImport, ListingImportRow
from storefront.people.models import Person
from tests.factories import make_member

NEW = {"Bengkel": "Batik", "Kategori": "Kerajinan", "Berat (gram)": "400"}


def csv_of(rows: Sequence[dict[str, Any]], delimiter: str = ";") -> bytes:
    """A CSV with the columns that the rows name."""
    headings = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headings, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def new_rows(number: int, **more: str) -> list[dict[str, str]]:
    """Rows of so many new products."""
    return [
        {
            "Kode karya": f"karya-{n}",
            "Nama karya": f"Taplak nomor {n}",
            "Harga": str(50_000 + n),
            **NEW,
            **more,
        }
        for n in range(1, number + 1)
    ]


def upload(
    facility: Facility, person: Person, content: bytes, name: str = "karya.csv", zips: Sequence[bytes] = ()
) -> int:
    """Keep a file, and commit."""
    found = keeping.upload(
        facility.id, name, content, form_key=secrets.token_urlsafe(18), language="id", person_id=person.id
    )
    for number, archive in enumerate(zips):
        keeping.add_photos(found, f"foto-{number}.zip", archive)
    db.session.commit()
    return found.id


def make_import(facility: Facility) -> int:
    """An import of the facility's that was read and waits to be run, committed."""
    import_id = upload(facility, make_member("coordinator", facility=facility), csv_of(new_rows(1)))
    reading.read_import(import_id)
    db.session.commit()
    return import_id


def run_through(
    facility: Facility,
    person: Person,
    content: bytes,
    run_jobs: Callable[[], None],
    *,
    name: str = "karya.csv",
    on_fault: str = "skip",
    zips: Sequence[bytes] = (),
) -> ListingImport:
    """Upload, read, run to the end."""
    import_id = upload(facility, person, content, name, zips)
    run_jobs()
    db.session.expire_all()
    keeping.begin(facility.id, import_id, on_fault, person.id)
    db.session.commit()
    run_jobs()
    return fresh(import_id)


def fresh(import_id: int) -> ListingImport:
    """An import as it is now."""
    db.session.rollback()
    return db.session.get_one(ListingImport, import_id, populate_existing=True)


def rows_of(import_id: int) -> list[ListingImportRow]:
    db.session.expire_all()
    statement = select(ListingImportRow).where(ListingImportRow.import_id == import_id)
    return list(db.session.scalars(statement.order_by(ListingImportRow.row)))


def told(row: ListingImportRow) -> dict[str, str]:
    """A row's faults by column."""
    return {fault["column"]: fault["text"] for fault in row.faults}
