"""Letters to whoever reported with an address: the number and the link, never what was written."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.cases.code import plain, secret_code
from storefront.cases.models import Case
from storefront.extensions import db
from storefront.mail import write
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.owe import owe_about
from storefront.mail.transport import Letter

SUBJECT = "case"


def owe(case: Case, kind: str, key: str) -> None:
    """Owe a letter about a case, once for each `key`; none to somebody who gave no address. Never commits."""
    if case.email:
        owe_about(kind, SUBJECT, case.id, key=key)


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The letter that is owed; None when its address was forgotten."""
    case = db.session.get(Case, message.subject_id)
    if case is None or not case.email:
        return None
    path = f"/report/{case.number}?code={plain(secret_code(case))}"
    return write.linked_letter(
        message.kind, message.key, case.email, case.locale, path, _l("Buka laporan"), case=case
    )
