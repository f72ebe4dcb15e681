"""The letter that a file is ready: a link to its page, never the file itself."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.exports import made_files
from storefront.exports.models import MadeFile
from storefront.extensions import db
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.transport import Letter
from storefront.mail.write import linked_letter
from storefront.people.models import Person


@writes(made_files.SUBJECT)
def ready(message: Message) -> Letter | None:
    """The link for who asked; None when they may not see it any more."""
    row = db.session.get_one(MadeFile, message.subject_id)
    person = db.session.get_one(Person, row.asked_by)
    if not person.is_active or not made_files.may_fetch(person, row):
        return None
    path = f"/finance/files/{row.id}"
    words = _l("Buka halamannya")
    return linked_letter(message.kind, message.key, person.email, person.locale, path, words, title=row.title)
