"""Letters to coordinators about what they list."""

from __future__ import annotations

import datetime

from flask_babel import lazy_gettext as _l

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.news import SUBJECT
from storefront.listings.review_models import ListingNews
from storefront.mail import write
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.transport import Letter
from storefront.people.models import Person


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The letter that is owed; None when its reader has left."""
    news = db.session.get(ListingNews, message.subject_id)
    person = db.session.get(Person, news.person_id) if news else None
    if news is None or person is None or not person.is_active:
        return None
    return write.linked_letter(
        news.kind,
        message.key,
        person.email,
        person.locale,
        news.about["path"],
        _l("Buka di toko"),
        facility=db.session.get_one(Facility, news.facility_id).name,
        about=news.about,
        ends_on=datetime.date.fromisoformat(news.about["ends_on"]) if "ends_on" in news.about else None,
    )
