"""Letters to the people of a facility that was suspended or taken back."""

from __future__ import annotations

from storefront.admission import suspend
from storefront.extensions import db
from storefront.facilities.models import Facility, Suspension
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.transport import Letter
from storefront.mail.write import address_of, letter
from storefront.people.models import Person


@writes(suspend.SUBJECT)
def of_suspension(message: Message) -> Letter | None:
    """For one person of the facility, whom the key names; None when they left meanwhile."""
    row = db.session.get_one(Suspension, message.subject_id)
    to = db.session.get(Person, int(message.key.rpartition(":")[2]))
    if to is None or not to.is_active:
        return None
    facility = db.session.get_one(Facility, row.facility_id)
    return letter(
        message.kind,
        message.key,
        to.email,
        to.locale,
        name=to.name,
        facility=facility.name,
        reason=row.reason,
        why=row.lifted_why,
        page=address_of(f"/seller/{facility.code}/"),
    )
