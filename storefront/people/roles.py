"""Who works here: roles that one administrator proposes and another gives, and their end. Nothing here commits."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, exists, func, or_, select, text

from storefront.audit.record import record
from storefront.days import begins
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.people import coordinators, factor_resets, memberships, sessions
from storefront.people.factor_models import SecondFactor
from storefront.people.memberships import OwnRole, holds
from storefront.people.models import Membership, Person, Role, RoleProposal, Session
from storefront.people.role_reach import GIVEN, last_day, place_of

PAGE = 30
BY_NAME = Order((("lower(people.name)", "text"), ("people.id", "bigint")), descending=False)
#: Held while an administrator's role ends, so that two at once do not end the last two.
LAST_ONE = 7_304_112_090


class LastAdministrator(DomainError):
    """Nobody could give roles any more."""

    code, status = "last_administrator", 409
    message = _("Ini administrator terakhir. Beri peran administrator kepada orang lain dulu.")


class TwoPeople(DomainError):
    """Whoever proposed a role does not give it."""

    code, status = "four_eyes", 403
    message = _("Peran diusulkan satu administrator dan diberikan oleh yang lain: minta rekan Anda.")


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
class Proposed:
    """A role that waits for a second administrator."""

    id: int
    role: str
    #: None: the whole programme.
    facility: str | None
    role_until: datetime.date | None
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime


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


def staff(words: str, role: str, turn: Turn = FIRST, *, waiting: bool = False) -> Keyed[StaffLine]:
    """A page of who holds a role now or held one, by name.

    `words`: in name or address; `waiting`: only those whom a second administrator must decide about.
    """
    held = exists().where(Membership.person_id == Person.id)
    if role in set(Role):
        held = held.where(Membership.role == role, holds())
    query = select(Person).where(held)
    if waiting:
        query = query.where(_waits())
    if words:
        pattern = f"%{words.lower().replace('%', '').replace('_', ' ')}%"
        query = query.where(or_(func.lower(Person.name).like(pattern), Person.email.like(pattern)))
    found = select_page(query, BY_NAME, turn, size=PAGE)
    people: list[Person] = [row[0] for row in found.rows]
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
    rows = [
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
    ]
    return found.of(rows)


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


def propose(person_id: int, role: str, facility_code: str, by: int, until: str = "") -> RoleProposal:
    """Propose a role for somebody who works here or did; proposed once more it is the same.

    `until`: an auditor's last day. Raises Invalid (`role`, `facility`, `until`), OwnRole, NotFound.
    """
    find(person_id)
    if person_id == by:
        raise OwnRole()
    if role not in GIVEN:
        raise Invalid({"role": _("Pilih perannya.")})
    facility_id, role_until = place_of(Role(role), facility_code), last_day(Role(role), until)
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    same = _same(Membership.role, Membership.facility_id, role, facility_id)
    if db.session.scalar(select(Membership.id).where(Membership.person_id == person_id, *same, holds())) is not None:
        raise Invalid({"role": _("Peran ini sudah dipegangnya.")})
    same = _same(RoleProposal.role, RoleProposal.facility_id, role, facility_id)
    proposed = db.session.scalar(_open().where(RoleProposal.person_id == person_id, *same))
    if proposed is None:
        proposed = RoleProposal(
            person_id=person_id, role=role, facility_id=facility_id, role_until=role_until, proposed_by=by
        )
        db.session.add(proposed)
        db.session.flush()
        details = {"role": role, "facility": facility_code or None, "until": str(role_until) if role_until else None}
        record("role.proposed", "person", person_id, person_id=by, facility_id=facility_id, details=details)
    return proposed


def approve(person_id: int, proposal_id: int, by: int) -> Membership:
    """A second administrator gives the role; the person's sessions end. Raises NotFound, TwoPeople."""
    proposed = _locked(person_id, proposal_id)
    if by in (proposed.proposed_by, person_id):
        raise TwoPeople()
    person, given = db.session.get_one(Person, person_id), Role(proposed.role)
    until = None if proposed.role_until is None else begins(proposed.role_until + datetime.timedelta(days=1))
    membership = memberships.grant(
        person, given, facility_id=proposed.facility_id, valid_until=until, granted_by=proposed.proposed_by
    )
    proposed.approved_by, proposed.approved_at, proposed.membership_id = by, func.now(), membership.id
    db.session.flush()
    details = {"role": given.value, "proposed_by": proposed.proposed_by}
    record("role.given", "person", person_id, person_id=by, facility_id=proposed.facility_id, details=details)
    return membership


def reject(person_id: int, proposal_id: int, by: int) -> RoleProposal:
    """The role is not given; whoever proposed it may say so too. Raises NotFound."""
    proposed = _locked(person_id, proposal_id)
    proposed.rejected_by, proposed.rejected_at = by, func.now()
    db.session.flush()
    details = {"role": proposed.role}
    record("role.rejected", "person", person_id, person_id=by, facility_id=proposed.facility_id, details=details)
    return proposed


def proposals(person_id: int) -> list[Proposed]:
    """The roles that are proposed for somebody and wait."""
    rows = db.session.execute(
        _open()
        .with_only_columns(RoleProposal, Facility.name, Person.name)
        .outerjoin(Facility, Facility.id == RoleProposal.facility_id)
        .join(Person, Person.id == RoleProposal.proposed_by)
        .where(RoleProposal.person_id == person_id)
        .order_by(RoleProposal.id)
    )
    return [
        Proposed(p.id, p.role, facility, p.role_until, p.proposed_by, name, p.proposed_at)
        for p, facility, name in rows
    ]


def count_waiting() -> int:
    """How many people a second administrator has to decide about: a role, or a phone to be set up anew."""
    return int(db.session.scalar(select(func.count()).select_from(Person).where(_waits())) or 0)


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
        return coordinators.end(row.facility_id, membership_id, by, sure=True)
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


def _waits() -> ColumnElement[bool]:
    proposed = _open().with_only_columns(RoleProposal.person_id)
    return or_(Person.id.in_(factor_resets.people_waiting()), Person.id.in_(proposed))


def _open() -> Select[RoleProposal]:
    # Cashiers are proposed and named at their fair (`exhibitions.cashiers`).
    return select(RoleProposal).where(
        RoleProposal.approved_at.is_(None), RoleProposal.rejected_at.is_(None), RoleProposal.exhibition_id.is_(None)
    )


def _locked(person_id: int, proposal_id: int) -> RoleProposal:
    own = _open().where(RoleProposal.id == proposal_id, RoleProposal.person_id == person_id)
    proposed = db.session.scalar(own.with_for_update())
    if proposed is None:
        raise NotFound()
    return proposed


def _same(role: Any, place: Any, wanted: str, facility_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return role == wanted, place.is_not_distinct_from(facility_id)


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
