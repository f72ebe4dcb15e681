"""Record a training programme, write it again, check it, send it back, withdraw it; count what became of its people.

A facility records, the office checks: from then on it counts in public. What was checked is never edited. A count that
turns out wrong is withdrawn with a reason and recorded anew.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront import days
from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.training import letters
from storefront.training.models import TrainingOutcome, TrainingProgramme
from storefront.training.programme import Programme, problems, why_not


def add(facility_id: int, programme: Programme, person_id: int, *, tells: bool = True) -> TrainingProgramme:
    """Record a programme of the facility; it waits for the office, which is told. Never commits.

    `tells`: False where whoever records many tells it once. Raises Invalid by field.
    """
    _require_sound(facility_id, programme)
    row = TrainingProgramme(
        facility_id=facility_id, recorded_by=person_id, recorded_at=moment(None), **asdict(programme)
    )
    _kept(lambda: db.session.add(row))
    _trail(row, "recorded", person_id)
    if tells and can_be_checked(row):
        letters.tell_office(person_id)
    return row


def edit(facility_id: int, programme_id: int, programme: Programme, person_id: int) -> TrainingProgramme:
    """Write it again while nobody has checked it; what was sent back waits for the office again. Never commits.

    Whoever wrote it last has recorded it, and does not check it. Raises Invalid by field, Decided, NotFound.
    """
    row = _locked(programme_id, "recorded", "rejected")
    if row.facility_id != facility_id:
        raise NotFound()
    _require_sound(facility_id, programme)
    before = {name: getattr(row, name) for name in asdict(programme)}
    at = moment(None)

    def write() -> None:
        for name, value in asdict(programme).items():
            setattr(row, name, value)
        row.state, row.recorded_by, row.recorded_at = "recorded", person_id, at
        row.rejected_by = row.rejected_at = row.rejection_reason = None

    _kept(write)
    changed = {
        name: {"before": _plain(before[name]), "after": _plain(value)}
        for name, value in asdict(programme).items()
        if value != before[name]
    }
    _trail(row, "changed", person_id, changed)
    if can_be_checked(row):
        letters.tell_office(person_id)
    return row


def check(programme_id: int, person_id: int) -> TrainingProgramme:
    """A second person has read it: it counts in public from now on.

    Raises FourEyes, Decided, NotFound, and Invalid while the programme runs or its results are missing.
    """
    row = _locked(programme_id, "recorded")
    require_second(row.recorded_by, person_id, _("Anda yang mencatatnya, jadi orang lain yang memeriksa."))
    at = moment(None)
    if row.ended_on > days.accounting_day(at):
        raise Invalid({"ended_on": _("Program ini belum selesai.")})
    if row.passed is None or row.certified is None:
        raise Invalid({"passed": _("Tulis dulu berapa yang lulus dan berapa yang bersertifikat.")})
    row.state, row.checked_by, row.checked_at = "checked", person_id, at
    db.session.flush()
    _trail(row, "checked", person_id)
    letters.tell_facility(row, "checked", "once")
    return row


def reject(programme_id: int, person_id: int, reason: str) -> TrainingProgramme:
    """Send it back to the facility: it does not count until it is written again and checked.

    Raises Decided, NotFound, Invalid (`reason`).
    """
    said = why_not(reason)
    row = _locked(programme_id, "recorded")
    row.state, row.rejected_by, row.rejected_at, row.rejection_reason = "rejected", person_id, moment(None), said
    db.session.flush()
    _trail(row, "rejected", person_id, {"reason": said})
    letters.tell_facility(row, "rejected", str(row.rejected_at))
    return row


def withdraw(programme_id: int, person_id: int, reason: str, *, by_office: bool = False) -> TrainingProgramme:
    """It turned out wrong: what was checked counts no more, what was not never will. The facility is told `by_office`.

    Raises Decided, NotFound, Invalid (`reason`).
    """
    said = why_not(reason)
    row = _locked(programme_id, "recorded", "rejected", "checked")
    row.state, row.withdrawn_by, row.withdrawn_at, row.withdrawal_reason = "withdrawn", person_id, moment(None), said
    row.rejected_by = row.rejected_at = row.rejection_reason = None
    db.session.flush()
    _trail(row, "withdrawn", person_id, {"reason": said})
    if by_office:
        letters.tell_facility(row, "withdrawn", "once")
    return row


def can_be_checked(row: TrainingProgramme) -> bool:
    """Whether it is over and its results are known, so that the office may check it."""
    is_over = row.ended_on <= days.accounting_day(moment(None))
    return is_over and row.passed is not None and row.certified is not None


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
    require_later_count(row, counted_on, own_business, employed)
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


def require_later_count(row: TrainingProgramme, counted_on: datetime.date, own_business: int, employed: int) -> None:
    """Return only if so many people of the programme can have been so on that day. Raises Invalid by field."""
    errors = {}
    if not row.ended_on <= counted_on <= days.accounting_day(moment(None)):
        errors["counted_on"] = _("Pilih hari setelah program selesai dan tidak di masa depan.")
    if own_business < 0 or employed < 0 or own_business + employed > row.participants:
        errors["own_business"] = _("Jumlahnya tidak bisa lebih dari jumlah peserta.")
    if errors:
        raise Invalid(errors)


def _require_sound(facility_id: int, programme: Programme) -> None:
    errors = problems(programme)
    if db.session.scalar(select(Workshop.facility_id).where(Workshop.id == programme.workshop_id)) != facility_id:
        errors["workshop"] = _("Pilih bengkelnya.")
    if errors:
        raise Invalid(errors)


def _kept(write: Callable[[], None]) -> None:
    """Write, unless the batch of certificates is counted already. Raises Invalid (`batch`)."""
    try:
        with db.session.begin_nested():
            write()
            db.session.flush()
    except IntegrityError as refusal:
        if "training_programmes_batch" not in str(refusal.orig.diag.constraint_name):  # type: ignore[union-attr]
            raise
        raise Invalid({"batch": _("Batch sertifikat ini sudah tercatat di program lain.")}) from None


def _locked(programme_id: int, *states: str) -> TrainingProgramme:
    row = db.session.get(TrainingProgramme, programme_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    if row.state not in states:
        raise Decided()
    return row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _trail(row: TrainingProgramme, what: str, person_id: int, details: dict[str, Any] | None = None) -> None:
    record(
        f"training.{what}", "training_programme", row.id, person_id=person_id, facility_id=row.facility_id,
        details=details,
    )  # fmt: skip
