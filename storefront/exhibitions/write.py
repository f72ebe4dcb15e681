"""The office says what a fair is, who takes part, and what the public reads of it. Nothing here commits."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, func, insert, select, update

from storefront.audit.record import record
from storefront.catalogue.filters import SLUG
from storefront.days import begins
from storefront.errors import Invalid, NotFound
from storefront.exhibitions import to_collect
from storefront.exhibitions.models import (
    Exhibition,
    ExhibitionFacility,
    ExhibitionPieces,
    ExhibitionPrice,
    ExhibitionSending,
)
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.media.photos import store_picture
from storefront.orders import at_stand
from storefront.people.models import Membership, Role
from storefront.written import day as read_day
from storefront.written import one_line

KINDS = ("hall", "campaign")
LONGEST_NAME, LONGEST_LINE, LONGEST_TEXT = 120, 200, 4000
#: A fair lasts at most so many days.
LONGEST_FAIR = 366


@dataclass(frozen=True)
class Data:
    """What the administrator says of a fair, as typed."""

    name: str
    venue: str
    city: str
    starts_on: str
    ends_on: str
    kind: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Data:
        return cls(*(one_line(str(values.get(name) or "")) for name in cls.__dataclass_fields__))

    @classmethod
    def of(cls, fair: Exhibition) -> Data:
        days = (fair.starts_on.isoformat(), fair.ends_on.isoformat())
        return cls(fair.name, fair.venue, fair.city, *days, fair.kind)


@dataclass(frozen=True)
class Page:
    """What the public reads of a fair, in both languages."""

    theme: str
    theme_en: str
    hours: str
    hours_en: str
    about: str
    about_en: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Page:
        texts = {name: str(values.get(name) or "").replace("\r\n", "\n").strip() for name in cls.__dataclass_fields__}
        return cls(**{name: text if name.startswith("about") else one_line(text) for name, text in texts.items()})


def find(slug: str) -> Exhibition:
    """Raises NotFound."""
    fair = db.session.scalar(select(Exhibition).where(Exhibition.slug == slug)) if SLUG.fullmatch(slug) else None
    if fair is None:
        raise NotFound()
    return fair


def create(slug: str, data: Data, *, person_id: int) -> Exhibition:
    """A new fair at an address that stays. Raises Invalid by field."""
    slug = slug.strip().lower()
    values, errors = _judged(data)
    if not SLUG.fullmatch(slug) or len(slug) > 80:
        errors["slug"] = _("Pakai huruf kecil, angka, dan tanda hubung, misalnya pameran-nusantara-2027.")
    elif db.session.scalar(select(Exhibition.id).where(Exhibition.slug == slug)) is not None:
        errors["slug"] = _("Alamat ini sudah dipakai pameran lain.")
    if errors:
        raise Invalid(errors)
    fair = Exhibition(slug=slug, **values)
    db.session.add(fair)
    db.session.flush()
    record("exhibition.opened", "exhibition", fair.id, person_id=person_id, details={"slug": slug, "name": fair.name})
    return fair


def change(fair: Exhibition, data: Data, *, person_id: int) -> bool:
    """Say something else of it; False when nothing changed. Raises Invalid by field.

    Cashiers who have not begun yet begin on its first day, whatever it was before. Who has paid for something that
    lies at its stand is told of another place or other days.
    """
    values, errors = _judged(data)
    # Whoever orders something for its stand waits, or has ordered.
    db.session.get_one(Exhibition, fair.id, with_for_update={"key_share": True}, populate_existing=True)
    open_parcels = at_stand.open_parcels(fair.id)
    if not errors:
        errors = to_collect.refused(fair, open_parcels, values)
        errors = errors or _days_refused(fair, values["starts_on"], values["ends_on"])
    if errors:
        raise Invalid(errors)
    changed = {name: value for name, value in values.items() if getattr(fair, name) != value}
    if not changed:
        return False
    details = {name: [str(getattr(fair, name)), str(value)] for name, value in changed.items()}
    for name, value in changed.items():
        setattr(fair, name, value)
    fair.changed_at = func.now()
    db.session.flush()
    if "starts_on" in changed:
        db.session.execute(
            update(Membership)
            .where(
                Membership.exhibition_id == fair.id,
                Membership.role == Role.CASHIER.value,
                Membership.valid_from > func.now(),
                Membership.valid_until.is_(None),
            )
            .values(valid_from=func.greatest(func.now(), begins(fair.starts_on)))
        )
    to_collect.tell_moved(fair, open_parcels, changed)
    record("exhibition.changed", "exhibition", fair.id, person_id=person_id, details=details)
    return True


def change_page(
    fair: Exhibition, page: Page, *, picture: bytes | None, alt: str, alt_en: str, remove: bool, person_id: int
) -> None:
    """Write what the public reads. `picture`: a new one; without it the present one stays unless `remove`.

    Raises Invalid by field, and BadPicture.
    """
    alt, alt_en = one_line(alt), one_line(alt_en)
    errors: dict[str, object] = {}
    for name in ("theme", "theme_en", "hours", "hours_en"):
        if len(getattr(page, name)) > LONGEST_LINE:
            errors[name] = _("Paling banyak %(most)d huruf.", most=LONGEST_LINE)
    for name in ("about", "about_en"):
        if len(getattr(page, name)) > LONGEST_TEXT:
            errors[name] = _("Paling banyak %(most)d huruf.", most=LONGEST_TEXT)
    shows = picture is not None or (fair.picture is not None and not remove)
    if shows and not 3 <= len(alt) <= LONGEST_LINE:
        errors["alt"] = _("Tulis apa yang tampak di gambar, untuk yang tidak dapat melihatnya.")
    if len(alt_en) > LONGEST_LINE:
        errors["alt_en"] = _("Paling banyak %(most)d huruf.", most=LONGEST_LINE)
    if errors:
        raise Invalid(errors)
    for name in Page.__dataclass_fields__:
        setattr(fair, name, getattr(page, name))
    if picture is not None:
        made = store_picture(picture)
        words = {"alt": alt, "alt_en": alt_en, "tint": None}
        fair.picture = {
            "key": made.key, "widths": list(made.widths), "width": made.width, "height": made.height, **words,
        }  # fmt: skip
    elif remove:
        fair.picture = None
    elif fair.picture is not None:
        fair.picture = {**fair.picture, "alt": alt, "alt_en": alt_en}
    fair.changed_at = func.now()
    db.session.flush()
    record("exhibition.page_written", "exhibition", fair.id, person_id=person_id)


def take_part(fair: Exhibition, was: set[int], wanted: set[int], *, person_id: int) -> tuple[int, int]:
    """Facilities by id that take part, and did when the form was seen; how many came and how many went.

    Raises Invalid (`facility`) when one goes that has planned or sent something, or whose orders are to be collected.
    """
    db.session.execute(select(Exhibition.id).where(Exhibition.id == fair.id).with_for_update())
    taking_part = set(
        db.session.scalars(select(ExhibitionFacility.facility_id).where(ExhibitionFacility.exhibition_id == fair.id))
    )
    come, go = (wanted - was) - taking_part, (was - wanted) & taking_part
    known = set(db.session.scalars(select(Facility.id).where(Facility.id.in_(come), Facility.status == "active")))
    if come - known:
        raise Invalid({"facility": _("Pilih UPT dari daftar.")})
    bound = db.session.scalars(
        select(Facility.name)
        .where(
            Facility.id.in_(go),
            Facility.id.in_(
                select(ExhibitionPieces.facility_id)
                .where(ExhibitionPieces.exhibition_id == fair.id)
                .union(select(ExhibitionSending.facility_id).where(ExhibitionSending.exhibition_id == fair.id))
            ),
        )
        .order_by(Facility.name)
    ).all()
    if bound:
        said = _("%(names)s sudah menulis rencana atau mengirim karya, jadi tetap peserta.", names=", ".join(bound))
        raise Invalid({"facility": said})
    if said := to_collect.bound(at_stand.open_parcels(fair.id), go):
        raise Invalid({"facility": said})
    rows = [{"exhibition_id": fair.id, "facility_id": id_, "added_by": person_id} for id_ in sorted(come)]
    if rows:
        db.session.execute(insert(ExhibitionFacility), rows)
    if go:
        db.session.execute(
            delete(ExhibitionFacility).where(
                ExhibitionFacility.exhibition_id == fair.id, ExhibitionFacility.facility_id.in_(go)
            )
        )
    if come or go:
        codes: dict[int, str] = dict(
            db.session.execute(select(Facility.id, Facility.code).where(Facility.id.in_(come | go))).all()
        )
        details = {"come": sorted(codes[id_] for id_ in come), "go": sorted(codes[id_] for id_ in go)}
        record("exhibition.participants_set", "exhibition", fair.id, person_id=person_id, details=details)
    return len(come), len(go)


def _judged(data: Data) -> tuple[dict[str, Any], dict[str, object]]:
    errors: dict[str, object] = {}
    if not 3 <= len(data.name) <= LONGEST_NAME:
        errors["name"] = _("Tulis nama pamerannya.")
    for name in ("venue", "city"):
        if len(getattr(data, name)) > LONGEST_NAME:
            errors[name] = _("Paling banyak %(most)d huruf.", most=LONGEST_NAME)
    if data.kind not in KINDS:
        errors["kind"] = _("Pilih salah satu.")
    elif data.kind == "hall" and not data.venue:
        errors["venue"] = _("Tulis tempatnya, misalnya nama gedungnya.")
    first, last = read_day(data.starts_on), read_day(data.ends_on)
    for name, read in (("starts_on", first), ("ends_on", last)):
        if read is None:
            errors[name] = _("Tulis tanggalnya seperti 2026-11-30.")
    if first and last and not datetime.timedelta() <= last - first < datetime.timedelta(days=LONGEST_FAIR):
        errors["ends_on"] = _("Hari terakhir tidak sebelum hari pertama, dan paling lama setahun sesudahnya.")
    return {**vars(data), "starts_on": first, "ends_on": last}, errors


def _days_refused(fair: Exhibition, first: datetime.date, last: datetime.date) -> dict[str, object]:
    price = ExhibitionPrice
    outside = db.session.scalar(
        select(func.count())
        .select_from(price)
        .where(price.exhibition_id == fair.id, (price.from_day < first) | (price.to_day > last))
    )
    if not outside:
        return {}
    said = ngettext(
        "%(num)d harga khusus berlaku di luar hari-hari ini. Akhiri dahulu harga itu.",
        "%(num)d harga khusus berlaku di luar hari-hari ini. Akhiri dahulu harga itu.",
        outside,
    )
    return {"ends_on": said}
