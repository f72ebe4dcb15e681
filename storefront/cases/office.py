"""What the office does with a case: take it, answer, close. The trail says who and when, never what was written."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront import content_rule
from storefront.audit.record import record
from storefront.cases import letters
from storefront.cases.models import Case, CaseMessage
from storefront.cases.report import locked
from storefront.errors import DomainError, Invalid
from storefront.extensions import db

OUTCOMES = ("resolved", "passed_on", "unfounded", "nothing_to_do")
LONGEST = 6000


class CaseMoved(DomainError):
    """Somebody wrote or decided something since the page was opened."""

    code, status = "case_moved", 409
    message = _l(
        "Ada yang baru dalam laporan ini sejak Anda membukanya. Tulisan Anda masih di sini: baca dahulu yang baru, "
        "lalu kirim bila masih perlu."
    )


def take(case_id: int, seen: str, person_id: int) -> Case:
    """Decide this case from now on, also in the place of a colleague; `seen` is the state that the person saw.

    Raises CaseMoved.
    """
    case = _begin(case_id, seen)
    before, now = case.taken_by, db.session.scalar(select(func.now()))
    case.taken_by, case.taken_at = person_id, now
    if case.state == "new":
        case.state = "looked_at"
    db.session.flush()
    _note("case.taken", case, person_id, taken_from=before)
    return case


def answer(case_id: int, body: str, seen: str, person_id: int) -> Case:
    """Write to whoever reported. Raises Invalid and CaseMoved."""
    body = _text(body)
    case = _begin(case_id, seen)
    message = _say(case, body, person_id)
    case.state = "answered"
    db.session.flush()
    _note("case.answered", case, person_id)
    letters.owe(case, "case_answered", f"case:{case.id}:answered:{message.id}")
    return case


def close(case_id: int, outcome: str, body: str, seen: str, person_id: int) -> Case:
    """Decide the case, with a last word unless it has an answer already. Raises Invalid and CaseMoved."""
    if outcome not in OUTCOMES:
        raise Invalid({"outcome": _("Pilih bagaimana laporan ini berakhir.")})
    if body.strip():
        body = _text(body)
    case = _begin(case_id, seen)
    if body.strip():
        _say(case, body, person_id)
    elif case.answered_at is None:
        raise Invalid({"body": _("Belum ada jawaban. Tulis dahulu kepada pelapor apa yang diputuskan.")})
    now = db.session.scalar(select(func.now()))
    if case.taken_by is None:
        case.taken_by, case.taken_at = person_id, now
    case.state, case.outcome, case.closed_by, case.closed_at = "closed", outcome, person_id, now
    db.session.flush()
    _note("case.closed", case, person_id, outcome=outcome)
    letters.owe(case, "case_closed", f"case:{case.id}:closed:{mark(case)}")
    return case


def mark(case: Case) -> str:
    """What a page shows of the case's state, so that its forms can say what the person saw."""
    last = db.session.scalar(select(func.max(CaseMessage.id)).where(CaseMessage.case_id == case.id))
    return f"{case.state}.{last or 0}.{case.taken_by or 0}"


def _begin(case_id: int, seen: str) -> Case:
    """The case, as the person saw it and not closed. Raises CaseMoved."""
    case = locked(case_id)
    if case.state == "closed" or mark(case) != seen:
        raise CaseMoved()
    return case


def _text(body: str) -> str:
    body = content_rule.clean(body)
    if not 3 <= len(body) <= LONGEST:
        raise Invalid({"body": _("Tulis jawabannya, paling panjang 6.000 huruf.")})
    return body


def _say(case: Case, body: str, person_id: int) -> CaseMessage:
    now = db.session.scalar(select(func.now()))
    message = CaseMessage(case_id=case.id, person_id=person_id, body=body)
    db.session.add(message)
    case.answered_at = case.answered_at or now
    if case.taken_by is None:
        case.taken_by, case.taken_at = person_id, now
    db.session.flush()
    return message


def _note(action: str, case: Case, person_id: int, **details: object) -> None:
    record(action, "case", case.number, person_id=person_id, details={"state": case.state, **details})
