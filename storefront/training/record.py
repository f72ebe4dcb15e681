"""Record a training programme, check it, reject it, withdraw it; count what became of its participants.

A facility records, the office checks: from then on it counts in public. What was checked is never edited. A count that
turns out wrong is withdrawn with a reason and recorded anew.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict, dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront import days
from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.training.models import Kind, TrainingOutcome, TrainingProgramme
from storefront.training.no_person import looks_like_a_number_of_a_person, looks_like_a_person

MOST_PEOPLE, MOST_HOURS = 10_000, 5_000
EARLIEST = datetime.date(1990, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What is recorded of a programme; counts are people."""

    workshop_id: int
    kind: str
    skill: str
    started_on: datetime.date
    ended_on: datetime.date
    hours: int
    participants: int
    women: int
    #: None: not known yet.
    passed: int | None = None
    certified: int | None = None
    skill_en: str = ""
    partner: str = ""
    scheme: str = ""
    batch: str = ""


def add(facility_id: int, programme: Programme, person_id: int) -> TrainingProgramme:
    """Record a programme of the facility; it waits for the office. Raises Invalid by field."""
    errors = problems(programme)
    if db.session.scalar(select(Workshop.facility_id).where(Workshop.id == programme.workshop_id)) != facility_id:
        errors["workshop"] = _("Pilih bengkelnya.")
    if errors:
        raise Invalid(errors)
    row = TrainingProgramme(
        facility_id=facility_id, recorded_by=person_id, recorded_at=moment(None), **asdict(programme)
    )
    try:
        with db.session.begin_nested():
            db.session.add(row)
            db.session.flush()
    except IntegrityError as refusal:
        if "training_programmes_batch" not in str(refusal.orig.diag.constraint_name):  # type: ignore[union-attr]
            raise
        raise Invalid({"batch": _("Batch sertifikat ini sudah tercatat di program lain.")}) from None
    _trail(row, "recorded", person_id)
    return row


def problems(programme: Programme) -> dict[str, str]:
    """By field: why the programme cannot be recorded so; nothing when it can."""
    tests: list[tuple[str, Callable[[], bool], str]] = [
        ("kind", lambda: programme.kind in set(Kind), _("Pilih jenis programnya.")),
        ("skill", lambda: 3 <= len(programme.skill.strip()) <= 80, _("Tulis keterampilannya, 3 sampai 80 huruf.")),
        ("skill_en", lambda: len(programme.skill_en) <= 80, _("Paling banyak 80 huruf.")),
        ("partner", lambda: len(programme.partner) <= 120, _("Paling banyak 120 huruf.")),
        ("scheme", lambda: len(programme.scheme) <= 120, _("Paling banyak 120 huruf.")),
        ("started_on", lambda: programme.started_on >= EARLIEST, _("Periksa tahunnya.")),
        (
            "ended_on",
            lambda: programme.ended_on >= programme.started_on,
            _("Hari terakhir tidak bisa sebelum hari pertama."),
        ),
        ("hours", lambda: 1 <= programme.hours <= MOST_HOURS, _("Tulis jumlah jam, dari 1 sampai 5.000.")),
        (
            "participants",
            lambda: 1 <= programme.participants <= MOST_PEOPLE,
            _("Tulis jumlah peserta, dari 1 sampai 10.000."),
        ),
        (
            "women",
            lambda: 0 <= programme.women <= programme.participants,
            _("Jumlah perempuan tidak bisa lebih dari jumlah peserta."),
        ),
        (
            "passed",
            lambda: programme.passed is None or 0 <= programme.passed <= programme.participants,
            _("Jumlah yang lulus tidak bisa lebih dari jumlah peserta."),
        ),
        (
            "certified",
            lambda: programme.certified is None or 0 <= programme.certified <= (programme.passed or 0),
            _("Jumlah yang bersertifikat tidak bisa lebih dari jumlah yang lulus."),
        ),
        (
            "batch",
            lambda: not programme.certified or bool(programme.batch and len(programme.scheme.strip()) >= 3),
            _("Sertifikat memerlukan nama skema dan nomor batchnya."),
        ),
    ]
    found = {field: sentence for field, holds, sentence in reversed(tests) if not holds()}
    for field in ("skill", "skill_en", "partner", "scheme"):
        why = looks_like_a_person(getattr(programme, field), digits=7 if field == "scheme" else 5)
        if why:
            found.setdefault(field, why)
    if why := looks_like_a_number_of_a_person(programme.batch):
        found.setdefault("batch", why)
    return found


def check(programme_id: int, person_id: int) -> TrainingProgramme:
    """A second person has read it: it counts in public from now on.

    Raises FourEyes, Decided, NotFound, and Invalid while the programme runs or its results are missing.
    """
    row = _locked(programme_id, "recorded")
    require_second(row.recorded_by, person_id)
    at = moment(None)
    if row.ended_on > days.accounting_day(at):
        raise Invalid({"ended_on": _("Program ini belum selesai.")})
    if row.passed is None or row.certified is None:
        raise Invalid({"passed": _("Tulis dulu berapa yang lulus dan berapa yang bersertifikat.")})
    row.state, row.checked_by, row.checked_at = "checked", person_id, at
    db.session.flush()
    _trail(row, "checked", person_id)
    return row


def reject(programme_id: int, person_id: int) -> TrainingProgramme:
    """It does not count and never did. Raises Decided, NotFound."""
    row = _locked(programme_id, "recorded")
    row.state, row.rejected_by, row.rejected_at = "rejected", person_id, moment(None)
    db.session.flush()
    _trail(row, "rejected", person_id)
    return row


def withdraw(programme_id: int, person_id: int, reason: str) -> TrainingProgramme:
    """What was checked turned out wrong: it counts no more. Raises Decided, NotFound, Invalid (`reason`)."""
    if len(reason.strip()) < 10:
        raise Invalid({"reason": _("Tulis alasannya, paling sedikit 10 huruf.")})
    row = _locked(programme_id, "checked")
    row.state, row.withdrawn_by, row.withdrawn_at = "withdrawn", person_id, moment(None)
    row.withdrawal_reason = reason.strip()[:500]
    db.session.flush()
    _trail(row, "withdrawn", person_id)
    return row


def add_outcome(
    programme_id: int,
    *,
    counted_on: datetime.date,
    own_business: int,
    employed: int,
    recorded_by: int,
    checked_by: int,
) -> TrainingOutcome:
    """Write down how many had a business of their own or work on `counted_on`; the last count holds.

    Raises FourEyes, Decided, NotFound, and Invalid by field.
    """
    row = _locked(programme_id, "checked")
    require_second(recorded_by, checked_by)
    errors = {}
    if not row.ended_on <= counted_on <= days.accounting_day(moment(None)):
        errors["counted_on"] = _("Pilih hari setelah program selesai dan tidak di masa depan.")
    if own_business < 0 or employed < 0 or own_business + employed > row.participants:
        errors["own_business"] = _("Jumlahnya tidak bisa lebih dari jumlah peserta.")
    if errors:
        raise Invalid(errors)
    outcome = TrainingOutcome(
        programme_id=row.id,
        counted_on=counted_on,
        own_business=own_business,
        employed=employed,
        recorded_by=recorded_by,
        recorded_at=moment(None),
        checked_by=checked_by,
        checked_at=moment(None),
    )
    db.session.add(outcome)
    db.session.flush()
    _trail(row, "outcome_checked", checked_by)
    return outcome


def _locked(programme_id: int, state: str) -> TrainingProgramme:
    row = db.session.get(TrainingProgramme, programme_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    if row.state != state:
        raise Decided()
    return row


def _trail(row: TrainingProgramme, what: str, person_id: int) -> None:
    record(f"training.{what}", "training_programme", row.id, person_id=person_id, facility_id=row.facility_id)
