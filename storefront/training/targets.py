"""How many people the programme sets out to reach, by year; each change stays in the audit trail."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.models import AuditEvent
from storefront.audit.record import record
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.people.models import Person
from storefront.training.models import TrainingTarget
from storefront.training.no_person import looks_like_a_person
from storefront.written import one_line

MEASURES = ("new_entrepreneurs", "participants", "certified")
FIRST, LAST = 1990, 2100
MOST = 10_000_000
#: Changes that the page shows.
SHOWN = 50


@dataclass(frozen=True)
class Change:
    """What was set, or removed, when and by whom, as the trail keeps it."""

    at: datetime.datetime
    who: str
    action: str
    details: dict[str, Any]


def targets() -> Sequence[TrainingTarget]:
    """All targets, the newest year first."""
    query = select(TrainingTarget).order_by(TrainingTarget.year.desc(), TrainingTarget.measure)
    return db.session.scalars(query).all()


def put(
    year: int, measure: str, people: int, *, is_cumulative: bool, source: str, person_id: int
) -> TrainingTarget:
    """Set the target of a year, or set it anew. Never commits. Raises Invalid by field."""
    source = one_line(source)
    errors = {}
    if not FIRST <= year <= LAST:
        errors["year"] = _("Tulis tahun dari 1990 sampai 2100.")
    if measure not in MEASURES:
        errors["measure"] = _("Pilih apa yang dihitung.")
    if not 1 <= people <= MOST:
        errors["people"] = _("Tulis jumlah orang, dari 1 sampai 10.000.000.")
    if len(source) > 200:
        errors["source"] = _("Paling banyak 200 huruf.")
    elif why := looks_like_a_person(source, digits=9):
        errors["source"] = why
    if errors:
        raise Invalid(errors)
    # Two who set the same year at once: the second waits here and writes over what it then sees.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("training_targets"), year)))
    where = (TrainingTarget.year == year, TrainingTarget.measure == measure)
    row = db.session.scalar(select(TrainingTarget).where(*where).execution_options(populate_existing=True))
    before = _as_told(row) if row else None
    if row is None:
        row = TrainingTarget(year=year, measure=measure)
        db.session.add(row)
    row.people, row.is_cumulative, row.source = people, is_cumulative, source
    db.session.flush()
    if before != _as_told(row):
        details = {"year": year, "measure": measure, "before": before, "after": _as_told(row)}
        record("training_target.set", "training_target", f"{year}-{measure}", person_id=person_id, details=details)
    return row


def remove(target_id: int, person_id: int) -> None:
    """Take a target away. Never commits. Raises NotFound."""
    row = db.session.get(TrainingTarget, target_id, with_for_update=True)
    if row is None:
        raise NotFound()
    details = {"year": row.year, "measure": row.measure, "before": _as_told(row), "after": None}
    key = f"{row.year}-{row.measure}"
    db.session.delete(row)
    db.session.flush()
    record("training_target.removed", "training_target", key, person_id=person_id, details=details)


def history() -> list[Change]:
    """The last changes, the newest first."""
    query = (
        select(AuditEvent.at, func.coalesce(Person.name, ""), AuditEvent.action, AuditEvent.details)
        .outerjoin(Person, Person.id == AuditEvent.person_id)
        .where(AuditEvent.subject_kind == "training_target")
        .order_by(AuditEvent.id.desc())
        .limit(SHOWN)
    )
    return [Change(*row) for row in db.session.execute(query)]


def _as_told(row: TrainingTarget) -> dict[str, Any]:
    return {"people": row.people, "is_cumulative": row.is_cumulative, "source": row.source}
