"""Coordinators of a facility: who they are, and how their work ends.

Every change ends the sessions of whom it concerns and is told to the office.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import lazy_gettext
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail.owe import owe_about
from storefront.people import memberships
from storefront.people.memberships import holds
from storefront.people.models import Membership, Person, Role

#: What letters to the office are about.
SUBJECT = "membership"

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


def end(facility_id: int, membership_id: int, person_id: int, *, sure: bool = False) -> Membership:
    """End a coordinator's role in the facility, and all their sessions. Ended once more is the same. Never commits.

    Raises NotFound for another facility's or a head's, LastOne unless they are `sure`.
    """
    lock(facility_id)
    row = find(facility_id, membership_id)
    if row.valid_until is not None and row.valid_until <= _now():
        return row
    others = select(func.count()).select_from(Membership).where(
        Membership.facility_id == facility_id, Membership.role == Role.COORDINATOR.value, holds(),
        Membership.id != row.id,
    )  # fmt: skip
    if not sure and not db.session.scalar(others):
        raise LastOne()
    memberships.revoke(row.id)
    db.session.refresh(row)
    record("coordinator.ended", "person", row.person_id, person_id=person_id, facility_id=facility_id)
    tell_office("coordinator_ended", row)
    return row


def find(facility_id: int, membership_id: int) -> Membership:
    """A coordinator's membership of the facility, living or not. Raises NotFound for any other."""
    row = db.session.get(Membership, membership_id, populate_existing=True)
    if row is None or row.facility_id != facility_id or row.role != Role.COORDINATOR.value:
        raise NotFound()
    return row


def living(facility_id: int, person_id: int) -> Membership | None:
    """Somebody's living role as coordinator of the facility."""
    return memberships.living(person_id, Role.COORDINATOR, facility_id)


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


def lock(facility_id: int) -> Facility:
    """Whoever changes a facility's team does it one after the other."""
    return db.session.get_one(Facility, facility_id, with_for_update={"key_share": True}, populate_existing=True)


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now
