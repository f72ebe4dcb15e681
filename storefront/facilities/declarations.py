"""A workshop's fair-work declaration: the facility proposes it, the central office approves it, the public reads it.

It holds for a year at most. Without one in force a workshop does not sell: its products leave the lists by triggers
in the database, and orders for them are refused (`workshop_may_sell`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import dated_at, record
from storefront.days import today
from storefront.display import format_date
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.declared import TEXTS
from storefront.facilities.models import Declaration, Facility, Workshop

#: What must be answered in words; who works along with a private firm says so, the others leave it empty.
REQUIRED = TEXTS[:-1]
SHORTEST, LONGEST, LONGEST_PARTNER = 10, 600, 300
MOST_HOURS, MOST_DAYS = 8, 6
#: A declaration may be proposed so long before it begins.
EARLIEST = datetime.timedelta(days=400)


class FourEyes(DomainError):
    """Who proposed a declaration would approve it."""

    code, status = "four_eyes", 409
    message = lazy_gettext("Yang mengusulkan pernyataan tidak boleh menyetujuinya. Minta rekan Anda di kantor pusat.")


class Decided(DomainError):
    """Somebody was faster."""

    code, status = "decided", 409
    message = lazy_gettext("Pernyataan ini sudah diputuskan. Muat ulang untuk melihat keadaannya sekarang.")


@dataclass(frozen=True)
class Answers:
    """What is declared. Texts by the names of `TEXTS`, English ones under `<name>_en`, empty where there is none."""

    valid_from: datetime.date
    valid_until: datetime.date
    is_voluntary: bool
    hours_per_day: int
    days_per_week: int
    texts: Mapping[str, str]


def last_day(first: datetime.date) -> datetime.date:
    """The last day of a declaration that begins on `first` and holds for a whole year."""
    try:
        return first.replace(year=first.year + 1) - datetime.timedelta(days=1)
    except ValueError:  # 29 February
        return datetime.date(first.year + 1, 2, 28)


def propose(workshop_id: int, answers: Answers, person_id: int, *, document_key: str | None = None) -> Declaration:
    """Propose a declaration; one that already waits is refused. Raises Invalid by field, NotFound."""
    workshop = db.session.get(Workshop, workshop_id, with_for_update={"key_share": True})
    if workshop is None:
        raise NotFound()
    errors = _wrong(answers)
    if waiting(workshop_id) is not None:
        errors.setdefault("valid_from", _("Satu usulan masih menunggu kantor pusat. Tunggu keputusannya dahulu."))
    elif (until := _overlapping(workshop_id, answers)) is not None:
        day = format_date(until)
        errors.setdefault("valid_from", _("Pernyataan sekarang berlaku sampai %(day)s. Mulai sesudahnya.", day=day))
    if errors:
        raise Invalid(errors)
    row = Declaration(
        workshop_id=workshop_id,
        valid_from=answers.valid_from,
        valid_until=answers.valid_until,
        is_voluntary=True,
        hours_per_day=answers.hours_per_day,
        days_per_week=answers.days_per_week,
        document_key=document_key,
        proposed_by=person_id,
        proposed_at=_moment(),
        **{name: answers.texts.get(name, "").strip() for text in TEXTS for name in (text, f"{text}_en")},
    )
    db.session.add(row)
    db.session.flush()
    _record(row, "proposed", person_id)
    return row


def approve(declaration_id: int, person_id: int) -> Declaration:
    """The office agrees: from its first day on the workshop may sell. Raises FourEyes, Decided, Invalid, NotFound."""
    row = _locked(declaration_id, "proposed")
    if row.proposed_by == person_id:
        raise FourEyes()
    at = _moment()
    row.state, row.approved_by, row.approved_at = "approved", person_id, at
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as refusal:
        if "workshop_declarations_one_in_force" not in str(refusal.orig):
            raise
        raise Invalid(message=_("Untuk hari-hari ini bengkelnya sudah punya pernyataan yang disetujui.")) from None
    _record(row, "approved", person_id)
    return row


def reject(declaration_id: int, person_id: int, reason: str) -> Declaration:
    """The office sends it back, saying why. Raises Invalid (`reason`), Decided, NotFound."""
    row = _locked(declaration_id, "proposed")
    why, at = _reason(reason), _moment()
    row.state, row.rejected_by, row.rejected_at, row.reason = "rejected", person_id, at, why
    db.session.flush()
    _record(row, "rejected", person_id)
    return row


def end(declaration_id: int, person_id: int, reason: str) -> Declaration:
    """The office ends one before its time: the workshop sells no more. Raises Invalid (`reason`), Decided, NotFound."""
    row = _locked(declaration_id, "approved")
    why, at = _reason(reason), _moment()
    row.state, row.ended_by, row.ended_at, row.reason = "ended", person_id, at, why
    db.session.flush()
    _record(row, "ended", person_id)
    return row


def waiting(workshop_id: int) -> Declaration | None:
    """The workshop's proposal that the office has not decided on."""
    return db.session.scalar(
        select(Declaration).where(Declaration.workshop_id == workshop_id, Declaration.state == "proposed")
    )


def next_first_day(workshop_id: int) -> datetime.date:
    """When the next declaration best begins: after the last approved one, else today."""
    last = db.session.scalar(
        select(func.max(Declaration.valid_until)).where(
            Declaration.workshop_id == workshop_id, Declaration.state == "approved"
        )
    )
    return max(today(), last + datetime.timedelta(days=1)) if last else today()


def _wrong(answers: Answers) -> dict[str, Any]:
    """A sentence for each answer that cannot be taken."""
    errors: dict[str, Any] = {}
    if not answers.is_voluntary:
        errors["is_voluntary"] = _("Tanpa kerja yang sukarela, bengkel ini tidak dapat berjualan.")
    if not answers.valid_from < answers.valid_until <= last_day(answers.valid_from):
        errors["valid_until"] = _("Pernyataan berlaku paling lama satu tahun sejak hari pertamanya.")
    if answers.valid_until < today():
        errors["valid_until"] = _("Tanggal ini sudah lewat.")
    if answers.valid_from > today() + EARLIEST:
        errors["valid_from"] = _("Terlalu jauh di depan: usulkan paling awal 13 bulan sebelumnya.")
    if not 1 <= answers.hours_per_day <= MOST_HOURS:
        errors["hours_per_day"] = _("Tulis jam kerja sehari, dari 1 sampai 8.")
    if not 1 <= answers.days_per_week <= MOST_DAYS:
        errors["days_per_week"] = _("Tulis hari kerja seminggu, dari 1 sampai 6.")
    for name in TEXTS:
        least, most = (SHORTEST, LONGEST) if name in REQUIRED else (0, LONGEST_PARTNER)
        if not least <= len(answers.texts.get(name, "").strip()) <= most:
            errors[name] = _("Tulis dengan %(least)d sampai %(most)d huruf.", least=least, most=most)
        if len(answers.texts.get(f"{name}_en", "").strip()) > most:
            errors[f"{name}_en"] = _("Paling panjang %(most)d huruf.", most=most)
    return errors


def _overlapping(workshop_id: int, answers: Answers) -> datetime.date | None:
    return db.session.scalar(
        select(func.max(Declaration.valid_until)).where(
            Declaration.workshop_id == workshop_id,
            Declaration.state == "approved",
            Declaration.valid_from <= answers.valid_until,
            Declaration.valid_until >= answers.valid_from,
        )
    )


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not SHORTEST <= len(reason) <= 500:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 500 huruf: lapas harus tahu apa yang perlu diubah.")})
    return reason


def _locked(declaration_id: int, state: str) -> Declaration:
    row = db.session.get(Declaration, declaration_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    if row.state != state:
        raise Decided()
    return row


def _record(row: Declaration, act: str, person_id: int) -> None:
    facility_id = db.session.scalar(
        select(Facility.id).join(Workshop, Workshop.facility_id == Facility.id).where(Workshop.id == row.workshop_id)
    )
    record(
        f"declaration.{act}",
        "declaration",
        row.id,
        person_id=person_id,
        facility_id=facility_id,
        details={"workshop_id": row.workshop_id, "from": str(row.valid_from), "until": str(row.valid_until)}
        | ({"reason": row.reason} if row.reason else {}),
    )


def _moment() -> datetime.datetime:
    """Now by the database's clock; history that is written down later names its own moment."""
    at = dated_at()
    if at is None:
        at = db.session.execute(select(func.now())).scalar_one()
    return at
