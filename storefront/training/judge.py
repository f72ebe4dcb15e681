"""The dry run: what each row of a file would become, or why it cannot be stored. Rows are stored whole or not."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select, tuple_

from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.training.models import TrainingImport, TrainingProgramme
from storefront.training.programme import Programme, problems
from storefront.training.sheet import COLUMNS, DAYS, KEYS, NUMBERS, Row, as_day, kind_of
from storefront.written import whole_number

#: What makes two rows the same programme.
Same = tuple[int, str, str, datetime.date, datetime.date]


@dataclass
class Judged:
    """A row: the programme that it would become, or its faults by column."""

    number: int
    cells: list[str]
    programme: Programme | None = None
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.faults

    @property
    def reasons(self) -> str:
        """All faults in one text, for the error file."""
        return " ".join(f"{COLUMNS[key][0]}: {said}" if key in COLUMNS else said for key, said in self.faults)


@dataclass(frozen=True)
class Verdict:
    """All rows of a file in their order."""

    rows: Sequence[Judged]

    @property
    def sound(self) -> int:
        return sum(row.is_sound for row in self.rows)

    @property
    def faults(self) -> int:
        return len(self.rows) - self.sound

    @property
    def digest(self) -> str:
        """Of what is promised: two who see the same hold the same in their hands."""
        told = json.dumps([(row.number, row.is_sound) for row in self.rows])
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def judge(found: TrainingImport) -> Verdict:
    """The rows of a kept file against what is recorded now: three queries."""
    workshops = {
        name.casefold(): id_
        for id_, name in db.session.execute(
            select(Workshop.id, Workshop.name).where(Workshop.facility_id == found.facility_id)
        )
    }
    rows = [_read(row, workshops) for row in found.rows]
    by_number = {row.number: row for row in rows}
    for number, key, said in found.remarks:
        # The cell is empty now; that it was not is the better reason.
        by_number[number].faults = [(k, s) for k, s in by_number[number].faults if k != key]
        by_number[number].faults.insert(0, (key, said))
    _refuse_twice(found.facility_id, rows)
    return Verdict(rows)


def _read(row: Row, workshops: dict[str, int]) -> Judged:
    number, *cells = row
    judged = Judged(number, cells)
    text = dict(zip(KEYS, cells, strict=True))
    workshop = workshops.get(text["workshop"].casefold(), 0)
    if not workshop:
        judged.faults.append(("workshop", _("Bengkel ini tidak ada di UPT ini. Tulis namanya seperti di profil.")))
    days: dict[str, datetime.date] = {}
    for key in DAYS:
        read = as_day(text[key])
        if read is None:
            judged.faults.append((key, _("Tulis tanggalnya seperti 2026-11-30.")))
        days[key] = read or datetime.date(2000, 1, 1)
    counts: dict[str, int | None] = {}
    for key in NUMBERS:
        counts[key] = whole_number(text[key]) if text[key] else None
        if counts[key] is None and (text[key] or key not in ("passed", "certified")):
            judged.faults.append((key, _("Tulis dengan angka bulat, tanpa koma.")))
    programme = Programme(
        workshop_id=workshop, kind=kind_of(text["kind"]), skill=text["skill"], skill_en=text["skill_en"],
        partner=text["partner"], started_on=days["started_on"], ended_on=days["ended_on"],
        hours=counts["hours"] or 0, participants=counts["participants"] or 0, women=counts["women"] or 0,
        passed=counts["passed"], certified=counts["certified"], scheme=text["scheme"], batch=text["batch"].upper(),
    )  # fmt: skip
    unread = {key for key, _said in judged.faults}
    judged.faults += [(key, said) for key, said in problems(programme).items() if key not in unread]
    judged.programme = programme
    return judged


def _refuse_twice(facility_id: int, rows: Sequence[Judged]) -> None:
    """What stands twice in the file, or is recorded already."""
    seen: dict[Same, int] = {}
    batches: dict[tuple[str, str], int] = {}
    sound = [row for row in rows if row.is_sound and row.programme is not None]
    recorded = _recorded(facility_id)
    counted = _counted([(p.scheme, p.batch) for row in sound if (p := row.programme) and p.batch])
    for row in sound:
        programme = row.programme
        assert programme is not None
        key, batch = _same(programme), (programme.scheme, programme.batch)
        if key in seen:
            said = _("Sama dengan baris %(row)d. Hapus salah satunya.", row=seen[key])
            row.faults.append(("skill", said))
        elif key in recorded:
            said = _("Program ini sudah tercatat. Angkatan lain di hari yang sama dicatat di halaman pelatihan.")
            row.faults.append(("skill", said))
        elif programme.batch and batch in batches:
            row.faults.append(("batch", _("Batch ini sudah ada di baris %(row)d.", row=batches[batch])))
        elif batch in counted:
            row.faults.append(("batch", _("Batch sertifikat ini sudah tercatat di program lain.")))
        seen.setdefault(key, row.number)
        batches.setdefault(batch, row.number)


def _same(programme: Programme | TrainingProgramme) -> Same:
    skill = " ".join(programme.skill.casefold().split())
    return programme.workshop_id, programme.kind, skill, programme.started_on, programme.ended_on


def _recorded(facility_id: int) -> set[Same]:
    query = select(TrainingProgramme).where(
        TrainingProgramme.facility_id == facility_id, TrainingProgramme.state != "withdrawn"
    )
    return {_same(row) for row in db.session.scalars(query)}


def _counted(batches: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Batches that another programme holds."""
    if not batches:
        return set()
    pair = tuple_(TrainingProgramme.scheme, TrainingProgramme.batch)
    query = select(TrainingProgramme.scheme, TrainingProgramme.batch).where(
        pair.in_(batches), TrainingProgramme.state.in_(("recorded", "checked"))
    )
    return {(scheme, batch) for scheme, batch in db.session.execute(query)}
