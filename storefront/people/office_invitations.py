"""The office invites somebody in any role, a cashier from their fair's page.

One administrator asks, another agrees, and the letter goes.

Who works here already is proposed a further role instead (`people.roles`).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import exists, func, select, true

from storefront.audit.record import record
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail.address import is_email
from storefront.people import invitations, role_reach, roles
from storefront.people.fairs import FAIRS
from storefront.people.invitations import LONGEST_NAME, VALID, InvitationDead
from storefront.people.models import Invitation, Membership, Person, Role
from storefront.written import one_line


@dataclass(frozen=True)
class Waiting:
    """An invitation of the office that was neither accepted nor withdrawn."""

    id: int
    email: str
    name: str
    role: str
    #: Its facility's or its fair's name; None: the whole programme.
    facility: str | None
    role_until: datetime.date | None
    invited_by: int
    invited_by_name: str
    invited_at: datetime.datetime
    #: None: it waits for the second administrator, and no letter was sent.
    approved_at: datetime.datetime | None
    expires_at: datetime.datetime
    is_over: bool


def invite(
    email: str, name: str, role: str, facility_code: str, until: str, by: int, *, locale: str = "id"
) -> Invitation:
    """Ask that somebody be invited. Never commits; no letter goes before a second administrator agrees.

    `until`: an auditor's last day. Raises Invalid by field (`email`, `name`, `role`, `facility`, `until`).
    """
    email, name = email.strip().lower(), one_line(name)
    errors: dict[str, object] = {}
    facility_id: int | None = None
    last_day: datetime.date | None = None
    if role not in role_reach.GIVEN:
        errors["role"] = _("Pilih perannya.")
    else:
        try:
            facility_id = role_reach.place_of(Role(role), facility_code)
        except Invalid as wrong:
            errors |= wrong.errors
        try:
            last_day = role_reach.last_day(Role(role), until)
        except Invalid as wrong:
            errors |= wrong.errors
    return _ask(
        email,
        name,
        by,
        locale,
        errors,
        {"role": role, "facility_id": facility_id, "role_until": last_day},
        {"until": str(last_day) if last_day else None},
    )


def invite_cashier(exhibition_id: int, email: str, name: str, by: int, *, locale: str = "id") -> Invitation:
    """As `invite`, for somebody without an account who is to sell at a fair. Raises Invalid (`email`, `name`)."""
    of_it = {"role": Role.CASHIER.value, "exhibition_id": exhibition_id}
    return _ask(email.strip().lower(), one_line(name), by, locale, {}, of_it, {"exhibition_id": exhibition_id})


def _ask(
    email: str,
    name: str,
    by: int,
    locale: str,
    errors: dict[str, object],
    values: dict[str, Any],
    noted: dict[str, object],
) -> Invitation:
    if not 1 <= len(name) <= LONGEST_NAME:
        errors["name"] = _("Tulis namanya seperti di surat tugas.")
    if not is_email(email):
        errors["email"] = _("Tulis alamat surel yang lengkap, misalnya nama@contoh.id.")
    else:
        # Of two who invite the same address at once, one is told.
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("invited:" + email, 0))))
        if sentence := _in_the_way(email):
            errors["email"] = sentence
    if errors:
        raise Invalid(errors)
    row = Invitation(
        by_office=True, email=email, name=name, locale=locale, invited_by=by, expires_at=_now() + VALID, **values
    )
    db.session.add(row)
    db.session.flush()
    _note("role.invited", row, by, {"name": name, "role": row.role, **noted})
    return row


def approve(invitation_id: int, by: int) -> Invitation:
    """A second administrator agrees, and the letter goes. Never commits.

    Raises NotFound, InvitationDead when it was withdrawn, accepted or ran out, TwoPeople.
    """
    row = _locked(invitation_id)
    if row.accepted_at is not None or row.withdrawn_at is not None or row.expires_at <= _now():
        raise InvitationDead()
    if row.approved_at is not None:
        return row
    if by == row.invited_by or db.session.get_one(Person, by).email == row.email:
        raise roles.TwoPeople()
    row.approved_by, row.approved_at, row.expires_at = by, _now(), _now() + VALID
    invitations.send(row)
    _note("role.invitation_approved", row, by, {"name": row.name, "role": row.role, "proposed_by": row.invited_by})
    return row


def withdraw(invitation_id: int, by: int) -> Invitation:
    """Take an invitation back, before or after it was sent; once more is the same. Never commits.

    Raises NotFound, InvitationDead when it was accepted.
    """
    row = _locked(invitation_id)
    if row.accepted_at is not None:
        raise InvitationDead()
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_by = _now(), by
        db.session.flush()
        _note("role.invitation_withdrawn", row, by, {"name": row.name, "role": row.role})
    return row


def waiting(exhibition_id: int | None = None) -> list[Waiting]:
    """The office's invitations that were neither accepted nor withdrawn, the latest first; to one fair, or all."""
    here = true() if exhibition_id is None else Invitation.exhibition_id == exhibition_id
    rows = db.session.execute(
        select(Invitation, func.coalesce(Facility.name, FAIRS.c.name), Person.name)
        .outerjoin(Facility, Facility.id == Invitation.facility_id)
        .outerjoin(FAIRS, FAIRS.c.id == Invitation.exhibition_id)
        .join(Person, Person.id == Invitation.invited_by)
        .where(Invitation.by_office, invitations.is_open(), here)
        .order_by(Invitation.id.desc())
        .limit(100)
    )
    now = _now()
    return [
        Waiting(
            row.id, row.email, row.name, row.role, facility, row.role_until, row.invited_by, by, row.invited_at,
            row.approved_at, row.expires_at, row.expires_at <= now,
        )
        for row, facility, by in rows
    ]  # fmt: skip


def count_waiting() -> int:
    """How many invitations wait for a second administrator."""
    wanted = Invitation.by_office & invitations.is_open() & Invitation.approved_at.is_(None)
    query = select(func.count()).select_from(Invitation).where(wanted, Invitation.expires_at > func.now())
    return int(db.session.scalar(query) or 0)


def known(email: str) -> int | None:
    """The id of whoever works here, or did, with this address; None for shoppers and strangers."""
    held = exists().where(Membership.person_id == Person.id)
    return db.session.scalar(select(Person.id).where(Person.email == email.strip().lower(), held))


def _in_the_way(email: str) -> str | None:
    """Why the address is not invited. What ran out is withdrawn on the way."""
    if db.session.scalar(select(Person.is_active).where(Person.email == email)) is False:
        return _("Akun dengan alamat ini sudah ditutup. Pakai alamat lain.")
    if known(email) is not None:
        return _("Orang dengan alamat ini sudah terdaftar di sini. Usulkan perannya di halamannya.")
    open_ones = select(Invitation).where(Invitation.email == email, invitations.is_open()).with_for_update()
    for row in db.session.scalars(open_ones):
        if row.expires_at > _now():
            return _("Alamat ini sudah diundang dan undangannya masih berlaku. Tarik dahulu bila perannya lain.")
        if row.by_office:
            row.withdrawn_at, row.withdrawn_by = _now(), row.invited_by
    db.session.flush()
    return None


def _locked(invitation_id: int) -> Invitation:
    row = db.session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    if row is None or not row.by_office:
        raise NotFound()
    return row


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _note(action: str, row: Invitation, by: int, details: dict[str, object]) -> None:
    record(action, "invitation", row.id, person_id=by, facility_id=row.facility_id, details=details)
