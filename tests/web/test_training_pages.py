"""Training through its pages: recorded, sent back, checked, counted later, withdrawn, imported; targets; no name."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.facilities.models import Facility, Workshop
from storefront.mail.transport import mail_folder
from storefront.training.models import (
    TrainingFollowup,
    TrainingImport,
    TrainingOutcome,
    TrainingProgramme,
    TrainingTarget,
)
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, make_account, post, sign_in

TRAINING, OFFICE = "/seller/PKL/training", "/admin/training"
KEY = "kunci-dari-formulir-"
WHY = "Jumlah perempuan lebih dari daftar hadir"


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def wayan(app: Flask, shop: Shop) -> FlaskClient:
    """The coordinator."""
    return sign_in(app.test_client(), make_account("coordinator", name="Wayan", facilities=(shop.pekalongan,)))


@pytest.fixture
def admin(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("administrator", name="Ayu"))


def workshop_of(facility: Facility, session: DbSession) -> Workshop:
    return session.scalars(select(Workshop).where(Workshop.facility_id == facility.id).order_by(Workshop.id)).first()  # type: ignore[return-value]


def written(workshop_id: int, **more: str) -> dict[str, str]:
    return {
        "kind": "vocational_training", "workshop": str(workshop_id), "skill": "Membatik cap", "partner": "BLK Kota",
        "started_on": "2026-03-02", "ended_on": "2026-03-20", "hours": "80", "participants": "20", "women": "12",
        "passed": "18", "certified": "0", **more,
    }  # fmt: skip


def recorded(client: FlaskClient, workshop_id: int, **more: str) -> str:
    """The address of a new programme."""
    answer = post(client, TRAINING, written(workshop_id, **more))
    assert answer.status_code == 303, re.findall(r"field__error.*?</p>", answer.text)
    return answer.headers["Location"]


def test_from_the_record_to_what_became_of_them(
    wayan: FlaskClient, admin: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    workshop = workshop_of(shop.pekalongan, db_session)
    one = recorded(wayan, workshop.id)
    id_ = int(one.rpartition("/")[2])
    office = f"{OFFICE}/{id_}"
    assert "program pelatihan menunggu pemeriksaan" in admin.get("/admin/").text
    # Sent back with a reason, which the facility sees on its first page and beside the form.
    assert post(admin, f"{office}/reject", {"reason": "salah"}).status_code == 422
    assert post(admin, f"{office}/reject", {"reason": WHY}).status_code == 303
    assert "catatan pelatihan dikembalikan" in wayan.get("/seller/PKL/").text
    assert WHY in wayan.get(f"{one}/edit").text
    assert post(admin, f"{office}/check").status_code == 409
    refused = post(wayan, f"{one}/edit", written(workshop.id, women="21"))
    assert refused.status_code == 422
    assert 'value="21"' in refused.text
    assert post(wayan, f"{one}/edit", written(workshop.id, women="10")).status_code == 303
    # Checked by the second person: from then on nobody writes it again.
    assert post(admin, f"{office}/check").status_code == 303
    assert post(wayan, f"{one}/edit", written(workshop.id, women="9")).status_code == 409
    # Counted later, by one and read by another; one waits at a time.
    later = {"counted_on": "2026-09-01", "own_business": "6", "employed": "7"}
    assert post(wayan, f"{one}/outcomes", later | {"employed": "15"}).status_code == 422
    assert post(wayan, f"{one}/outcomes", later).status_code == 303
    assert post(wayan, f"{one}/outcomes", later).status_code == 422
    followup = db_session.scalars(select(TrainingFollowup)).one()
    assert db_session.scalar(select(func.count()).select_from(TrainingOutcome)) == 0
    assert post(admin, f"{office}/outcomes/{followup.id}/check").status_code == 303
    outcome = db_session.scalars(select(TrainingOutcome)).one()
    assert (outcome.own_business, outcome.employed) == (6, 7)
    assert post(admin, f"{office}/outcomes/{followup.id}/reject", {"reason": WHY}).status_code == 409
    # Wrong after all: withdrawn, and written down anew with what it said.
    assert post(admin, f"{office}/withdraw", {"reason": WHY}).status_code == 303
    assert db_session.execute(text("SELECT count(*) FROM reporting.training")).scalar_one() == 0
    anew = wayan.get(f"{TRAINING}/new?again={id_}").text
    assert 'value="Membatik cap"' in anew
    states = {row.state for row in db_session.scalars(select(TrainingProgramme)).all()}
    assert states == {"withdrawn"}
    acts = set(db_session.scalars(select(AuditEvent.action).where(AuditEvent.subject_kind == "training_programme")))
    assert acts >= {
        "training.recorded", "training.rejected", "training.changed", "training.checked", "training.outcome_recorded",
        "training.outcome_checked", "training.withdrawn",
    }  # fmt: skip


def _copy(session: DbSession, skill: str) -> TrainingProgramme:
    """Another programme like the first that was recorded."""
    first = session.scalars(select(TrainingProgramme).order_by(TrainingProgramme.id)).first()
    values = {
        column.name: getattr(first, column.name)
        for column in TrainingProgramme.__table__.columns
        if column.name not in ("id", "skill")
    }
    return TrainingProgramme(**values, skill=skill)


def letters(pattern: str) -> list[str]:
    """To whom letters of a kind went, with what they say; taken away. Those of tests before lie there too."""
    found = []
    for file in sorted(mail_folder().glob(pattern)):
        read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append(f"{read['To']} {read['Subject']} {read.get_body(('plain',)).get_content()}")  # type: ignore[union-attr]
        file.unlink()
    return found


def test_office_and_facility_hear_of_each_other(
    app: Flask, wayan: FlaskClient, admin: FlaskClient, shop: Shop, run_jobs: Callable[[], None], db_session: DbSession
) -> None:
    letters("*.eml")
    make_account("head", email="kepala@pkl.test", facilities=(shop.pekalongan,))
    make_account("coordinator", email="koor@nml.test", facilities=(shop.ambon,))
    make_account("administrator", email="kantor@pusat.test", locale="en")
    workshop = workshop_of(shop.pekalongan, db_session)
    recorded(wayan, workshop.id, ended_on="2036-03-20")  # it runs: nobody can check it yet
    run_jobs()
    assert letters("training_office.*.eml") == []
    # Two on one day: the office hears once, the auditor and the other facility never.
    one = recorded(wayan, workshop.id)
    recorded(wayan, workshop.id, skill="Menyablon kaus")
    run_jobs()
    told = letters("training_office.*.eml")
    assert len(told) == 2
    assert any("kantor@pusat.test" in text and "2 training programmes wait" in text for text in told)
    assert all("/admin/training?state=recorded" in text for text in told)
    office = f"{OFFICE}/{one.rpartition('/')[2]}"
    for _again in range(2):  # sent back, written again, sent back again: each is told
        assert post(admin, f"{office}/reject", {"reason": WHY}).status_code == 303
        assert post(wayan, f"{one}/edit", written(workshop.id, women="10")).status_code == 303
    assert post(admin, f"{office}/check").status_code == 303
    run_jobs()
    told = letters("notice.*.eml")
    assert sorted(text.partition(":")[0].partition(" ")[2] for text in told) == [
        *["Pelatihan dikembalikan"] * 4, *["Pelatihan diperiksa"] * 2,
    ]  # fmt: skip
    assert all("Membatik cap" in text and one in text for text in told)
    assert not any("koor@nml.test" in text for text in told)
    assert sum("kepala@pkl.test" in text for text in told) == 3
    # A later count, taken back by the office with the whole programme; the facility's own withdrawing is no news.
    later = {"counted_on": "2026-09-01", "own_business": "6", "employed": "7"}
    assert post(wayan, f"{one}/outcomes", later).status_code == 303
    followup = db_session.scalars(select(TrainingFollowup.id)).one()
    assert post(admin, f"{office}/outcomes/{followup}/check").status_code == 303
    assert post(admin, f"{office}/withdraw", {"reason": WHY}).status_code == 303
    run_jobs()
    told = letters("notice.*.eml")
    assert len(told) == 4
    assert sum("Pelatihan ditarik" in text for text in told) == 2
    # Nothing waits any more where the letter would go out.
    assert letters("training_office.*.eml") == []


def test_no_field_takes_a_person(
    wayan: FlaskClient, admin: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    workshop = workshop_of(shop.pekalongan, db_session)
    tries = {
        "skill": "Membatik oleh Budi Santoso", "skill_en": "Batik by Siti Aminah", "partner": "0812 3456 7890",
        "scheme": "3374011205900001", "batch": "3374011205900001",
    }  # fmt: skip
    for field, words in tries.items():
        answer = post(wayan, TRAINING, written(workshop.id, **{field: words}))
        assert answer.status_code == 422
        assert f'id="f-{field}-error"' in answer.text, field
    one = recorded(wayan, workshop.id)
    for address, client in ((f"{OFFICE}/{one.rpartition('/')[2]}/reject", admin), (f"{one}/withdraw", wayan)):
        answer = post(client, address, {"reason": "Salah, ini milik Budi Santoso"})
        assert answer.status_code == 422
        assert "nama orang" in answer.text
    assert post(admin, f"{OFFICE}/targets", {
        "year": "2027", "measure": "certified", "people": "100", "source": "usul Budi Santoso",
    }).status_code == 422  # fmt: skip


def test_who_recorded_does_not_check_and_the_head_only_reads(
    app: Flask, wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    workshop = workshop_of(shop.pekalongan, db_session)
    one = recorded(wayan, workshop.id)
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    assert "Membatik cap" in head.get(one).text
    assert "Tarik program ini" not in head.get(one).text
    assert post(head, TRAINING, written(workshop.id)).status_code == 403
    both = sign_in(app.test_client(), make_account("administrator"))
    db_session.execute(text("UPDATE training_programmes SET recorded_by = (SELECT max(id) FROM people)"))
    db_session.commit()
    office = f"{OFFICE}/{one.rpartition('/')[2]}"
    assert "orang lain yang memeriksa" in both.get(office).text
    assert post(both, f"{office}/check").status_code == 409


def test_a_list_is_narrowed_sorted_paged_and_kept_as_a_view(
    app: Flask, wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    workshop = workshop_of(shop.pekalongan, db_session)
    recorded(wayan, workshop.id)
    magang = {"kind": "apprenticeship", "skill": "Menyablon kaus", "ended_on": "2025-06-01", "started_on": "2025-05-01"}
    recorded(wayan, workshop.id, **magang)
    for query, there, gone in [
        ("kind=apprenticeship", "Menyablon", "Membatik"), ("year=2026", "Membatik", "Menyablon"),
        ("q=100%25", "", "Menyablon"), ("q=yablon", "Menyablon", "Membatik"), ("state=checked", "", "Membatik"),
        (f"workshop={workshop.id}&kind=x&year=abc&sort=%00", "Membatik", "tidak ada"),
    ]:  # fmt: skip
        page = wayan.get(f"{TRAINING}?{query}").text
        assert there in page
        assert gone not in page, query
    page = wayan.get(f"{TRAINING}?sort=ended").text
    assert page.index("Menyablon") < page.index("Membatik")
    auditor = sign_in(app.test_client(), make_account("auditor"))
    for query, there, gone in [
        ("", "Membatik", "tidak ada"),
        ("facility=PKL&kind=apprenticeship&sort=facility", "Menyablon", "Membatik"),
        ("facility=NML", "Tidak ada program", "Membatik"), ("state=followups", "", "Membatik"),
    ]:  # fmt: skip
        page = auditor.get(f"{OFFICE}?{query}").text
        assert there in page
        assert gone not in page, query
    # Paged by key in every order, and a key that is none is the first page.
    for number in range(50):
        db_session.add(_copy(db_session, f"Menenun {number:02}"))
    db_session.commit()
    for sort in ("", "ended", "newest", "participants", "certified", "skill"):
        page = wayan.get(f"{TRAINING}?sort={sort}").text
        older = re.search(r'href="([^"]*older=[^"]+)" rel="next"', page)
        assert older, sort
        rest = wayan.get(older[1].replace("&amp;", "&")).text
        names = [re.findall(r"Menenun \d\d|Membatik cap|Menyablon kaus", text) for text in (page, rest)]
        assert len(set(names[0]) | set(names[1])) == 52, sort
        assert not set(names[0]) & set(names[1]), sort
    assert wayan.get(f"{TRAINING}?older=x_y").status_code == 200
    assert "52" in auditor.get(f"{OFFICE}?sort=facility").text
    kept = {"list": "seller.training_list", "query": "kind=apprenticeship", "name": "Magang"}
    assert post(wayan, "/seller/PKL/views", kept).headers["Location"].endswith("training?kind=apprenticeship")


def test_targets_are_set_anew_and_removed_with_their_history(admin: FlaskClient, db_session: DbSession) -> None:
    asked = {"year": "2027", "measure": "participants", "people": "1.200", "source": "Rencana kerja 2027"}
    assert post(admin, f"{OFFICE}/targets", asked | {"people": "0"}).status_code == 422
    assert post(admin, f"{OFFICE}/targets", asked).status_code == 303
    assert post(admin, f"{OFFICE}/targets", asked | {"people": "1500"}).status_code == 303
    row = db_session.scalars(select(TrainingTarget)).one()
    assert row.people == 1500
    assert "1.500" in admin.get("/impact").text or "Belum ada pelatihan" in admin.get("/impact").text
    assert post(admin, f"{OFFICE}/targets/{row.id}/remove").status_code == 303
    page = admin.get(f"{OFFICE}/targets").text
    assert (page.count("1.200"), page.count("1.500")) == (2, 2)


def rows_of(workshop: str) -> list[list[str]]:
    """A sound row, one that names a person, one with too many women, the first again, and one without results."""
    sound = [workshop, "Pelatihan kerja", "Membatik cap", "", "BLK Kota", "2026-03-02", "20/03/2026", "80", "20", "12",
             "18", "0", "", ""]  # fmt: skip
    return [
        sound,
        [*sound[:2], "Budi Santoso", *sound[3:]],
        [*sound[:2], "Mewarnai", *sound[3:9], "21", *sound[10:]],
        sound,
        [workshop, "magang", "Menyablon", *sound[3:10], "", "", "", ""],
        ["Bengkel lain", *sound[1:]],
    ]


def as_csv(rows: list[list[str]], headings: list[str]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";").writerows([headings, *rows])
    return file.getvalue().encode("utf-8-sig")


def upload(client: FlaskClient, content: bytes, name: str, key: str = KEY) -> str:
    data = {"file": (io.BytesIO(content), name), "form_key": key, "csrf_token": csrf_token(client)}
    answer = client.post(f"{TRAINING}/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303, re.findall(r"field__error.*?</p>", answer.text)
    return answer.headers["Location"]


def headings_of(client: FlaskClient, format: str = "xlsx") -> list[str]:
    content = client.get(f"{TRAINING}/import/template?format={format}").data
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[0]  # type: ignore[return-value]


def test_an_import_stores_what_it_promised_and_gives_the_rest_back(
    wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    workshop = workshop_of(shop.pekalongan, db_session)
    headings = headings_of(wayan)
    assert headings == headings_of(wayan, "ods")
    content = as_csv(rows_of(workshop.name), headings)
    one = upload(wayan, content, "Budi Santoso.csv")
    assert upload(wayan, content, "x.csv") == one  # the same form again
    page = wayan.get(one).text
    assert "Catat 2 program" in page
    assert "Sama dengan baris 2" in page
    # What reads like a person is nowhere: not in the table, the page, or the file of faults.
    everything = db_session.execute(text("SELECT to_jsonb(i)::text FROM training_imports i")).scalar_one()
    faults = wayan.get(f"{one}/errors")
    assert "Santoso" not in everything + page + faults.get_data(as_text=True)
    told = list(csv.reader(io.StringIO(faults.data.decode("utf-8-sig")), delimiter=";"))
    assert [row[0] != "" for row in told] == [True] * 5  # the heading and four rows
    assert told[0] == ["Alasan", *headings]
    digest = re.search(r'name="digest" value="(\w+)"', page)[1]  # type: ignore[index]
    assert post(wayan, f"{one}/store", {"digest": "lain"}).status_code == 409
    assert post(wayan, f"{one}/store", {"digest": digest}).status_code == 303
    assert post(wayan, f"{one}/store", {"digest": digest}).status_code == 409  # an impatient thumb
    found = db_session.scalars(select(TrainingImport)).one()
    assert (found.stored, found.faults) == (2, 4)
    skills = set(db_session.scalars(select(TrainingProgramme.skill)))
    assert skills == {"Membatik cap", "Menyablon"}
    assert wayan.get(f"{one}?show=fault").text.count("bermasalah</span>") >= 4
    # The same file once more: everything in it is recorded already, or still faulty.
    again = upload(wayan, content, "lagi.csv", KEY + "2")
    assert "Catat " not in wayan.get(again).text
    assert post(wayan, f"{again}/discard").status_code == 303
    assert wayan.get(again).status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Pilih berkas"), (b"Nama;Umur\r\nx;3\r\n", "Judul kolom tidak ditemukan"), (b"%PDF-1.7", "bukan XLSX"),
        (b"PK\x03\x04rusak", "XLSX"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_says_what_to_do(wayan: FlaskClient, content: bytes, said: str) -> None:
    data = {"file": (io.BytesIO(content), "x.xlsx"), "form_key": KEY, "csrf_token": csrf_token(wayan)}
    answer = wayan.post(f"{TRAINING}/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert said in answer.text
