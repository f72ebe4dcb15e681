"""Somebody is invited to work here with a mailed link: as coordinator by a head, or by the office in any role.

A cashier's role begins with the first day of the fair that they are invited to.

The link works once, for seven days, and only while whoever sent it may still invite. Its token is computed for the
letter and kept as a hash alone. What the office invites to needs two administrators (`office_invitations`).
"""

from __future__ import annotations

import datetime
import hashlib

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, func, select

from storefront.audit.record import record
from storefront.days import begins
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.mail.address import is_email
from storefront.mail.owe import owe_about
from storefront.people import attempts, coordinators, memberships, passwords, policy
from storefront.people.fairs import fair_of
from storefront.people.models import Invitation, Membership, Person, Role
from storefront.people.policy import Action
from storefront.written import one_line

VALID = datetime.timedelta(days=7)
LONGEST_NAME = 120
#: What letters to the invited are about.
INVITATION = "invitation"


class InvitationDead(DomainError):
    """Used, withdrawn, run out, or none at all: which of them is not said."""

    code, status = "invitation_dead", 410
    message = lazy_gettext("Undangan ini sudah dipakai, ditarik, atau kedaluwarsa. Minta undangan yang baru.")


def waiting(facility_id: int) -> list[Invitation]:
    """Invitations that were neither accepted nor withdrawn, the latest first; some may have run out."""
    return list(
        db.session.scalars(
            select(Invitation)
            .where(Invitation.facility_id == facility_id, is_open(), ~Invitation.by_office)
            .order_by(Invitation.id.desc())
            .limit(50)
        )
    )


def invite(facility_id: int, email: str, name: str, person_id: int, *, locale: str = "id") -> Invitation:
    """Ask somebody to be a coordinator; asked again while it is valid, it is the same invitation. Never commits.

    Raises Invalid by field (`email`, `name`).
    """
    coordinators.lock(facility_id)
    email, name = email.strip().lower(), one_line(name)
    errors = {}
    if not is_email(email):
        errors["email"] = _("Tulis alamat surel yang lengkap, misalnya nama@contoh.id.")
    elif coordinators.is_coordinator(facility_id, email):
        errors["email"] = _("Orang dengan alamat ini sudah koordinator di sini.")
    elif db.session.scalar(select(Person.id).where(Person.email == email)) == person_id:
        errors["email"] = _("Anda tidak dapat mengundang diri sendiri.")
    if not 1 <= len(name) <= LONGEST_NAME:
        errors["name"] = _("Tulis namanya seperti di surat tugas.")
    if errors:
        raise Invalid(errors)
    before = db.session.scalar(
        select(Invitation)
        .where(Invitation.facility_id == facility_id, Invitation.email == email)
        .where(is_open(), ~Invitation.by_office)
    )
    if before is not None and before.expires_at > _now():
        return before
    if before is not None:
        before.withdrawn_at, before.withdrawn_by = _now(), person_id
        db.session.flush()
    row = Invitation(
        facility_id=facility_id,
        email=email,
        name=name,
        locale=locale,
        invited_by=person_id,
        expires_at=_now() + VALID,
    )
    db.session.add(row)
    db.session.flush()
    send(row)
    _note("coordinator.invited", "invitation", row.id, facility_id, person_id, {"name": name})
    return row


def send(row: Invitation) -> None:
    """Owe the letter with the link. Never commits."""
    row.token_hash = _hash(token(row))
    db.session.flush()
    owe_about("invitation", INVITATION, row.id)


def own(facility_id: int, invitation_id: int) -> Invitation:
    """One of the facility's invitations, locked. Raises NotFound for another's."""
    row = db.session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    if row is None or row.by_office or row.facility_id != facility_id:
        raise NotFound()
    return row


def withdraw(facility_id: int, invitation_id: int, person_id: int) -> Invitation:
    """Take an invitation back; its link opens nothing from then on. Never commits. Raises NotFound, InvitationDead."""
    row = own(facility_id, invitation_id)
    if row.accepted_at is not None:
        raise InvitationDead()
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_by = _now(), person_id
        db.session.flush()
        _note("coordinator.invitation_withdrawn", "invitation", row.id, facility_id, person_id, {"name": row.name})
    return row


def find(secret: str, address: str | None = None) -> Invitation:
    """The living invitation of a token. Raises InvitationDead, and TooManyTries after many that never were."""
    row = db.session.scalar(select(Invitation).where(Invitation.token_hash == _hash(secret)))
    if row is None:
        attempt = attempts.begin("link_token", secret[:43], address)
        db.session.commit()
        attempts.check(attempt)
        raise InvitationDead()
    if row.accepted_at is not None or row.withdrawn_at is not None or row.expires_at <= _now():
        raise InvitationDead()
    if not _may_still_be_given(row):
        raise InvitationDead()
    return row


def knows(row: Invitation) -> bool:
    """Whether who is invited has an account with a password, which they must give then."""
    person = db.session.scalar(select(Person).where(Person.email == row.email))
    return person is not None and person.password_hash != passwords.NO_PASSWORD


def accept(row: Invitation, name: str, password: str, address: str | None = None) -> tuple[Person, Membership]:
    """Use an invitation: who accepted it, with the role that began. Never commits; of several at once one succeeds.

    Commits the try at a password that is known already. Raises InvitationDead, TooManyTries, Invalid (`password`).
    """
    invitation_id, email = row.id, row.email
    if knows(row):
        attempt = attempts.begin("login", email, address)
        db.session.commit()
        attempts.check(attempt)
        person = db.session.scalar(select(Person).where(Person.email == email))
        if person is None or not passwords.matches(person.password_hash, password):
            raise Invalid({"password": _("Kata sandi ini tidak cocok dengan akun Anda.")})
        attempts.succeed(attempt)
    else:
        passwords.check_new(password, email=email, name=name)
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("account:" + email, 0))))
    used = db.session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    if used is None or used.accepted_at or used.withdrawn_at or used.expires_at <= _now():
        raise InvitationDead()
    if used.facility_id is not None:
        coordinators.lock(used.facility_id)
    person, role = _person(used, name, password), Role(used.role)
    if person.id in (used.invited_by, used.approved_by):
        raise InvitationDead()
    used.accepted_at, used.accepted_by = _now(), person.id
    membership = memberships.living(person.id, role, used.facility_id, used.exhibition_id)
    if membership is None:
        until = None if used.role_until is None else begins(used.role_until + datetime.timedelta(days=1))
        membership = memberships.grant(
            person,
            role,
            facility_id=used.facility_id,
            exhibition_id=used.exhibition_id,
            valid_from=None if used.exhibition_id is None else _first_day(used.exhibition_id),
            valid_until=until,
            granted_by=used.invited_by,
        )
    db.session.flush()
    if used.by_office:
        behind: dict[str, object] = {"proposed_by": used.invited_by, "approved_by": used.approved_by}
        _note("role.given", "person", person.id, used.facility_id, person.id, {"role": role.value, **behind})
    else:
        _note("coordinator.began", "person", person.id, used.facility_id, person.id, {"invited_by": used.invited_by})
    if role is Role.COORDINATOR:
        coordinators.tell_office("coordinator_began", membership)
    return person, membership


def token(row: Invitation) -> str:
    """What opens an invitation: 256 bits, keyed."""
    told = f"{row.id}|{row.facility_id}|{row.email}|{row.expires_at.timestamp()}"
    return in_address(keyed_check("storefront invitation", told))


def _first_day(exhibition_id: int) -> datetime.datetime:
    return max(_now(), begins(fair_of(exhibition_id).starts_on))


def _may_still_be_given(row: Invitation) -> bool:
    """Whether those who stand behind an invitation may still do so."""
    if row.exhibition_id is not None and fair_of(row.exhibition_id).is_over:
        return False
    if not row.by_office:
        return policy.may(db.session.get_one(Person, row.invited_by), Action.COORDINATORS_WRITE, row.facility_id)
    behind = [db.session.get_one(Person, one) for one in (row.invited_by, row.approved_by) if one is not None]
    return len(behind) == 2 and all(policy.may(one, Action.PEOPLE_WRITE) for one in behind)


def _person(row: Invitation, name: str, password: str) -> Person:
    query = select(Person).where(Person.email == row.email)
    person = db.session.scalar(query.execution_options(populate_existing=True))
    now = _now()
    if person is not None:
        if not person.is_active:
            raise InvitationDead()
        if person.password_hash == passwords.NO_PASSWORD:
            person.password_hash = passwords.hash_password(password)
        person.email_proven_at = person.email_proven_at or now
        return person
    person = Person(
        email=row.email,
        name=one_line(name)[:LONGEST_NAME] or row.name,
        password_hash=passwords.hash_password(password),
        locale=row.locale,
        # Who is invited in a demo works in the demo alone.
        is_demo=current_app.extensions["settings"].demo,
        email_proven_at=now,
    )
    db.session.add(person)
    db.session.flush()
    return person


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def is_open() -> ColumnElement[bool]:
    """That an invitation was neither accepted nor withdrawn, as a condition; it may have run out."""
    return Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _note(
    action: str, kind: str, subject: int, facility_id: int | None, person_id: int, details: dict[str, object]
) -> None:
    record(action, kind, subject, person_id=person_id, facility_id=facility_id, details=details)
