"""Write about a facility or a workshop. What may name somebody or lead past the shop waits for a curator, the rest
shows at once; the text before stays public until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront import content_rule
from storefront.audit.record import record
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.moderation import queue
from storefront.moderation.lists import states_of, told
from storefront.profiles.models import ProfileText

KIND = "profile"
LONGEST, LONGEST_CONTACT = 3000, 300
SHORTEST_NAME, LONGEST_NAME = 2, 80


@dataclass(frozen=True)
class Said:
    """Texts as they were typed. `name` is a workshop's, `contact` a facility's."""

    about: str = ""
    about_en: str = ""
    contact: str = ""
    name: str = ""

    @property
    def texts(self) -> tuple[str, str, str, str]:
        return self.name, self.about, self.about_en, self.contact


def describe(facility_id: int, said: Said, person_id: int) -> ProfileText:
    """Write about the facility itself. Never commits. Raises Invalid by field."""
    said = _clean(Said(about=said.about, about_en=said.about_en, contact=said.contact))
    _locked(facility_id)
    return _write(facility_id, None, said, person_id)


def describe_workshop(facility_id: int, workshop_id: int, said: Said, person_id: int) -> ProfileText:
    """Rename a workshop or write about it. Never commits. Raises Invalid by field, NotFound for another facility's."""
    said = _clean(Said(about=said.about, about_en=said.about_en, name=said.name))
    _locked(facility_id)
    workshop = db.session.get(Workshop, workshop_id, populate_existing=True)
    if workshop is None or workshop.facility_id != facility_id:
        raise NotFound()
    _check_name(facility_id, said.name, workshop_id)
    return _write(facility_id, workshop_id, said, person_id)


def add_workshop(facility_id: int, said: Said, person_id: int) -> Workshop:
    """Found a workshop; it sells once its declaration is approved. Added again with the same words it is the same.

    A name that needs a look is refused: what it is called cannot wait. Never commits. Raises Invalid by field.
    """
    said = _clean(Said(about=said.about, about_en=said.about_en, name=said.name))
    _locked(facility_id)
    there = db.session.scalar(
        select(Workshop).where(
            Workshop.facility_id == facility_id, func.lower(Workshop.name) == said.name.lower()
        )
    )
    last = newest(facility_id, there.id) if there is not None else None
    if there is not None and last is not None and last.texts == said.texts:
        return there
    _check_name(facility_id, said.name, None)
    if content_rule.reasons(said.name):
        raise Invalid({"name": _("Tulis nama bengkelnya saja, tanpa nama orang, nomor, atau tautan.")})
    workshop = Workshop(facility_id=facility_id, name=said.name)
    db.session.add(workshop)
    db.session.flush()
    record(
        "workshop.added",
        "workshop",
        workshop.id,
        person_id=person_id,
        facility_id=facility_id,
        details={"name": said.name},
    )
    _write(facility_id, workshop.id, said, person_id)
    return workshop


def newest(facility_id: int, workshop_id: int | None) -> ProfileText | None:
    """What was written last about the facility (None) or a workshop."""
    found: ProfileText | None = db.session.scalar(_of(facility_id, workshop_id).limit(1))
    return found


def state_of(row: ProfileText | None) -> str:
    """`shown`, `waiting` or `refused` with the curator's words behind a space; empty where nothing was written."""
    if row is None or row.written_by is None:
        return ""
    found = told(row.is_shown, states_of(KIND, [row.id]).get(row.id))
    return f"{found.state} {found.note}".strip()


def show_newest(facility_id: int, workshop_id: int | None) -> None:
    """Have the public read the newest text that was let through. Never commits."""
    row = db.session.scalar(_of(facility_id, workshop_id).where(ProfileText.is_shown).limit(1))
    if row is None:
        return
    if workshop_id is None:
        facility = db.session.get_one(Facility, facility_id)
        facility.about, facility.about_en, facility.contact = row.about, row.about_en, row.contact
    else:
        workshop = db.session.get_one(Workshop, workshop_id)
        workshop.name, workshop.about, workshop.about_en = row.name, row.about, row.about_en
    db.session.flush()


def _write(facility_id: int, workshop_id: int | None, said: Said, person_id: int) -> ProfileText:
    before = newest(facility_id, workshop_id)
    if before is None:
        before = _as_it_was(facility_id, workshop_id)
    waits = not before.is_shown and before.replaced_at is None
    if before.texts == said.texts and (before.is_shown or waits):
        return before
    if waits:
        before.replaced_at = db.session.scalar(select(func.now()))
        queue.withdraw(KIND, before.id)
    row = ProfileText(
        facility_id=facility_id,
        workshop_id=workshop_id,
        name=said.name,
        about=said.about,
        about_en=said.about_en,
        contact=said.contact,
        written_by=person_id,
    )
    db.session.add(row)
    db.session.flush()
    # An address for letters is what the field is for; a curator still looks at it.
    item = queue.submit(KIND, row.id, facility_id=facility_id, reasons=content_rule.reasons(*said.texts))
    row.is_shown = item.is_public
    db.session.flush()
    show_newest(facility_id, workshop_id)
    record(
        "profile.written",
        "facility" if workshop_id is None else "workshop",
        workshop_id or facility_id,
        person_id=person_id,
        facility_id=facility_id,
        details={"shown": row.is_shown, "before": list(before.texts), "after": list(row.texts)},
    )
    return row


def _as_it_was(facility_id: int, workshop_id: int | None) -> ProfileText:
    row = ProfileText(facility_id=facility_id, workshop_id=workshop_id, is_shown=True)
    if workshop_id is None:
        facility = db.session.get_one(Facility, facility_id)
        row.about, row.about_en, row.contact = facility.about, facility.about_en, facility.contact
    else:
        workshop = db.session.get_one(Workshop, workshop_id)
        row.name, row.about, row.about_en = workshop.name, workshop.about, workshop.about_en
        row.contact = ""
    row.name = row.name or ""
    db.session.add(row)
    db.session.flush()
    return row


def _clean(said: Said) -> Said:
    found = Said(
        content_rule.clean(said.about),
        content_rule.clean(said.about_en),
        " ".join(content_rule.clean(said.contact).split()),
        " ".join(content_rule.clean(said.name).split()),
    )
    errors = {}
    for name in ("about", "about_en"):
        if len(getattr(found, name)) > LONGEST:
            errors[name] = _("Paling panjang %(most)d huruf.", most=LONGEST)
    if len(found.contact) > LONGEST_CONTACT:
        errors["contact"] = _("Paling panjang %(most)d huruf.", most=LONGEST_CONTACT)
    if errors:
        raise Invalid(errors)
    return found


def _check_name(facility_id: int, name: str, workshop_id: int | None) -> None:
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise Invalid({"name": _("Tulis nama bengkelnya, 2 sampai 80 huruf.")})
    same = (Workshop.facility_id == facility_id) & (func.lower(Workshop.name) == name.lower())
    if db.session.scalar(select(Workshop.id).where(same, Workshop.id != (workshop_id or 0))) is not None:
        raise Invalid({"name": _("Bengkel dengan nama ini sudah ada. Pilih nama lain.")})


def _locked(facility_id: int) -> Facility:
    """Two who write about a facility do it one after the other."""
    return db.session.get_one(
        Facility, facility_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _of(facility_id: int, workshop_id: int | None) -> Any:
    return (
        select(ProfileText)
        .where(
            ProfileText.facility_id == facility_id, ProfileText.workshop_id.is_not_distinct_from(workshop_id)
        )
        .order_by(ProfileText.id.desc())
    )
