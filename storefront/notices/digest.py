"""The morning's letter: what waits for a facility, once a day, and none when nothing waits."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.notices.models import Notice
from storefront.notices.tell import people_of, tell
from storefront.notices.waiting import asked_by, waiting
from storefront.people.models import Membership

#: The hour of the facility's own clock in which the letter goes out; a worker that slept then sends it until noon.
MORNING, NOON = 6, 12


def tell_mornings(now: datetime.datetime) -> int:
    """Tell each facility in which it is morning what waits there; how many were told. Never commits."""
    with_people = select(Membership.facility_id).where(Membership.facility_id.is_not(None))
    query = select(Facility).where(Facility.id.in_(with_people)).order_by(Facility.id)
    return sum(tell_morning(facility, now) for facility in db.session.scalars(query).all())


def tell_morning(facility: Facility, now: datetime.datetime) -> bool:
    """Tell one facility, if it is morning there, something waits and it was not told today. Never commits."""
    local = now.astimezone(ZoneInfo(facility.time_zone))
    if not MORNING <= local.hour < NOON:
        return False
    key = f"digest:{facility.code}:{local.date()}"
    if db.session.scalar(select(Notice.id).where(Notice.key == key)) is not None:
        return False
    people = people_of(facility.id, "digest")
    if not any(waiting(asked_by(person, facility)) for person in people):
        return False
    return tell(facility.id, "digest", key, about="", path=f"/seller/{facility.code}/")
