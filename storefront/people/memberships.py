"""Giving and taking roles. A change ends the person's sessions at once: nobody works on under old rights."""

from __future__ import annotations

import datetime

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, func, or_, select, update

from storefront.errors import DomainError
from storefront.extensions import db
from storefront.people import sessions
from storefront.people.models import Membership, Person, Role


class OwnRole(DomainError):
    """Somebody would change their own roles."""

    code, status = "own_role", 403
    message = _("Peran sendiri diubah oleh administrator lain.")


def grant(
    person: Person,
    role: Role,
    *,
    facility_id: int | None = None,
    exhibition_id: int | None = None,
    valid_from: datetime.datetime | None = None,
    valid_until: datetime.datetime | None = None,
    granted_by: int | None = None,
) -> Membership:
    """Give `person` a role from `valid_from` (default: now) to `valid_until` (default: for good).

    Raises `OwnRole` when the giver is the person; the database refuses it too.
    """
    if granted_by is not None and granted_by == person.id:
        raise OwnRole()
    membership = Membership(
        person_id=person.id,
        role=role.value,
        facility_id=facility_id,
        exhibition_id=exhibition_id,
        valid_until=valid_until,
        granted_by=granted_by,
    )
    if valid_from is not None:
        membership.valid_from = valid_from
    db.session.add(membership)
    db.session.flush()
    sessions.end_all(person.id)
    return membership


def revoke(membership_id: int) -> None:
    """End a membership now. One that has already ended stays as it was."""
    living = or_(Membership.valid_until.is_(None), Membership.valid_until > func.now())
    person_id = db.session.scalar(
        update(Membership)
        .where(Membership.id == membership_id, living)
        .values(
            valid_until=func.greatest(func.now(), Membership.valid_from + datetime.timedelta(microseconds=1))
        )
        .returning(Membership.person_id)
    )
    if person_id is not None:
        sessions.end_all(person_id)


def living(
    person_id: int, role: Role, facility_id: int | None, exhibition_id: int | None = None
) -> Membership | None:
    """Somebody's living role at a facility, or (None) for the whole programme; at a fair also one that begins later."""
    of_it = (Membership.person_id == person_id) & (Membership.role == role.value)
    of_it &= holds() if exhibition_id is None else _not_over()
    here = Membership.facility_id.is_not_distinct_from(facility_id)
    there = Membership.exhibition_id.is_not_distinct_from(exhibition_id)
    return db.session.scalar(select(Membership).where(of_it, here, there).limit(1))


def holds() -> ColumnElement[bool]:
    """That a membership holds now, as a condition.

    By the clock, not by when the transaction began: a role that another has just ended is seen as ended.
    """
    return (Membership.valid_from <= func.clock_timestamp()) & _not_over()


def _not_over() -> ColumnElement[bool]:
    return or_(Membership.valid_until.is_(None), Membership.valid_until > func.clock_timestamp())
