"""Who works here: roles that administrators give and end. Nothing here commits."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, exists, func, or_, select, text

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import factor_resets, invitations, memberships, sessions
from storefront.people.factor_models import SecondFactor
from storefront.people.memberships import holds
from storefront.people.models import Membership, Person, Role, Session

PAGE = 30
#: Roles bound to a facility, to the whole programme, and to either; a cashier's belongs to a fair.
AT_A_FACILITY = frozenset({Role.COORDINATOR, Role.HEAD})
EITHER = frozenset({Role.FINANCE, Role.AUDITOR})
GIVEN = tuple(role for role in Role if role is not Role.CASHIER)
#: Held while an administrator's role ends, so that two at once do not end the last two.
LAST_ONE = 7_304_112_090


class LastAdministrator(DomainError):
    """Nobody could give roles any more."""

    code, status = "last_administrator", 409
    message = _("Ini administrator terakhir. Beri peran administrator kepada orang lain dulu.")


class OwnRole(DomainError):
    """Somebody would change their own roles."""

    code, status = "own_role", 403
    message = _("Peran sendiri diubah oleh administrator lain.")


@dataclass(frozen=True)
class Held:
    """One role of somebody, with where it reaches."""

    id: int
    role: str
    #: None: the whole programme, or a fair.
    facility: str | None
    code: str | None
    valid_from: datetime.datetime
    valid_until: datetime.datetime | None
    granted_by: str | None
    is_living: bool


@dataclass(frozen=True)
class StaffLine:
    """Somebody with a role, in the list."""

    id: int
    name: str
    email: str
    is_active: bool
    is_demo: bool
    #: Roles that hold now, as `role` or `role CODE`.
    roles: tuple[tuple[str, str | None], ...]
    factor_since: datetime.datetime | None
    last_seen_at: datetime.datetime | None


def staff(words: str, role: str, page: int, *, with_reset: bool = False) -> tuple[list[StaffLine], int]:
    """A page of who holds a role now or held one, by name, and how many there are.

    `words`: in name or address; `with_reset`: only those whose second factor is asked to be set up anew.
    """
    held = exists().where(Membership.person_id == Person.id)
    if role in set(Role):
        held = held.where(Membership.role == role, holds())
    query = select(Person).where(held)
    if with_reset:
        query = query.where(Person.id.in_(factor_resets.people_waiting()))
    if words:
        pattern = f"%{words.lower().replace('%', '').replace('_', ' ')}%"
        query = query.where(or_(func.lower(Person.name).like(pattern), Person.email.like(pattern)))
    total = int(db.session.scalar(select(func.count()).select_from(query.subquery())) or 0)
    people = db.session.scalars(
        query.order_by(func.lower(Person.name), Person.id).limit(PAGE).offset((page - 1) * PAGE)
    ).all()
    ids = [person.id for person in people]
    roles = _roles_of(ids)
    factors = dict(_pairs(select(SecondFactor.person_id, SecondFactor.confirmed_at).where(
        SecondFactor.person_id.in_(ids), SecondFactor.confirmed_at.is_not(None), SecondFactor.ended_at.is_(None)
    )))  # fmt: skip
    seen = dict(
        _pairs(
            select(Session.person_id, func.max(Session.last_seen_at))
            .where(Session.person_id.in_(ids))
            .group_by(Session.person_id)
        )
    )
    return [
        StaffLine(
            person.id,
            person.name,
            person.email,
            person.is_active,
            person.is_demo,
            tuple(roles.get(person.id, ())),
            factors.get(person.id),
            seen.get(person.id),
        )
        for person in people
    ], total


def find(person_id: int) -> Person:
    """Somebody who holds or held a role. Raises NotFound for others: shoppers are nobody's business here."""
    person = db.session.get(Person, person_id)
    if person is None or not db.session.scalar(select(exists().where(Membership.person_id == person_id))):
        raise NotFound()
    return person


def roles_of(person_id: int) -> list[Held]:
    """All roles that somebody holds or held, those that hold now first."""
    giver = select(Person.name).where(Person.id == Membership.granted_by).scalar_subquery()
    rows = db.session.execute(
        select(Membership, Facility.name, Facility.code, giver, holds())
        .outerjoin(Facility, Facility.id == Membership.facility_id)
        .where(Membership.person_id == person_id)
        .order_by(holds().desc(), Membership.valid_from.desc(), Membership.id.desc())
    )
    return [
        Held(m.id, m.role, name, code, m.valid_from, m.valid_until, given_by, living)
        for m, name, code, given_by, living in rows
    ]


def give(person_id: int, role: str, facility_code: str, by: int) -> Membership:
    """Give a role to somebody with an account who works here or did; their sessions end.

    Raises Invalid (`role`, `facility`), OwnRole, NotFound.
    """
    person = find(person_id)
    if person_id == by:
        raise OwnRole()
    if role not in GIVEN:
        raise Invalid({"role": _("Pilih perannya.")})
    given, facility_id = Role(role), None
    if facility_code:
        if given not in AT_A_FACILITY | EITHER:
            raise Invalid({"facility": _("Peran ini berlaku untuk seluruh program: kosongkan UPT-nya.")})
        facility_id = db.session.scalar(select(Facility.id).where(Facility.code == facility_code))
        if facility_id is None:
            raise Invalid({"facility": _("Pilih UPT dari daftar.")})
    elif given in AT_A_FACILITY:
        raise Invalid({"facility": _("Pilih UPT tempat peran ini berlaku.")})
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    same = select(Membership.id).where(
        Membership.person_id == person_id,
        Membership.role == given.value,
        Membership.facility_id.is_(None) if facility_id is None else Membership.facility_id == facility_id,
        Membership.valid_until.is_(None),
    )
    if db.session.scalar(same) is not None:
        raise Invalid({"role": _("Peran ini sudah dipegangnya.")})
    membership = memberships.grant(person, given, facility_id=facility_id, granted_by=by)
    details = {"role": given.value, "facility": facility_code or None}
    record("role.given", "person", person_id, person_id=by, facility_id=facility_id, details=details)
    return membership


def end(person_id: int, membership_id: int, by: int) -> Membership:
    """End a role, and the person's sessions; ended once more is the same.

    Raises NotFound, OwnRole, LastAdministrator.
    """
    row = db.session.get(Membership, membership_id, populate_existing=True)
    if row is None or row.person_id != person_id:
        raise NotFound()
    if person_id == by:
        raise OwnRole()
    if row.role == Role.COORDINATOR and row.facility_id is not None:
        return invitations.end(row.facility_id, membership_id, by, sure=True)
    if row.role == Role.ADMINISTRATOR:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LAST_ONE})
        others = (
            select(func.count(Membership.person_id.distinct()))
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.role == row.role, holds(), Person.is_active, Membership.person_id != person_id)
        )
        if not db.session.scalar(others):
            raise LastAdministrator()
    living = db.session.scalar(select(holds()).where(Membership.id == membership_id))
    if living:
        memberships.revoke(membership_id)
        db.session.refresh(row)
        details = {"role": row.role}
        record("role.ended", "person", person_id, person_id=by, facility_id=row.facility_id, details=details)
    return row


def end_sessions(person_id: int, by: int) -> int:
    """Sign somebody out everywhere; how many sessions there were. Raises NotFound."""
    find(person_id)
    ended = sessions.end_all(person_id)
    if ended:
        record("session.ended", "person", person_id, person_id=by, details={"sessions": ended})
    return ended


def _roles_of(ids: Sequence[int]) -> dict[int, list[tuple[str, str | None]]]:
    found: dict[int, list[tuple[str, str | None]]] = {}
    rows = db.session.execute(
        select(Membership.person_id, Membership.role, Facility.code)
        .outerjoin(Facility, Facility.id == Membership.facility_id)
        .where(Membership.person_id.in_(ids), holds())
        .order_by(Membership.id)
    )
    for person_id, role, code in rows:
        found.setdefault(person_id, []).append((role, code))
    return found


def _pairs(query: Select[int, Any]) -> list[tuple[int, Any]]:
    return [(key, value) for key, value in db.session.execute(query)]
