"""Admit a facility and change what is known of it. A facility for children needs a legal basis and a second person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.models import Province
from storefront.stock.levels import store_location_id
from storefront.written import one_line

KINDS = ("lapas", "rutan", "lpka", "lpp")
CHILDREN = "lpka"
ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}
CODE, SLUG, POSTAL_CODE = re.compile(r"[A-Z0-9]{2,8}"), re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), re.compile(r"[0-9]{5}")
#: Letters that each field holds: at least, at most.
LENGTHS = {
    "name": (3, 120),
    "class_": (1, 20),
    "regional_office": (2, 80),
    "city": (2, 80),
    "address": (5, 300),
}
SHORTEST_BASIS, LONGEST_BASIS, LONGEST_SLUG = 10, 300, 80


class TwoPeople(DomainError):
    """Whoever admits a facility for children does not approve it."""

    code, status = "four_eyes", 403
    message = lazy_gettext("LPKA diajukan satu administrator dan disetujui oleh yang lain: minta rekan Anda.")


class NothingWaits(DomainError):
    """It was decided meanwhile, or never asked for."""

    code, status = "decided", 409
    message = lazy_gettext("Tidak ada yang menunggu persetujuan di sini. Muat ulang untuk melihat keadaannya sekarang.")


@dataclass(frozen=True)
class Data:
    """What the office says of a facility."""

    name: str
    #: One of `KINDS`.
    kind: str
    class_: str
    #: Kanwil.
    regional_office: str
    #: A province's id, as it was typed.
    province: str
    city: str
    address: str
    postal_code: str
    #: One of `ZONES`.
    time_zone: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Data:
        """From a form's fields, each on one line."""
        return cls(**{name: one_line(form.get(name, "") or "") for name in cls.__dataclass_fields__})


def admit(code: str, slug: str, data: Data, legal_basis: str, by: int) -> Facility:
    """A new facility, with an empty store. One for children waits for a second person and sells nothing until then.

    Never commits. Raises Invalid by field.
    """
    code, slug, legal_basis = one_line(code).upper(), one_line(slug).lower(), one_line(legal_basis)
    errors = _wrong(data)
    if not CODE.fullmatch(code):
        errors["code"] = _("Dua sampai delapan huruf besar atau angka, misalnya PKL.")
    elif db.session.scalar(select(Facility.id).where(Facility.code == code)):
        errors["code"] = _("Kode ini sudah dipakai UPT lain. Kode tidak pernah diganti: pilih yang lain.")
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        errors["slug"] = _("Huruf kecil, angka, dan tanda hubung saja, misalnya lapas-pekalongan.")
    elif db.session.scalar(select(Facility.id).where(Facility.slug == slug)):
        errors["slug"] = _("Alamat ini sudah dipakai UPT lain. Pilih yang lain.")
    is_for_children = data.kind == CHILDREN
    if is_for_children and not SHORTEST_BASIS <= len(legal_basis) <= LONGEST_BASIS:
        errors["legal_basis"] = _("LPKA hanya dibuka dengan dasar hukum: tulis nomor dan tanggalnya.")
    if errors:
        raise Invalid(errors)
    facility = Facility(
        code=code,
        slug=slug,
        **_columns(data),
        status="suspended" if is_for_children else "active",
        legal_basis=legal_basis or None,
        admitted_by=by,
    )
    try:
        with db.session.begin_nested():
            db.session.add(facility)
    except IntegrityError:
        raise Invalid({"code": _("Kode atau alamat ini baru saja dipakai UPT lain. Pilih yang lain.")}) from None
    store_location_id(facility.id)
    details = {"after": {"code": code, "slug": slug, **asdict(data), "legal_basis": legal_basis}}
    _note("facility.proposed" if is_for_children else "facility.admitted", facility, by, details)
    return facility


def change(code: str, data: Data, seen: Data, by: int) -> Facility:
    """Say something else of a facility; what is the same as before is no change. Never commits.

    `seen` is what stood there when the form was opened. Raises NotFound; Invalid by field, or when somebody else
    changed it meanwhile.
    """
    facility = locked(code)
    before = of(facility)
    if errors := _wrong(data):
        raise Invalid(errors)
    if CHILDREN in (data.kind, before.kind) and data.kind != before.kind:
        sentence = _("LPKA dibuka tersendiri, dengan dasar hukum dan dua orang: jenisnya tidak diganti di sini.")
        raise Invalid({"kind": sentence})
    if seen != before:
        raise Invalid(
            message=_("Orang lain baru saja mengubah data ini. Isian Anda ada di bawah; bandingkan, lalu simpan lagi.")
        )
    old, new = asdict(before), asdict(data)
    changed = [name for name in new if new[name] != old[name]]
    if not changed:
        return facility
    for name, value in _columns(data).items():
        setattr(facility, name, value)
    db.session.flush()
    before_after = {"before": {name: old[name] for name in changed}, "after": {name: new[name] for name in changed}}
    _note("facility.changed", facility, by, before_after)
    return facility


def propose(code: str, legal_basis: str, by: int) -> Facility:
    """Ask that a facility for children, known but closed, may sell; asked anew it is the newer. Never commits.

    Raises NotFound, NothingWaits when it was let in already, Invalid (`legal_basis`).
    """
    facility, legal_basis = locked(code), one_line(legal_basis)
    if facility.kind != CHILDREN or facility.approved_by is not None:
        raise NothingWaits()
    if not SHORTEST_BASIS <= len(legal_basis) <= LONGEST_BASIS:
        raise Invalid({"legal_basis": _("LPKA hanya dibuka dengan dasar hukum: tulis nomor dan tanggalnya.")})
    facility.legal_basis, facility.admitted_by = legal_basis, by
    db.session.flush()
    _note("facility.proposed", facility, by, {"legal_basis": legal_basis})
    return facility


def approve(code: str, by: int) -> Facility:
    """The second person lets a facility for children sell. Never commits. Raises NotFound, NothingWaits, TwoPeople."""
    facility = locked(code)
    if not waits(facility):
        raise NothingWaits()
    if facility.admitted_by == by:
        raise TwoPeople()
    facility.approved_by, facility.status = by, "active"
    db.session.flush()
    details = {"legal_basis": facility.legal_basis, "proposed_by": facility.admitted_by}
    _note("facility.admitted", facility, by, details)
    return facility


def waits(facility: Facility) -> bool:
    """Whether a facility for children waits for its second person."""
    return (
        facility.kind == CHILDREN
        and facility.approved_by is None
        and facility.admitted_by is not None
        and facility.legal_basis is not None
    )


def of(facility: Facility) -> Data:
    """What is known of a facility now."""
    return Data(
        name=facility.name,
        kind=facility.kind,
        class_=facility.class_,
        regional_office=facility.regional_office,
        province=str(facility.province_id),
        city=facility.city,
        address=facility.address,
        postal_code=facility.postal_code,
        time_zone=facility.time_zone,
    )


def locked(code: str) -> Facility:
    """The facility, for whoever changes it. Raises NotFound."""
    query = select(Facility).where(Facility.code == code).with_for_update(key_share=True)
    facility = db.session.scalar(query.execution_options(populate_existing=True))
    if facility is None:
        raise NotFound()
    return facility


def _columns(data: Data) -> dict[str, object]:
    values: dict[str, object] = asdict(data)
    values["province_id"] = int(str(values.pop("province")))
    return values


def _wrong(data: Data) -> dict[str, str]:
    errors = {
        name: _("Isi antara %(least)d dan %(most)d huruf.", least=least, most=most)
        for name, (least, most) in LENGTHS.items()
        if not least <= len(getattr(data, name)) <= most
    }
    if data.kind not in KINDS:
        errors["kind"] = _("Pilih jenisnya.")
    if data.postal_code and not POSTAL_CODE.fullmatch(data.postal_code):
        errors["postal_code"] = _("Kode pos terdiri dari lima angka.")
    if data.time_zone not in ZONES:
        errors["time_zone"] = _("Pilih zona waktunya.")
    known = data.province.isascii() and data.province.isdigit() and len(data.province) < 10
    if not known or db.session.get(Province, int(data.province)) is None:
        errors["province"] = _("Pilih provinsinya.")
    return errors


def _note(action: str, facility: Facility, by: int, details: dict[str, Any]) -> None:
    record(action, "facility", facility.code, person_id=by, facility_id=facility.id, details=details)
