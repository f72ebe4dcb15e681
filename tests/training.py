"""Training programmes for tests."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import select

from storefront.audit.record import dated
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.people.models import Person
from storefront.training import followups, imports, record, sheet
from storefront.training.models import TrainingProgramme
from storefront.training.programme import Programme
from tests.factories import make_person, make_workshop

#: A day on which everything of these tests is over.
ENDED = datetime.date(2026, 3, 20)


def programme(workshop: Workshop, **values: Any) -> Programme:
    """Twenty participants, twelve of them women, all passed."""
    known: dict[str, Any] = {
        "workshop_id": workshop.id, "kind": "vocational_training", "skill": "Menjahit pakaian",
        "started_on": ENDED - datetime.timedelta(days=30), "ended_on": ENDED, "hours": 80,
        "participants": 20, "women": 12, "passed": 20, "certified": 0,
    }  # fmt: skip
    known |= values
    if known["certified"]:
        known = {"scheme": "Operator jahit", "batch": f"LSP/2026/{workshop.id}"} | known
    return Programme(**known)


def make_training(facility: Facility, *, on: datetime.date | None = None, **values: Any) -> TrainingProgramme:
    """A checked programme, known since noon of `on` (by default the day after its end)."""
    workshop = db.session.scalars(select(Workshop).where(Workshop.facility_id == facility.id)).first()
    people = [_person(name) for name in ("pencatat", "pemeriksa")]
    held = programme(workshop or make_workshop(facility), **values)
    day = on or held.ended_on + datetime.timedelta(days=1)
    with dated(datetime.datetime(day.year, day.month, day.day, 5, tzinfo=datetime.UTC)):
        row = record.add(facility.id, held, people[0].id)
        record.check(row.id, people[1].id)
    return row


def training_of(facility: Facility) -> dict[str, int]:
    """Parts of addresses: a checked programme with a later count that waits, and an uploaded file; committed."""
    row = make_training(facility)
    who = _person("pencatat").id
    followup = followups.add(
        facility.id, row.id, counted_on=row.ended_on, own_business=5, employed=5, person_id=who
    )
    headings = sheet.template([], "csv")
    key = f"kunci-berkas-pelatihan-{facility.id}"
    file = imports.keep(facility.id, headings + b"Bengkel;Magang\r\n", "pelatihan.csv", form_key=key, person_id=who)
    found = {"programme_id": row.id, "followup_id": followup.id, "upload_id": file.id}
    db.session.commit()
    return found


def _person(name: str) -> Person:
    email = f"{name}@example.test"
    return db.session.scalar(select(Person).where(Person.email == email)) or make_person(email)
