"""Files of programmes: kept, looked at, then stored as it was promised, or thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from flask_babel import gettext as _g
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.audit.record import record as trail
from storefront.books.four_eyes import moment
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.people.models import Person
from storefront.training import letters, record, sheet
from storefront.training.judge import Judged, Verdict, judge
from storefront.training.models import TrainingImport
from storefront.training.no_person import looks_like_a_person
from storefront.written import one_line

#: Imports that the page lists.
SHOWN = 30


class ImportMoved(DomainError):
    """What would be stored is no longer what the person saw."""

    code, status = "training_import_moved", 409
    message = _(
        "Berkas ini sudah disimpan atau dibuang, atau catatannya berubah sejak halaman ini dibuka. Lihat di bawah."
    )


class NothingSound(DomainError):
    code, status = "training_import_empty", 422
    message = _("Tidak ada baris yang dapat disimpan. Perbaiki berkasnya, lalu unggah lagi.")


def keep(facility_id: int, content: bytes, name: str, *, form_key: str, person_id: int) -> TrainingImport:
    """Read an uploaded file and keep its rows; the same form keeps it once. Never commits.

    Raises Invalid (`file`), BadListingFile.
    """
    if not content:
        raise Invalid({"file": _g("Pilih berkas pelatihannya dulu.")})
    # Two taps of one form: the second waits for the first here and finds what it kept.
    _lock(facility_id)
    known = db.session.scalar(select(TrainingImport).where(TrainingImport.form_key == form_key))
    if known is not None:
        if known.facility_id != facility_id:
            raise NotFound()
        return known
    workshops = db.session.scalars(select(Workshop.name).where(Workshop.facility_id == facility_id)).all()
    format, rows, remarks = sheet.read(content, name, workshops)
    found = TrainingImport(
        facility_id=facility_id, form_key=form_key, file_name=_file_name(name, format), format=format, rows=rows,
        remarks=remarks, uploaded_by=person_id, uploaded_at=moment(None),
    )  # fmt: skip
    db.session.add(found)
    db.session.flush()
    _trail(found, "read", person_id, {"rows": len(rows)})
    return found


def store(facility_id: int, import_id: int, digest: str, *, person_id: int) -> TrainingImport:
    """Record every sound row; the others say why not. Stored and faulty rows are all rows. Never commits.

    `digest`: of the verdict that the person saw. Raises NotFound, ImportMoved, NothingSound.
    """
    # Two who store files of one facility at once: the second waits, and then sees what the first has recorded.
    _lock(facility_id)
    found = own(facility_id, import_id, lock=True)
    if found.state != "ready":
        raise ImportMoved()
    verdict = judge(found)
    if verdict.digest != digest:
        raise ImportMoved()
    if not verdict.sound:
        raise NothingSound()
    outcomes = [_stored(facility_id, row, person_id) for row in verdict.rows]
    found.state, found.ended_by, found.ended_at = "stored", person_id, moment(None)
    found.outcomes, found.stored, found.faults = outcomes, verdict.sound, verdict.faults
    db.session.flush()
    letters.tell_office(person_id)
    _trail(found, "imported", person_id, {"stored": verdict.sound, "faults": verdict.faults})
    return found


def discard(facility_id: int, import_id: int, person_id: int) -> None:
    """Throw away what was not stored. Never commits. Raises NotFound, ImportMoved."""
    found = own(facility_id, import_id, lock=True)
    if found.state != "ready":
        raise ImportMoved()
    found.state, found.ended_by, found.ended_at = "discarded", person_id, moment(None)
    db.session.flush()
    _trail(found, "discarded", person_id, {})


def own(facility_id: int, import_id: int, *, lock: bool = False) -> TrainingImport:
    """The facility's own import. Raises NotFound for another's, as if it did not exist."""
    found = db.session.get(TrainingImport, import_id, with_for_update=lock or None, populate_existing=lock)
    if found is None or found.facility_id != facility_id or found.state == "discarded":
        raise NotFound()
    return found


def verdict_of(found: TrainingImport) -> Verdict:
    """What the file would become now; once it is stored, what became of it."""
    if found.outcomes is None:
        return judge(found)
    by_number = {one["row"]: one for one in found.outcomes}
    return Verdict(
        [
            Judged(number, cells, faults=[(key, said) for key, said in by_number[number]["faults"]])
            for number, *cells in found.rows
        ]
    )


def programme_of(found: TrainingImport) -> dict[int, int]:
    """Row → the programme that it became."""
    return {one["row"]: one["programme"] for one in found.outcomes or [] if one["programme"]}


def error_file(found: TrainingImport) -> bytes:
    """The rows that are not stored, with their reasons, in the format of the upload."""
    rows = [(row.cells, row.reasons) for row in verdict_of(found).rows if not row.is_sound]
    return sheet.with_reasons(rows, found.format)


def history(facility_id: int) -> Sequence[tuple[TrainingImport, str]]:
    """The last imports of a facility, each with who brought it."""
    query = (
        select(TrainingImport, Person.name)
        .join(Person, Person.id == TrainingImport.uploaded_by)
        .where(TrainingImport.facility_id == facility_id, TrainingImport.state != "discarded")
        .order_by(TrainingImport.id.desc())
        .limit(SHOWN)
    )
    return [(found, name) for found, name in db.session.execute(query)]


def _stored(facility_id: int, row: Judged, person_id: int) -> dict[str, object]:
    if row.programme is None or not row.is_sound:
        return {"row": row.number, "programme": None, "faults": row.faults}
    try:
        made = record.add(facility_id, row.programme, person_id, tells=False)
    except Invalid:
        # Another facility took the batch a moment ago: what was promised does not hold, so nothing is stored.
        raise ImportMoved() from None
    return {"row": row.number, "programme": made.id, "faults": []}


def _lock(facility_id: int) -> None:
    db.session.execute(select(Facility.id).where(Facility.id == facility_id).with_for_update(key_share=True))


def _file_name(name: str, format: str) -> str:
    """What the file was called, unless that reads like a person."""
    name = one_line(name)[:200]
    stem = PurePath(name).stem.replace("_", " ")
    return name if name and not looks_like_a_person(stem, digits=12) else f"pelatihan.{format}"


def _trail(found: TrainingImport, what: str, person_id: int, details: dict[str, object]) -> None:
    trail(
        f"training_import.{what}", "training_import", found.id, person_id=person_id, facility_id=found.facility_id,
        details=details,
    )  # fmt: skip
