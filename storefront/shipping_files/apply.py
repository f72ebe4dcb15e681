"""A file of rates kept, and applied as one act; brought back by another file with what was before."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _g
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.people.models import Person
from storefront.shipping.models import Province, ShippingMethod, ShippingRate, ShippingZone
from storefront.shipping_files.judge import Judged, judge
from storefront.shipping_files.models import RateFile
from storefront.shipping_files.sheets import RATES, present, read

#: Changes that are written into the trail one by one; the file keeps all of them.
MOST_RECORDED = 300


class RatesMoved(DomainError):
    """What holds, or the file's fate, is no longer what the person saw."""

    code, status = "rates_moved", 409
    message = _(
        "Tarifnya berubah, atau berkas ini sudah diterapkan, sejak halaman ini dibuka. Lihat lagi bedanya di bawah."
    )


class NotSound(DomainError):
    """A file with one wrong row changes nothing at all."""

    code, status = "rates_not_sound", 422
    message = _(
        "Masih ada baris yang salah atau hilang, jadi tidak satu pun diterapkan. Perbaiki berkasnya, lalu unggah lagi."
    )


class NothingNew(DomainError):
    code, status = "rates_same", 422
    message = _("Berkas ini sama dengan yang berlaku sekarang. Tidak ada yang perlu diterapkan.")


def keep(content: bytes, name: str, *, person_id: int) -> RateFile:
    """Read an uploaded file and keep its rows. Never commits. Raises Invalid, BadListingFile."""
    if not content:
        raise Invalid({"file": _g("Pilih berkas tarif atau zona dulu.")})
    kind, rows, remarks = read(content, name)
    file = RateFile(kind=kind, name=name[:200], rows=rows, remarks=remarks, uploaded_by=person_id)
    db.session.add(file)
    db.session.flush()
    return file


def bring_back(file_id: int, *, person_id: int) -> RateFile:
    """A new file with what held before an applied one, to be looked at and applied like any. Never commits."""
    applied = file_of(file_id)
    if applied.before is None:
        raise NotFound()
    name = f"Sebelum {applied.name}"[:200]
    file = RateFile(kind=applied.kind, name=name, rows=applied.before, uploaded_by=person_id, reverts_id=file_id)
    db.session.add(file)
    db.session.flush()
    return file


def apply(file_id: int, digest: str, *, person_id: int) -> int:
    """Let the file hold from now on; returns how many rows changed. All of it, or nothing. Never commits.

    `digest`: of the changes that the person saw. Raises NotFound, RatesMoved, NotSound, NothingNew.
    """
    # Two who apply at once: the second waits here, and then sees other changes than the ones it was shown.
    db.session.execute(text("LOCK TABLE shipping_rates, provinces IN SHARE ROW EXCLUSIVE MODE"))
    file = db.session.get(RateFile, file_id, with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFound()
    verdict = judge(file)
    if file.applied_at is not None or verdict.digest != digest:
        raise RatesMoved()
    if not verdict.is_sound:
        raise NotSound()
    if not verdict.changes:
        raise NothingNew()
    before = [[number, *cells] for number, cells in enumerate(present(file.kind), start=2)]
    (_write_rates if file.kind == "rates" else _write_zones)(verdict.changes)
    now = db.session.scalar(select(func.now()))
    file.applied_by, file.applied_at, file.before = person_id, now, before
    file.changes = len(verdict.changes)
    db.session.flush()
    told = [{"before": row.old, "after": row.cells} for row in verdict.changes[:MOST_RECORDED]]
    details = {"kind": file.kind, "file": file.name, "changes": len(verdict.changes), "rows": told}
    record("shipping.imported", "rate_file", file.id, person_id=person_id, details=details)
    return len(verdict.changes)


def file_of(file_id: int) -> RateFile:
    """A kept file. Raises NotFound."""
    file = db.session.get(RateFile, file_id)
    if file is None:
        raise NotFound()
    return file


def applied(limit: int = 20) -> Sequence[tuple[RateFile, str]]:
    """The files that were applied last, each with who did it."""
    query = select(RateFile, Person.name).join(Person, Person.id == RateFile.applied_by)
    return [(file, name) for file, name in db.session.execute(query.order_by(RateFile.applied_at.desc()).limit(limit))]


def _write_rates(rows: Sequence[Judged]) -> None:
    zones = {code: id_ for id_, code in db.session.execute(select(ShippingZone.id, ShippingZone.code))}
    methods = {code: id_ for id_, code in db.session.execute(select(ShippingMethod.id, ShippingMethod.code))}
    amounts = list(RATES)[4:]
    for row in rows:
        method, origin, destination, reach, *numbers = row.cells
        values = {
            name: int(cell) if cell else None for name, cell in zip(amounts, numbers, strict=True)
        }
        key = {
            "method_id": methods[method], "origin_zone_id": zones[origin], "destination_zone_id": zones[destination],
            "reach": reach,
        }  # fmt: skip
        insert = upsert(ShippingRate).values(**key, **values)
        db.session.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))


def _write_zones(rows: Sequence[Judged]) -> None:
    zones = {code: id_ for id_, code in db.session.execute(select(ShippingZone.id, ShippingZone.code))}
    for row in rows:
        name, zone = row.cells
        db.session.execute(update(Province).where(Province.name == name).values(zone_id=zones[zone]))
