"""Word to a facility of what the office decided on its training, and once a day to the office of what waits for it.

History that is written down later (`audit.record.dated`) is told to nobody.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from storefront.audit.record import dated_at
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail import write
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.owe import owe_about
from storefront.mail.transport import Letter
from storefront.notices.tell import tell
from storefront.people import policy
from storefront.people.models import Membership, Person, Role
from storefront.people.policy import Action
from storefront.training.models import TrainingProgramme

#: What `messages` calls a letter to somebody of the office; its subject is the person.
SUBJECT = "training_office"
KIND = "training_waits"
WAITING = text(
    """SELECT (SELECT count(*) FROM training_programmes
                WHERE state = 'recorded' AND passed IS NOT NULL AND certified IS NOT NULL
                  AND ended_on <= :day) AS programmes,
              (SELECT count(*) FROM training_followups WHERE state = 'recorded') AS later"""
)


def tell_facility(row: TrainingProgramme, what: str, which: str) -> None:
    """Tell a programme's facility that the office `checked`, `rejected` or `withdrawn` something. Never commits.

    `which` tells this decision from all others about the programme.
    """
    if dated_at() is not None:
        return
    code = db.session.scalar(select(Facility.code).where(Facility.id == row.facility_id))
    path = f"/seller/{code}/training/{row.id}"
    tell(row.facility_id, "training", f"training:{row.id}:{what}:{which}", about=row.skill, path=path)


def tell_office(recorded_by: int) -> None:
    """Owe a letter to everybody who may check, once a day, but not to who has recorded. Never commits."""
    if dated_at() is not None:
        return
    day = today()
    query = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.role == Role.ADMINISTRATOR.value, Person.is_active, Person.id != recorded_by)
        .options(selectinload(Person.memberships))
        .order_by(Person.id)
    )
    for person in db.session.scalars(query).unique():
        if _checks(person):
            owe_about(KIND, SUBJECT, person.id, key=f"training_office:{day}:{person.id}")


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The letter that is owed; None when nothing waits any more, or they check no more."""
    person = db.session.get(Person, message.subject_id)
    if person is None or not person.is_active or not _checks(person):
        return None
    row = db.session.execute(WAITING, {"day": today()}).one()
    if not row.programmes and not row.later:
        return None
    path = "/admin/training?state=" + ("recorded" if row.programmes else "followups")
    return write.linked_letter(
        message.kind, message.key, person.email, person.locale, path, _l("Buka daftarnya"),
        programmes=row.programmes, later=row.later,
    )  # fmt: skip


def _checks(person: Person) -> bool:
    return policy.reach(person, Action.TRAINING_WRITE, face="admin").everywhere
