"""Letters to whoever reported with an address: the number and the link, never what was written."""

from __future__ import annotations

from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.cases.code import plain, secret_code
from storefront.cases.models import Case, CaseLetter
from storefront.extensions import db, defer
from storefront.mail.transport import Letter, MailNotTaken, send


def owe(case: Case, kind: str, key: str) -> None:
    """Queue a letter about a case in the transaction of the fact it tells; once for each `key`.

    Nothing is owed to somebody who gave no address.
    """
    if case.email is None:
        return
    values = {"key": key, "case_id": case.id, "kind": kind}
    statement = upsert(CaseLetter).values(values).on_conflict_do_nothing(index_elements=["key"])
    letter_id = db.session.execute(statement.returning(CaseLetter.id)).scalar()
    if letter_id is not None:
        defer("cases.send_letter", letter_id=letter_id)


def link(case: Case) -> str:
    """The address that opens the case."""
    root = current_app.extensions["settings"].base_url + ("/en" if case.locale == "en" else "")
    return f"{root}/report/{case.number}?code={plain(secret_code(case))}"


def send_letter(letter_id: int) -> None:
    """Send one owed letter and write that it went; commits. One that went before is passed over.

    Raises MailNotTaken, so that the job tries again.
    """
    owed = db.session.get_one(CaseLetter, letter_id, populate_existing=True)
    if owed.sent_at is not None:
        db.session.rollback()
        return
    case = db.session.get_one(Case, owed.case_id)
    letter = _letter(owed, case)
    db.session.rollback()  # nothing stays locked or open while the mail server thinks
    failed: MailNotTaken | None = None
    if letter:
        try:
            send(letter)
        except MailNotTaken as refused:
            failed = refused
    owed = db.session.get_one(CaseLetter, letter_id, with_for_update=True, populate_existing=True)
    owed.attempts += 1
    owed.last_error = str(failed) if failed else None if letter else "no address"
    if failed is None:
        owed.sent_at = db.session.execute(select(func.now())).scalar_one()
    db.session.commit()
    if failed is not None:
        raise failed


def _letter(owed: CaseLetter, case: Case) -> Letter | None:
    if case.email is None:
        return None
    with force_locale(case.locale):
        rendered = render_template(f"mail/{owed.kind}.txt", case=case, link=link(case))
    subject, _, text = rendered.partition("\n")
    return Letter(owed.key, case.email, subject.strip(), text.lstrip("\n"))
