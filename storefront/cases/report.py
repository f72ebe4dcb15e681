"""Report something to the office, and add to it later. Nobody is asked who they are, and nothing is kept of it."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from storefront import content_rule
from storefront.audit.record import record
from storefront.cases import letters
from storefront.cases.code import new_number
from storefront.cases.models import Case, CaseFile, CaseMessage
from storefront.days import today
from storefront.errors import DomainError, Invalid, TooManyRequests
from storefront.extensions import db
from storefront.facilities.working_days import holidays_from, working_days_after
from storefront.form_key import is_key
from storefront.mail.address import is_email
from storefront.media import documents
from storefront.media.storage import private_files
from storefront.people import attempts

KINDS = ("fraud", "listing", "treatment", "money", "goods", "other")
#: The first answer's working days.
ANSWER_WITHIN = 2
SHORTEST, LONGEST, MOST_FILES, MOST_MESSAGES = 10, 6000, 3, 60
PATH = re.compile(r"/(?!/)[^\s?#\\]*")
#: Pages that belong to a facility.
OF_FACILITY = text(
    """SELECT id FROM facilities WHERE :kind = 'facilities' AND slug = :slug
       UNION ALL SELECT facility_id FROM products WHERE :kind = 'products' AND slug = :slug LIMIT 1"""
)


class TooManyReports(TooManyRequests):
    code = "too_many_reports"
    message = _l(
        "Dari jaringan ini sudah banyak laporan dalam satu jam terakhir. Tulisan Anda masih di sini: kirim lagi nanti, "
        "atau pakai salah satu saluran lain di bawah."
    )


class CaseFull(DomainError):
    code, status = "case_full", 409
    message = _l("Laporan ini sudah memuat banyak pesan. Tunggu jawaban kantor, atau buat laporan baru.")


@dataclass(frozen=True)
class Report:
    """What somebody wrote."""

    kind: str
    body: str
    #: Path of the page that it is about; empty: none.
    about: str = ""
    email: str = ""
    #: Contents of photos and PDFs.
    files: Sequence[bytes] = ()
    #: A random word of the form; without one it is a case of its own.
    form_key: str = ""


def count_try(address: str | None) -> None:
    """Count a report from a network address, of which only a keyed hash is kept for a day; commits.

    Raises TooManyReports.
    """
    attempt = attempts.begin("report", attempts.network_of(address), address)
    db.session.commit()
    try:
        attempts.check(attempt)
    except attempts.TooManyTries as many:
        raise TooManyReports() from many


def page_path(written: str) -> str:
    """The path of a page of ours, without what follows `?`, which may be secret; empty for anything else."""
    path = written.partition("?")[0].partition("#")[0][:300]
    return path if PATH.fullmatch(path) and path.isprintable() else ""


def report(draft: Report, locale: str) -> Case:
    """Open a case. Sent twice with the same form, it is the same case. Raises Invalid."""
    form_key = draft.form_key if is_key(draft.form_key) else None
    if form_key and (known := _known(form_key)):
        return known
    errors: dict[str, str] = {}
    if draft.kind not in KINDS:
        errors["kind"] = _("Pilih apa yang Anda laporkan.")
    email = draft.email.strip().lower()
    if email and not is_email(email):
        errors["email"] = _("Alamat surel ini belum lengkap. Perbaiki, atau kosongkan untuk melapor tanpa nama.")
    body, papers = _read(draft.body, draft.files, errors)
    about = page_path(draft.about)
    case = Case(
        number=new_number(),
        kind=draft.kind,
        about=about,
        facility_id=_facility_of(about),
        email=email or None,
        locale=locale,
        form_key=form_key,
        answer_by=_answer_by(),
    )
    db.session.add(case)
    db.session.flush()
    _write(case, body, papers)
    record("case.reported", "case", case.number, details={"kind": case.kind}, nameless=True)
    letters.owe(case, "case_received", f"case:{case.id}:received")
    return case


def add(case_id: int, body: str, files: Sequence[bytes]) -> Case:
    """Whoever reported writes more; an answered or closed case is looked at again. Raises Invalid, CaseFull."""
    errors: dict[str, str] = {}
    read, papers = _read(body, files, errors)
    case = locked(case_id)
    count = db.session.scalar(select(func.count()).where(CaseMessage.case_id == case_id))
    if (count or 0) >= MOST_MESSAGES:
        raise CaseFull()
    _write(case, read, papers)
    if case.state in ("answered", "closed"):
        case.state, case.outcome, case.closed_by, case.closed_at = "looked_at", None, None, None
        case.answer_by = _answer_by()
    db.session.flush()
    record("case.added_to", "case", case.number, nameless=True)
    return case


def locked(case_id: int) -> Case:
    """The case, for whoever changes it now."""
    query = select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).one()


def _answer_by() -> datetime.date:
    """The day by which what is reported today has its first answer."""
    day = today()
    return working_days_after(day, ANSWER_WITHIN, holidays_from(day))


def _known(form_key: str) -> Case | None:
    # A second sending waits here for the first.
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"case {form_key}"})
    return db.session.scalar(select(Case).where(Case.form_key == form_key))


def _facility_of(about: str) -> int | None:
    parts = about.removeprefix("/en").strip("/").split("/")
    if len(parts) != 2:
        return None
    return db.session.scalar(OF_FACILITY, {"kind": parts[0], "slug": parts[1]})


def _read(body: str, files: Sequence[bytes], errors: dict[str, str]) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and papers, ready to be kept. Raises Invalid with all that is wrong."""
    body = content_rule.clean(body)
    if not SHORTEST <= len(body) <= LONGEST:
        errors["body"] = _("Ceritakan apa yang terjadi, dalam 10 sampai 6.000 huruf.")
    papers: list[tuple[str, bytes]] = []
    if len(files) > MOST_FILES:
        errors["files"] = _("Paling banyak %(most)s berkas.", most=MOST_FILES)
    elif not errors:  # decoding costs: only when the rest is right
        for content in files:
            try:
                papers.append(documents.checked(content))
            except documents.BadDocument as refusal:
                errors["files"] = str(refusal.message)
    if errors:
        raise Invalid(errors)
    return body, papers


def _write(case: Case, body: str, papers: list[tuple[str, bytes]]) -> None:
    message = CaseMessage(case_id=case.id, body=body)
    db.session.add(message)
    db.session.flush()
    for extension, content in papers:
        key = f"cases/{secrets.token_hex(16)}.{extension}"
        private_files().write(key, content)
        db.session.add(CaseFile(message_id=message.id, key=key, size=len(content)))
    db.session.flush()
