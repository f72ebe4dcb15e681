"""Training in the demo: programmes of all kinds over three years, later outcomes, and targets. All invented."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from storefront.audit.record import dated
from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.extensions import db
from storefront.people.models import Person
from storefront.training import followups, imports, record, sheet, targets
from storefront.training.models import Kind, TrainingProgramme, TrainingTarget
from storefront.training.programme import Programme

#: The demo begins no earlier, in days before loading.
OLDEST = 850
HOURS = {Kind.VOCATIONAL: (60, 240), Kind.APPRENTICESHIP: (200, 600), Kind.CERTIFICATION: (16, 60)}
#: Of ten groups, this many are so small that the public does not see their counts.
SMALL = 1
#: Where its facility's own pages show what waits, goes back and comes from a file.
HOME = "PKL"
SENT_BACK = "Daftar hadir menyebut 12 peserta, di sini 14. Periksa jumlahnya."
REASON = "Jumlah peserta salah hitung, dicatat ulang"


@dataclass(frozen=True)
class Held:
    """A programme, and who wrote it down when."""

    facility_id: int
    recorder: int
    programme: Programme


def add(
    sites: Places, accounts: Mapping[str, Person], keepers: Mapping[str, int], today: datetime.date, seed: str
) -> None:
    """Record, check and count the programmes, in the order of their days.

    One is withdrawn and recorded anew; the newest wait for the office or still run.
    """
    rng = random.Random(f"{seed}:training")
    office = accounts["admin@demo.test"].id
    others = accounts["coordinator@demo.test"].id
    held = [
        Held(workshop.facility_id, keepers.get(code, others), programme)
        for (code, name), workshop in sites.workshops.items()
        for programme in _of_workshop(workshop.id, name, sites.facilities[code].kind, today, rng)
    ]
    held.sort(key=lambda one: (one.programme.ended_on, one.programme.workshop_id))
    for number, one in enumerate(held):
        _write(one, number, office, today, rng)
    _targets(today, office)
    # Of the facilities that the demo's coordinator works for.
    own = [one for one in held if one.facility_id == sites.facilities[HOME].id]
    _sent_back(own[-1], office, today)
    _counted_later(own, today)
    _imported(sites, accounts["coordinator@demo.test"].id, today)


def _of_workshop(
    workshop_id: int, name: str, kind: str, today: datetime.date, rng: random.Random
) -> list[Programme]:
    """One to three programmes of a workshop."""
    skill, skill_en, partner, scheme = files.toml("training.toml")["skill"][files.workshop_word(name)]
    found = []
    ended = today - days(rng.randint(-20, 480))
    for number in range(rng.randint(1, 2)):
        what = rng.choice((Kind.VOCATIONAL, Kind.VOCATIONAL, Kind.APPRENTICESHIP, Kind.CERTIFICATION))
        hours = rng.randint(*HOURS[what]) // 4 * 4
        started = ended - days(max(3, hours // 6))
        if started < today - days(OLDEST):
            break
        participants = rng.randint(3, 4) if rng.randrange(10) < SMALL else rng.randint(8, 30)
        passed = participants if rng.random() < 0.6 else participants - rng.randint(1, min(8, participants - 1))
        certified = 0
        if what is Kind.CERTIFICATION:
            certified = passed if rng.random() < 0.7 else passed - rng.randint(0, passed // 3)
        batch = f"LSP/{ended.year}/{workshop_id:03}{number + 1}"
        programme = Programme(
            workshop_id=workshop_id, kind=what, skill=skill, skill_en=skill_en, partner=partner,
            started_on=started, ended_on=ended, hours=hours, participants=participants,
            women=participants if kind == "lpp" else 0, passed=passed, certified=certified,
            scheme=scheme if certified else "", batch=batch if certified else "",
        )  # fmt: skip
        found.append(programme)
        ended = started - days(rng.randint(120, 330))
    return found


def _write(held: Held, number: int, office: int, today: datetime.date, rng: random.Random) -> None:
    programme = held.programme
    if programme.ended_on >= today - days(12):
        # It runs, or waits for the office.
        running = programme.ended_on >= today
        with dated(at(min(programme.ended_on, today - days(1)), 13)):
            if running:
                programme = replace(programme, passed=None, certified=None, scheme="", batch="")
            record.add(held.facility_id, programme, held.recorder)
        return
    row = _checked(held, programme, office, programme.ended_on + days(rng.randint(2, 11)))
    if number == 5:
        day = programme.ended_on + days(12)
        with dated(at(day, 9)):
            record.withdraw(row, office, REASON)
        fewer = programme.participants - 1
        passed = min(programme.passed or 0, fewer)
        programme = replace(
            programme, participants=fewer, women=min(programme.women, fewer), passed=passed,
            certified=min(programme.certified or 0, passed),
        )  # fmt: skip
        row = _checked(held, programme, office, day)
    if programme.ended_on < today - days(240) and rng.random() < 0.6:
        day = programme.ended_on + days(rng.randint(150, 220))
        own = rng.randint(0, programme.participants // 2)
        with dated(at(day, 11)):
            record.add_outcome(
                row, counted_on=day, own_business=own, employed=rng.randint(0, programme.participants - own),
                recorded_by=held.recorder, checked_by=office,
            )  # fmt: skip


def _sent_back(held: Held, office: int, today: datetime.date) -> None:
    """One that the office has read and sent back with a reason."""
    ended = today - days(16)
    programme = replace(
        held.programme, skill="Mewarnai kain dengan pewarna alam", skill_en="Dyeing cloth with natural dyes",
        kind=Kind.VOCATIONAL, started_on=ended - days(20), ended_on=ended, participants=14, women=0, passed=13,
        certified=0, scheme="", batch="",
    )  # fmt: skip
    with dated(at(today - days(9), 13)):
        row = record.add(held.facility_id, programme, held.recorder)
    with dated(at(today - days(4), 10)):
        record.reject(row.id, office, SENT_BACK)


def _counted_later(own: list[Held], today: datetime.date) -> None:
    """A later count that waits for the office."""
    query = select(TrainingProgramme).where(
        TrainingProgramme.facility_id == own[0].facility_id, TrainingProgramme.state == "checked"
    )
    row = db.session.scalars(query.order_by(TrainingProgramme.ended_on, TrainingProgramme.id)).first()
    if row is not None:
        with dated(at(today - days(2), 11)):
            followups.add(
                row.facility_id, row.id, counted_on=today - days(3), own_business=row.participants // 4,
                employed=row.participants // 3, person_id=own[0].recorder,
            )  # fmt: skip


def _imported(sites: Places, coordinator: int, today: datetime.date) -> None:
    """A file of four programmes of which one is faulty, stored; and another that is only looked at."""
    facility = sites.facilities[HOME]
    workshop = next(row for (code, _name), row in sites.workshops.items() if code == HOME)
    first = today - days(60)
    rows = [
        [workshop.name, word, skill, "", "", (first - days(back + 5)).isoformat(), (first - days(back)).isoformat(),
         "40", people, "0", people, "0", "", ""]
        for word, skill, back, people in (
            ("Magang", "Mengemas dan mengirim pesanan", 30, "9"),
            ("Pelatihan kerja", "Menghitung harga pokok", 20, "16"),
            ("Pelatihan kerja", "Memotret karya dengan ponsel", 10, "12"), ("Kursus", "Menjual di pameran", 4, "11"),
        )
    ]  # fmt: skip
    for back, is_stored, name in ((40, True, "pelatihan-triwulan.csv"), (1, False, "pelatihan-baru.csv")):
        if not is_stored:
            rows = [[*row[:2], f"{row[2]} lanjutan", *row[3:]] for row in rows]
        with dated(at(today - days(back), 14)):
            content = sheet.template([], "csv") + "".join(";".join(row) + "\r\n" for row in rows).encode()
            key = f"demo-training-import-{back:02}"
            found = imports.keep(facility.id, content, name, form_key=key, person_id=coordinator)
            if is_stored:
                digest = imports.verdict_of(found).digest
                imports.store(facility.id, found.id, digest, person_id=coordinator)


def _checked(held: Held, programme: Programme, office: int, day: datetime.date) -> int:
    """Record the programme on the day before, check it on `day`; returns its id."""
    with dated(at(day - days(1), 13)):
        row = record.add(held.facility_id, programme, held.recorder)
    with dated(at(day, 10)):
        record.check(row.id, office)
    return row.id


def _targets(today: datetime.date, office: int) -> None:
    """The national ones of the past, as reported; the demo's own for three years."""
    for row in files.rows("training_targets.csv"):
        _target(int(row["year"]), row["measure"], int(row["target"]), row["cumulative"] == "yes", row["source"])
    for back, people, certified in ((2, 150, 30), (1, 500, 80), (0, 600, 120)):
        for measure, number in (("participants", people), ("certified", certified)):
            with dated(at(today - days(365 * back + 30), 9)):
                targets.put(
                    today.year - back, measure, number, is_cumulative=False, source="Data contoh", person_id=office
                )


def _target(year: int, measure: str, people: int, is_cumulative: bool, source: str) -> None:
    db.session.add(
        TrainingTarget(year=year, measure=measure, people=people, is_cumulative=is_cumulative, source=source)
    )
    db.session.flush()
