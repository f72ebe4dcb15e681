"""Letters about roles and second factors: to the invited, to the office, and to whoever owns an account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.transport import Letter
from storefront.mail.write import letter, linked_letter
from storefront.people import coordinators, invitations, second_factor
from storefront.people.factor_models import SecondFactor
from storefront.people.fairs import RoleFair, fair_of
from storefront.people.models import Invitation, Membership, Person


@writes(invitations.INVITATION)
def invited(message: Message) -> Letter | None:
    """The link; None when the invitation was used or taken back before it could be sent."""
    row = db.session.get(Invitation, message.subject_id)
    if row is None or row.accepted_at is not None or row.withdrawn_at is not None:
        return None
    facility: Facility | RoleFair | None = None
    if row.facility_id is not None:
        facility = db.session.get_one(Facility, row.facility_id)
    elif row.exhibition_id is not None:
        facility = fair_of(row.exhibition_id)
    return linked_letter(
        message.kind,
        message.key,
        row.email,
        row.locale,
        f"/account/invitation/{invitations.token(row)}",
        _l("Terima undangan"),
        name=row.name,
        facility=facility.name if facility else None,
        role=row.role,
        role_until=row.role_until,
        inviter=db.session.get_one(Person, row.invited_by).name,
        until=row.expires_at,
    )


@writes(coordinators.SUBJECT)
def of_role(message: Message) -> Letter | None:
    """News of a coordinator's role for one administrator, whom the key names; None when they left meanwhile."""
    row = db.session.get(Membership, message.subject_id)
    to = db.session.get(Person, int(message.key.rpartition(":")[2]))
    if row is None or row.facility_id is None or to is None or not to.is_active:
        return None
    return letter(
        message.kind,
        message.key,
        to.email,
        to.locale,
        name=db.session.get_one(Person, row.person_id).name,
        facility=db.session.get_one(Facility, row.facility_id).name,
        since=row.valid_from,
        until=row.valid_until,
    )


@writes(second_factor.SUBJECT)
def of_factor(message: Message) -> Letter | None:
    """News of a second factor to its owner, who would notice if it was not them."""
    row = db.session.get_one(SecondFactor, message.subject_id)
    person = db.session.get_one(Person, row.person_id)
    if not person.is_active:
        return None
    return letter(
        message.kind,
        message.key,
        person.email,
        person.locale,
        name=person.name,
        at=message.created_at,
        left=second_factor.left_on_paper(row),
    )
