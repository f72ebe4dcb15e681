"""Imports from upload to the end of their time: kept, begun, stopped, thrown away, forgotten."""

from __future__ import annotations

import datetime
import secrets

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.errors import DomainError, NotFound
from storefront.extensions import db, defer
from storefront.listing_files import pictures, run
from storefront.listing_files.models import (
    ENDED,
    ImportState,
    ListingImport,
    ListingImportArchive,
    ListingImportRow,
)
from storefront.listing_files.sheet import MOST_BYTES, BadListingFile
from storefront.media.storage import private_files
from storefront.written import one_line

KEPT_DAYS = 90
MOST_ARCHIVES = 20
ON_FAULT = ("skip", "stop")


class ImportMoved(DomainError):
    """It is no longer in the state that this step begins in."""

    code, status = "import_state", 409
    message = _l("Impor ini sudah berada di langkah lain. Lihat keadaannya di bawah.")


def own_import(facility_id: int, import_id: int, *, lock: bool = False) -> ListingImport:
    """The facility's own import. Raises NotFound for another's, as if it did not exist."""
    statement = select(ListingImport).where(
        ListingImport.id == import_id, ListingImport.facility_id == facility_id
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(statement)
    if found is None or found.state == ImportState.DISCARDED:
        raise NotFound()
    return found


def format_of(content: bytes, name: str) -> str:
    """`xlsx`, `ods` or `csv`, by what the file holds. Raises BadListingFile."""
    if not content:
        raise BadListingFile(_("Pilih berkas daftar karyanya dulu."))
    if len(content) > MOST_BYTES:
        raise BadListingFile(_("Berkas ini lebih besar dari 12 MB. Bagi menjadi beberapa berkas."))
    if content.startswith(b"PK\x03\x04"):
        is_ods = b"application/vnd.oasis.opendocument.spreadsheet" in content[:200]
        return "ods" if is_ods or name.casefold().endswith(".ods") else "xlsx"
    if content.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise BadListingFile()
    return "csv"


def upload(
    facility_id: int, name: str, content: bytes, *, form_key: str, language: str, person_id: int
) -> ListingImport:
    """Keep a file and queue its reading; the same form keeps it once. Never commits. Raises BadListingFile."""
    format = format_of(content, name)
    key = f"listing-imports/{facility_id}/{secrets.token_hex(12)}.{format}"
    made = db.session.execute(
        upsert(ListingImport)
        .values(
            facility_id=facility_id,
            form_key=form_key,
            file_name=one_line(name)[:200] or "-",
            format=format,
            file_key=key,
            language=language,
            created_by=person_id,
        )
        .on_conflict_do_nothing(index_elements=["form_key"])
        .returning(ListingImport.id)
    ).scalar()
    if made is None:
        return db.session.execute(
            select(ListingImport).where(
                ListingImport.form_key == form_key, ListingImport.facility_id == facility_id
            )
        ).scalar_one()
    private_files().write(key, content)
    details = {"file": one_line(name)[:200], "bytes": len(content)}
    record(
        "listing_import.uploaded",
        "listing_import",
        made,
        person_id=person_id,
        facility_id=facility_id,
        details=details,
    )
    defer("listing_files.read", import_id=made)
    return db.session.get_one(ListingImport, made)


def add_photos(found: ListingImport, name: str, content: bytes) -> None:
    """Keep a ZIP of photos, and read the file anew. Never commits. Raises BadArchive, ImportMoved."""
    if found.state not in (ImportState.READING, ImportState.READY):
        raise ImportMoved()
    pictures.open_archive(content)
    there = db.session.scalar(
        select(func.count())
        .select_from(ListingImportArchive)
        .where(ListingImportArchive.import_id == found.id)
    )
    if (there or 0) >= MOST_ARCHIVES:
        raise pictures.BadArchive(_("Satu impor memuat paling banyak 20 ZIP."))
    key = f"listing-imports/{found.facility_id}/{secrets.token_hex(12)}.zip"
    private_files().write(key, content)
    db.session.add(
        ListingImportArchive(import_id=found.id, file_name=one_line(name)[:200] or "-", file_key=key)
    )
    found.state = ImportState.READING.value
    db.session.flush()
    defer("listing_files.read", import_id=found.id)


def begin(facility_id: int, import_id: int, on_fault: str, person_id: int) -> ListingImport:
    """Run what was read; `on_fault` is `stop` or `skip`. Pressed twice, it runs once. Never commits."""
    found = own_import(facility_id, import_id, lock=True)
    if found.begun_at is not None:
        return found
    if found.state != ImportState.READY or on_fault not in ON_FAULT:
        raise ImportMoved()
    begun_at = db.session.execute(select(func.clock_timestamp())).scalar_one()
    found.state, found.on_fault = ImportState.RUNNING.value, on_fault
    found.begun_at, found.begun_by = begun_at, person_id
    db.session.flush()
    record("listing_import.begun", "listing_import", found.id, person_id=person_id, facility_id=facility_id,
           details={"on_fault": on_fault, "rows": found.rows})  # fmt: skip
    run.queue(facility_id)
    return found


def stop(facility_id: int, import_id: int, person_id: int) -> ListingImport:
    """Ask a running import to end; what is stored stays. Never commits."""
    found = own_import(facility_id, import_id, lock=True)
    if found.state in (*ENDED, ImportState.STOPPING):
        return found
    if found.state != ImportState.RUNNING:
        raise ImportMoved()
    found.state = ImportState.STOPPING.value
    record("listing_import.stopped", "listing_import", found.id, person_id=person_id, facility_id=facility_id)
    run.queue(facility_id)
    return found


def discard(facility_id: int, import_id: int, person_id: int) -> None:
    """Throw away what was never run. Never commits."""
    found = own_import(facility_id, import_id, lock=True)
    if found.state not in (ImportState.READING, ImportState.READY, ImportState.REFUSED):
        raise ImportMoved()
    found.state = ImportState.DISCARDED.value
    db.session.execute(delete(ListingImportRow).where(ListingImportRow.import_id == found.id))
    record(
        "listing_import.discarded", "listing_import", found.id, person_id=person_id, facility_id=facility_id
    )


def forget() -> None:
    """Delete the files of imports that are older than 90 days; their rows stay. Commits, one import at a time."""
    while True:
        found = db.session.scalar(
            select(ListingImport)
            .where(
                ListingImport.file_key.is_not(None),
                ListingImport.created_at < func.now() - datetime.timedelta(days=KEPT_DAYS),
                ListingImport.state.not_in((ImportState.RUNNING, ImportState.STOPPING)),
            )
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if found is None:
            db.session.rollback()
            return
        archives = db.session.scalars(
            select(ListingImportArchive).where(ListingImportArchive.import_id == found.id)
        )
        for archive in archives.all():
            private_files().delete(archive.file_key)
            db.session.delete(archive)
        private_files().delete(found.file_key or "")
        found.file_key = None
        if found.state in (ImportState.READY, ImportState.READING):
            found.state = ImportState.DISCARDED.value
        db.session.commit()
