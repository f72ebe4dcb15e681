"""Coordinators of a facility: invited by its head with a mailed link, listed, and ended.

The link works once, for seven days, and only while whoever sent it may still invite. Its token is computed for the
letter and kept as a hash alone. Every change ends the sessions of whom it concerns and is told to the office.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, func, select, text

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyed import in_address, keyed_check
from storefront.mail.address import is_email
from storefront.mail.owe import owe_about
from storefront.people import attempts, memberships, passwords, policy
from storefront.people.memberships import holds
from storefront.people.models import Invitation, Membership, Person, Role
from storefront.people.policy import Action
from storefront.written import one_line

VALID = datetime.timedelta(days=7)
LONGEST_NAME = 120
#: What letters to the office and to the invited are about.
SUBJECT, INVITATION = "membership", "invitation"

MEMBERS = text(
    """
    SELECT m.id, m.person_id, p.name, p.email, m.role, m.valid_from, m.valid_until, g.name AS granted_by,
           (SELECT max(a.at) FROM audit_events a WHERE a.subject_kind = 'person' AND a.subject_id = p.id::text
               AND a.action = 'session.started') AS last_sign_in
      FROM memberships m
      JOIN people p ON p.id = m.person_id
      LEFT JOIN people g ON g.id = m.granted_by
     WHERE m.facility_id = :facility AND m.role IN ('coordinator', 'head')
     ORDER BY m.valid_until IS NOT NULL AND m.valid_until <= now(), m.role DESC, m.valid_until DESC NULLS FIRST, p.name
     LIMIT 200"""
)


class InvitationDead(DomainError):
    """Used, withdrawn, run out, or none at all: which of them is not said."""

    code, status = "invitation_dead", 410
    message = lazy_gettext("Undangan ini sudah dipakai, ditarik, atau kedaluwarsa. Minta kepala UPT mengundang lagi.")


class LastOne(DomainError):
    """The facility would have no coordinator left."""

    code, status = "last_coordinator", 409
    message = lazy_gettext(
        "Ini koordinator terakhir: sesudahnya tidak ada yang mengemas dan menjawab. Serahkan dahulu kepada yang lain, "
        "atau centang bahwa Anda tahu, lalu akhiri lagi."
    )


@dataclass(frozen=True)
class Member:
    """Somebody's role in a facility. `id` is the membership's."""

    id: int
    person_id: int
    name: str
    email: str
    role: str
    valid_from: datetime.datetime
    #: None: until it is ended.
    valid_until: datetime.datetime | None
    granted_by: str | None
    last_sign_in: datetime.datetime | None

    @property
    def is_living(self) -> bool:
        now = datetime.datetime.now(datetime.UTC)
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)


def members(facility_id: int) -> list[Member]:
    """Coordinators and heads of a facility, those of today first."""
    return [Member(**row) for row in db.session.execute(MEMBERS, {"facility": facility_id}).mappings()]


def waiting(facility_id: int) -> list[Invitation]:
    """Invitations that were neither accepted nor withdrawn, the latest first; some may have run out."""
    return list(
        db.session.scalars(
            select(Invitation)
            .where(Invitation.facility_id == facility_id, _open())
            .order_by(Invitation.id.desc())
            .limit(50)
        )
    )


def invite(facility_id: int, email: str, name: str, person_id: int, *, locale: str = "id") -> Invitation:
    """Ask somebody to be a coordinator; asked again while it is valid, it is the same invitation. Never commits.

    Raises Invalid by field (`email`, `name`).
    """
    lock(facility_id)
    email, name = email.strip().lower(), one_line(name)
    errors = {}
    if not is_email(email):
        errors["email"] = _("Tulis alamat surel yang lengkap, misalnya nama@contoh.id.")
    elif is_coordinator(facility_id, email):
        errors["email"] = _("Orang dengan alamat ini sudah koordinator di sini.")
    elif db.session.scalar(select(Person.id).where(Person.email == email)) == person_id:
        errors["email"] = _("Anda tidak dapat mengundang diri sendiri.")
    if not 1 <= len(name) <= LONGEST_NAME:
        errors["name"] = _("Tulis namanya seperti di surat tugas.")
    if errors:
        raise Invalid(errors)
    before = db.session.scalar(
        select(Invitation).where(Invitation.facility_id == facility_id, Invitation.email == email, _open())
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
    row.token_hash = _hash(token(row))
    db.session.flush()
    _note("coordinator.invited", "invitation", row.id, facility_id, person_id, {"name": name})
    owe_about("invitation", INVITATION, row.id)
    return row


def own(facility_id: int, invitation_id: int) -> Invitation:
    """One of the facility's invitations, locked. Raises NotFound for another's."""
    row = db.session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    if row is None or row.facility_id != facility_id:
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
    inviter = db.session.get_one(Person, row.invited_by)
    if not policy.may(inviter, Action.COORDINATORS_WRITE, row.facility_id):
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
    lock(used.facility_id)
    person = _person(used, name, password)
    used.accepted_at, used.accepted_by = _now(), person.id
    membership = living(used.facility_id, person.id)
    if membership is None:
        membership = memberships.grant(
            person, Role.COORDINATOR, facility_id=used.facility_id, granted_by=used.invited_by
        )
    db.session.flush()
    _note("coordinator.began", "person", person.id, used.facility_id, person.id, {"invited_by": used.invited_by})
    tell_office("coordinator_began", membership)
    return person, membership


def end(facility_id: int, membership_id: int, person_id: int, *, sure: bool = False) -> Membership:
    """End a coordinator's role in the facility, and all their sessions. Ended once more is the same. Never commits.

    Raises NotFound for another facility's or a head's, LastOne unless they are `sure`.
    """
    lock(facility_id)
    row = coordinator(facility_id, membership_id)
    if not _is_living(row):
        return row
    others = select(func.count()).select_from(Membership).where(
        Membership.facility_id == facility_id, Membership.role == Role.COORDINATOR.value, holds(),
        Membership.id != row.id,
    )  # fmt: skip
    if not sure and not db.session.scalar(others):
        raise LastOne()
    memberships.revoke(row.id)
    db.session.refresh(row)
    _note("coordinator.ended", "person", row.person_id, facility_id, person_id, {})
    tell_office("coordinator_ended", row)
    return row


def coordinator(facility_id: int, membership_id: int) -> Membership:
    """A coordinator's membership of the facility, living or not. Raises NotFound for any other."""
    row = db.session.get(Membership, membership_id, populate_existing=True)
    if row is None or row.facility_id != facility_id or row.role != Role.COORDINATOR.value:
        raise NotFound()
    return row


def living(facility_id: int, person_id: int) -> Membership | None:
    """Somebody's living role as coordinator of the facility."""
    return db.session.scalar(
        select(Membership).where(
            Membership.person_id == person_id,
            Membership.facility_id == facility_id,
            Membership.role == Role.COORDINATOR.value,
            holds(),
        )
    )


def is_coordinator(facility_id: int, email: str) -> bool:
    """Whether the account of this address is a coordinator of the facility now."""
    person_id = db.session.scalar(select(Person.id).where(Person.email == email))
    return person_id is not None and living(facility_id, person_id) is not None


def tell_office(kind: str, membership: Membership) -> None:
    """Owe each administrator a letter about a coordinator's role, once for each kind. Never commits."""
    for administrator in db.session.scalars(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.role == Role.ADMINISTRATOR.value, holds(), Person.is_active)
        .order_by(Person.id)
        .distinct()
    ):
        owe_about(kind, SUBJECT, membership.id, key=f"membership:{membership.id}:{kind}:{administrator}")


def token(row: Invitation) -> str:
    """What opens an invitation: 256 bits, keyed."""
    told = f"{row.id}|{row.facility_id}|{row.email}|{row.expires_at.timestamp()}"
    return in_address(keyed_check("storefront invitation", told))


def lock(facility_id: int) -> Facility:
    """Whoever changes a facility's team does it one after the other."""
    return db.session.get_one(Facility, facility_id, with_for_update={"key_share": True}, populate_existing=True)


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


def _open() -> ColumnElement[bool]:
    return Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)


def _is_living(row: Membership) -> bool:
    return row.valid_until is None or row.valid_until > _now()


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _note(
    action: str, kind: str, subject: int, facility_id: int, person_id: int, details: dict[str, object]
) -> None:
    record(action, kind, subject, person_id=person_id, facility_id=facility_id, details=details)
