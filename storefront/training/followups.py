"""What became of a programme's people, as a facility counts it later; the office reads it before it is an outcome."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.people.models import Person
from storefront.training import letters
from storefront.training.models import TrainingFollowup, TrainingProgramme
from storefront.training.programme import why_not
from storefront.training.record import add_outcome, require_later_count


@dataclass(frozen=True)
class Shown:
    """A later count with who wrote it down and who decided on it."""

    followup: TrainingFollowup
    recorded_by: str
    decided_by: str | None


def add(
    facility_id: int,
    programme_id: int,
    *,
    counted_on: datetime.date,
    own_business: int,
    employed: int,
    person_id: int,
) -> TrainingFollowup:
    """Write down a later count; it waits for the office. Never commits. Raises NotFound, Decided, Invalid by field."""
    row = db.session.get(TrainingProgramme, programme_id, with_for_update=True, populate_existing=True)
    if row is None or row.facility_id != facility_id:
        raise NotFound()
    if row.state != "checked":
        raise Decided()
    require_later_count(row, counted_on, own_business, employed)
    followup = TrainingFollowup(
        programme_id=row.id, counted_on=counted_on, own_business=own_business, employed=employed,
        recorded_by=person_id, recorded_at=moment(None),
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(followup)
            db.session.flush()
    except IntegrityError as refusal:
        if "training_followups_waiting" not in str(refusal.orig.diag.constraint_name):  # type: ignore[union-attr]
            raise
        said = _("Masih ada hitungan yang menunggu pemeriksaan kantor pusat. Tarik dulu yang itu.")
        raise Invalid({"counted_on": said}) from None
    _trail(followup, row.facility_id, "outcome_recorded", person_id)
    letters.tell_office(person_id)
    return followup


def check(programme_id: int, followup_id: int, person_id: int) -> TrainingFollowup:
    """A second person agrees: the count holds from now on.

    Raises FourEyes, Decided, NotFound, and Invalid when the programme no longer allows it.
    """
    followup, programme = _locked(programme_id, followup_id)
    require_second(followup.recorded_by, person_id, _("Anda yang mencatatnya, jadi orang lain yang memeriksa."))
    outcome = add_outcome(
        programme.id,
        counted_on=followup.counted_on,
        own_business=followup.own_business,
        employed=followup.employed,
        recorded_by=followup.recorded_by,
        checked_by=person_id,
    )
    _decide(followup, "checked", person_id, outcome_id=outcome.id)
    letters.tell_facility(programme, "checked", f"later-{followup.id}")
    return followup


def reject(programme_id: int, followup_id: int, person_id: int, reason: str) -> TrainingFollowup:
    """Send it back: it does not count. Raises Decided, NotFound, Invalid (`reason`)."""
    said = why_not(reason)
    followup, programme = _locked(programme_id, followup_id)
    _decide(followup, "rejected", person_id, reason=said)
    _trail(followup, programme.facility_id, "outcome_rejected", person_id, said)
    letters.tell_facility(programme, "rejected", f"later-{followup.id}")
    return followup


def withdraw(facility_id: int, programme_id: int, followup_id: int, person_id: int) -> TrainingFollowup:
    """The facility takes it back before anybody has read it. Raises Decided, NotFound."""
    followup, programme = _locked(programme_id, followup_id)
    if programme.facility_id != facility_id:
        raise NotFound()
    _decide(followup, "withdrawn", person_id)
    _trail(followup, facility_id, "outcome_withdrawn", person_id)
    return followup


def of_programme(programme_id: int) -> list[Shown]:
    """All later counts of a programme, the newest first."""
    decided = Person.__table__.alias()
    query = (
        select(TrainingFollowup, Person.name, decided.c.name)
        .join(Person, Person.id == TrainingFollowup.recorded_by)
        .outerjoin(decided, decided.c.id == TrainingFollowup.decided_by)
        .where(TrainingFollowup.programme_id == programme_id)
        .order_by(TrainingFollowup.id.desc())
    )
    return [Shown(*row) for row in db.session.execute(query)]


def count_waiting() -> tuple[int, datetime.datetime | None]:
    """How many wait for the office, and since when the first does."""
    query = select(func.count(), func.min(TrainingFollowup.recorded_at)).where(TrainingFollowup.state == "recorded")
    count, since = db.session.execute(query).one()
    return count, since


def _locked(programme_id: int, followup_id: int) -> tuple[TrainingFollowup, TrainingProgramme]:
    """The programme first, as `add` locks it, so that nobody waits in a circle."""
    programme = db.session.get(TrainingProgramme, programme_id, with_for_update=True, populate_existing=True)
    followup = db.session.get(TrainingFollowup, followup_id, with_for_update=True, populate_existing=True)
    if programme is None or followup is None or followup.programme_id != programme.id:
        raise NotFound()
    if followup.state != "recorded":
        raise Decided()
    return followup, programme


def _decide(
    followup: TrainingFollowup, state: str, person_id: int, *, reason: str | None = None, outcome_id: int | None = None
) -> None:
    followup.state, followup.decided_by, followup.decided_at = state, person_id, moment(None)
    followup.reason, followup.outcome_id = reason, outcome_id
    db.session.flush()


def _trail(followup: TrainingFollowup, facility_id: int, what: str, person_id: int, reason: str = "") -> None:
    record(
        f"training.{what}", "training_programme", followup.programme_id, person_id=person_id, facility_id=facility_id,
        details={"followup": followup.id} | ({"reason": reason} if reason else {}),
    )  # fmt: skip
