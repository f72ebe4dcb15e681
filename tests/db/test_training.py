"""Training is counted and never named; what was checked stands; `verify` sees what breaks it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.books.four_eyes import Decided, FourEyes
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.training import imports, record
from storefront.training.imports import ImportMoved
from storefront.training.no_person import looks_like_a_number_of_a_person, looks_like_a_person
from storefront.verify import training
from storefront.verify.invariant import check
from tests.clones import SUPERUSER, Clone
from tests.factories import make_facility, make_person, make_workshop
from tests.later_books import without_checks
from tests.threads import at_once
from tests.training import ENDED, make_training, programme

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.mark.parametrize(
    ("words", "person"),
    [
        ("Menjahit pakaian", False),
        ("Membatik cap dan tulis", False),
        ("Balai Besar Kerajinan dan Batik", False),
        ("BLK Kabupaten Grobogan", False),
        ("Yayasan Siti Khadijah", False),
        ("PT Budi Santoso Makmur", False),
        ("Politeknik Negeri Malang angkatan 2024", False),
        ("Budi Santoso", True),
        ("menjahit, peserta Siti Aminah", True),
        ("Slamet", True),
        ("menjahit siti rahayu", True),
        ("a.n. wulandari", True),
        ("Ahmad bin Yusuf", True),
        ("reg B.I 123/2024", True),
        ("3374 0112 0590 0001", True),
        ("hub. 0812-3456-7890", True),
        ("guru@contoh.test", True),
    ],
)
def test_words_that_sound_like_a_person_are_refused(words: str, person: bool) -> None:
    assert (looks_like_a_person(words) is not None) is person


@pytest.mark.parametrize(
    ("batch", "refused"),
    [("LSP/2026/014", False), ("BNSP-10023-2026", False), ("3374011205900001", True), ("LSP/BUDI/01", True)],
)
def test_a_batch_is_no_number_of_a_person(batch: str, refused: bool) -> None:
    assert (looks_like_a_number_of_a_person(batch) is not None) is refused


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"women": 21}, "women"),
        ({"passed": 21}, "passed"),
        ({"passed": 10, "certified": 11}, "certified"),
        ({"passed": None, "certified": 1}, "certified"),
        ({"certified": 5, "batch": ""}, "batch"),
        ({"ended_on": datetime.date(2026, 1, 1)}, "ended_on"),
        ({"participants": 0, "women": 0, "passed": 0}, "participants"),
        ({"hours": 0}, "hours"),
        ({"kind": "holiday"}, "kind"),
        ({"skill": "Sri Wahyuni"}, "skill"),
        ({"partner": "081234567890"}, "partner"),
    ],
)
def test_counts_and_words_that_cannot_be_are_told_beside_their_field(values: dict[str, object], field: str) -> None:
    facility = make_facility()
    with pytest.raises(Invalid) as refusal:
        record.add(facility.id, programme(make_workshop(facility), **values), make_person().id)
    assert field in refusal.value.errors


def test_nobody_checks_their_own_record_or_a_programme_that_runs() -> None:
    facility = make_facility()
    workshop, first, second = make_workshop(facility), make_person(), make_person()
    own = record.add(facility.id, programme(workshop), first.id)
    running = record.add(
        facility.id, programme(workshop, ended_on=days.today() + datetime.timedelta(days=9)), first.id
    )
    unknown = record.add(facility.id, programme(workshop, passed=None, certified=None), first.id)
    refused: list[tuple[Callable[[], object], type[DomainError]]] = [
        (lambda: record.check(own.id, first.id), FourEyes),
        (lambda: record.check(running.id, second.id), Invalid),
        (lambda: record.check(unknown.id, second.id), Invalid),
    ]
    for call, error in refused:
        with pytest.raises(error):
            call()
    record.check(own.id, second.id)
    with pytest.raises(Decided):
        record.check(own.id, second.id)


def test_only_what_was_checked_and_not_withdrawn_is_reported(db_session: Session) -> None:
    facility = make_facility("PKL")
    kept, gone = make_training(facility), make_training(facility, participants=9, women=0, passed=9)
    record.add(facility.id, programme(make_workshop(facility)), make_person().id)
    record.withdraw(gone.id, make_person().id, "Tercatat dua kali")
    [row] = db_session.execute(text("SELECT * FROM reporting.training")).mappings().all()
    assert list(row) == [
        *("facility_code", "workshop", "kind", "skill", "started_on", "ended_on"),
        *("participants", "women", "passed", "certified"),
    ]
    assert (row["facility_code"], row["participants"], row["women"]) == ("PKL", kept.participants, kept.women)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE training_programmes SET participants = participants + 1",
        "UPDATE training_programmes SET state = 'recorded', checked_at = NULL, checked_by = NULL",
        "DELETE FROM training_programmes",
    ],
)
def test_the_database_keeps_what_was_checked(db_session: Session, change: str) -> None:
    make_training(make_facility())
    with pytest.raises(DBAPIError), db_session.begin_nested():
        db_session.execute(text(change))


@pytest.mark.parametrize(
    "values",
    [
        "women = 21", "passed = 21", "certified = 21", "ended_on = started_on - 1",
        "skill = 'peserta 3374011205900001'", "certified = 3", "passed = NULL, certified = 3",
    ],
)  # fmt: skip
def test_the_database_refuses_counts_that_cannot_be(db_session: Session, values: str) -> None:
    facility = make_facility()
    record.add(facility.id, programme(make_workshop(facility)), make_person().id)
    with pytest.raises(DBAPIError), db_session.begin_nested():
        db_session.execute(text(f"UPDATE training_programmes SET {values}"))


def test_of_two_who_decide_at_once_one_does(wide_app: Flask, db_session: Session) -> None:
    facility = make_facility()
    row = record.add(facility.id, programme(make_workshop(facility)), make_person().id)
    programme_id, first, second = row.id, make_person().id, make_person().id
    db_session.commit()

    def decides(act: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            with wide_app.app_context():
                act()
                db.session.commit()

        return call

    answers = at_once(
        [
            decides(lambda: record.check(programme_id, first)), decides(lambda: record.check(programme_id, second)),
            decides(lambda: record.reject(programme_id, first, "Daftar hadir belum lengkap")),
            decides(lambda: record.reject(programme_id, second, "Daftar hadir belum lengkap")),
        ]
    )  # fmt: skip
    assert [type(answer) for answer in answers].count(type(None)) == 1
    assert sum(isinstance(answer, Decided) for answer in answers) == 3
    db_session.rollback()
    told = db_session.scalars(text("SELECT split_part(key, ':', 3) FROM notices WHERE kind = 'training'")).all()
    assert told == [db_session.scalar(text("SELECT state FROM training_programmes"))]


def test_a_file_stored_twice_at_once_is_stored_once(wide_app: Flask, db_session: Session) -> None:
    """Two taps on one file, and the same file uploaded by two: each programme is recorded once."""
    facility = make_facility()
    make_workshop(facility, name="Jahit")
    who = make_person().id
    content = "Bengkel;Jenis;Keterampilan;Mulai;Selesai;Jam;Peserta;Perempuan;Lulus;Bersertifikat\r\n" + "".join(
        f"Jahit;Pelatihan kerja;Menjahit {what};2026-03-02;2026-03-20;80;20;12;18;0\r\n" for what in ("rok", "jas")
    )
    files = [
        imports.keep(facility.id, content.encode(), "a.csv", form_key=f"kunci-berkas-{n}-0000000", person_id=who)
        for n in range(2)
    ]
    digests = [imports.verdict_of(file).digest for file in files]
    ids, facility_id = [file.id for file in files], facility.id
    db_session.commit()

    def stores(n: int) -> Callable[[], int | None]:
        def call() -> int | None:
            with wide_app.app_context():
                found = imports.store(facility_id, ids[n], digests[n], person_id=who).stored
                db.session.commit()
                return found

        return call

    answers = at_once([stores(0), stores(1), stores(0), stores(1)])
    assert [answer for answer in answers if not isinstance(answer, Exception)] == [2]
    assert sum(isinstance(answer, ImportMoved) for answer in answers) == 3
    db_session.rollback()
    skills = db_session.scalars(text("SELECT skill FROM training_programmes ORDER BY skill")).all()
    assert skills == ["Menjahit jas", "Menjahit rok"]


def test_a_certificate_batch_is_counted_once() -> None:
    facility = make_facility()
    make_training(facility, certified=12, batch="LSP/2026/7")
    with pytest.raises(Invalid) as refusal:
        make_training(facility, certified=12, batch="LSP/2026/7")
    assert "batch" in refusal.value.errors


def test_outcomes_are_no_more_than_took_part() -> None:
    row = make_training(make_facility())
    who = {"recorded_by": make_person().id, "checked_by": make_person().id}
    with pytest.raises(Invalid):
        record.add_outcome(row.id, counted_on=ENDED, own_business=15, employed=6, **who)
    record.add_outcome(row.id, counted_on=ENDED, own_business=14, employed=6, **who)


#: Each promise and what breaks it.
BREAKS = [
    ("training_adds_up", f"{without_checks('training_programmes')}; UPDATE training_programmes SET women = 99"),
    ("training_adds_up", f"{without_checks('training_programmes')}; UPDATE training_programmes SET certified = 21"),
    ("training_adds_up", "UPDATE training_outcomes SET employed = 17"),
    (
        "training_read_by_two",
        f"{without_checks('training_programmes')}; UPDATE training_programmes SET checked_by = recorded_by",
    ),
    (
        "training_read_by_two",
        f"{without_checks('training_outcomes')}; UPDATE training_outcomes SET checked_by = recorded_by",
    ),
    (
        "training_holds_no_number_of_a_person",
        f"{without_checks('training_programmes')}; UPDATE training_programmes SET partner = 'NIK 33740112'",
    ),
]  # fmt: skip


def test_a_broken_promise_is_named(db_session: Session, database: Clone) -> None:
    row = make_training(make_facility())
    record.add_outcome(
        row.id, counted_on=ENDED, own_business=4, employed=2,
        recorded_by=make_person().id, checked_by=make_person().id,
    )  # fmt: skip
    db_session.commit()
    with psycopg.connect(database.addresses[SUPERUSER], autocommit=True) as connection:
        for name, statement in (("", ""), *BREAKS):
            with connection.transaction(force_rollback=True):
                connection.execute("SET LOCAL session_replication_role = replica")
                connection.execute(statement)  # type: ignore[call-overload]
                found = {f.invariant.name for f in check(connection, training.INVARIANTS) if not f.holds}
                assert name in found or not (name or found), statement


def test_every_promise_can_fail() -> None:
    assert {name for name, _ in BREAKS} == {invariant.name for invariant in training.INVARIANTS}
