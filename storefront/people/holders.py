"""Who could do something: the people to ask for a second pair of eyes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from storefront.extensions import db
from storefront.people import policy
from storefront.people.models import Membership, Person
from storefront.people.policy import Action


def holders(
    action: Action, facility_ids: Iterable[int], *, face: str, besides: int | None = None, limit: int = 5
) -> list[str]:
    """Names of people who may do `action` in all of these facilities, by roles that may enter `face`.

    Without `besides`, who has taken the first step. Whoever reaches the fewest facilities comes first: they
    are nearest.
    """
    wanted = frozenset(facility_ids)
    roles = [role.value for role in policy.GRANTS[action] & policy.FACES[face]]
    people = db.session.scalars(
        select(Person)
        .where(
            Person.is_active,
            Person.id.is_distinct_from(besides),
            Person.id.in_(select(Membership.person_id).where(Membership.role.in_(roles))),
        )
        .options(selectinload(Person.memberships))
        .order_by(Person.name, Person.id)
    )
    found = [(policy.reach(person, action, face=face), person.name or person.email) for person in people]
    able = [(where, name) for where, name in found if where.everywhere or wanted <= where.facility_ids]
    able.sort(key=lambda pair: pair[0].everywhere)
    return [name for _where, name in able[:limit]]
