"""Tell the people of a facility something new, once for each fact, each as they have chosen.

`tell()` writes the fact down and queues a job in the fact's own transaction; the job finds out who is told
(`spread`) and owes each a letter or a push message, which `mail.notify` hands over like every other letter.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import selectinload

from storefront.extensions import db, defer
from storefront.mail.owe import owe_about
from storefront.notices.choices import KINDS, choices
from storefront.notices.models import Notice, NoticeDelivery, PushDevice
from storefront.people import policy
from storefront.people.models import Membership, Person

#: What `messages` calls the rows of `notice_deliveries`.
SUBJECT = "notice"


def tell(facility_id: int, kind: str, key: str, *, about: str, path: str, by_letter: bool = True) -> bool:
    """Tell the people of a facility; False when `key` was told before. Never commits.

    `kind` is one of `choices.KINDS`. `about` is a parcel's code or a work's title: never anything of a buyer. `path`
    is the page that shows it, below `/seller/`. `by_letter=False` where a room writes a letter of its own, to those of
    `people_of(facility_id, kind)` who want one (`wants_letter`).
    """
    notice_id = db.session.execute(
        insert(Notice)
        .values(facility_id=facility_id, kind=kind, key=key, about=about[:200], path=path, by_letter=by_letter)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Notice.id)
    ).scalar()
    if notice_id is None:
        return False
    defer("notices.spread", notice_id=notice_id)
    return True


def spread(notice_id: int) -> int:
    """Owe the notice to everybody whom it concerns, as each has chosen; how many messages. Never commits."""
    notice = db.session.get_one(Notice, notice_id)
    told = 0
    for person in people_of(notice.facility_id, notice.kind):
        ways = choices(person.id, notice.facility_id)[notice.kind]
        if ways.by_email and notice.by_letter:
            told += _owe(notice, person.id, None)
        if ways.by_push:
            devices = db.session.scalars(select(PushDevice.id).where(PushDevice.person_id == person.id))
            told += sum(_owe(notice, person.id, device_id) for device_id in devices.all())
    return told


def people_of(facility_id: int, kind: str) -> list[Person]:
    """Who is told of a kind of thing in a facility now: its coordinators, and of some things its head."""
    members = select(Membership.person_id).where(Membership.facility_id == facility_id)
    query = select(Person).where(Person.id.in_(members), Person.is_active).order_by(Person.id)
    people = db.session.scalars(query.options(selectinload(Person.memberships))).all()
    return [person for person in people if concerns(person, facility_id, kind)]


def concerns(person: Person, facility_id: int, kind: str) -> bool:
    """Whether somebody is told of this kind of thing in a facility, by what they may do there now."""
    return facility_id in policy.reach(person, KINDS[kind], face="seller").facility_ids


def wants_letter(person_id: int, facility_id: int, kind: str) -> bool:
    """Whether somebody wants a letter about this kind of thing: asked by rooms that write their own."""
    return choices(person_id, facility_id)[kind].by_email


def _owe(notice: Notice, person_id: int, device_id: int | None) -> bool:
    values = {"notice_id": notice.id, "person_id": person_id, "device_id": device_id}
    delivery_id = db.session.execute(
        insert(NoticeDelivery)
        .values(values)
        .on_conflict_do_nothing(constraint="notice_deliveries_once")
        .returning(NoticeDelivery.id)
    ).scalar()
    if delivery_id is None:
        return False
    kind = f"notice_{notice.kind}"
    return owe_about(
        kind, SUBJECT, delivery_id, key=f"notice:{notice.id}:{person_id}:{device_id or 'letter'}"
    )
