"""Laporkan: anyone reports anything to the office, nameless if they wish, and reads the answer with number and code."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.cases import lists, tasks
from storefront.cases.code import secret_code
from storefront.cases.models import Case, CaseFile
from storefront.mail.models import Message
from storefront.mail.transport import mail_folder
from storefront.media.storage import private_files
from tests.factories import PDF
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

TOLD = "Sebuah akun memakai nama toko ini dan meminta transfer."


def send(client: FlaskClient, **fields: object) -> TestResponse:
    data = {"kind": "fraud", "body": TOLD, **fields}
    headers = {"Sec-Fetch-Site": "same-origin"}
    return client.post("/report", data=data, content_type="multipart/form-data", headers=headers)


def told(answer: TestResponse) -> tuple[str, str]:
    """Number and code, as the page says them."""
    assert answer.status_code == 201, answer.text
    number, code = re.findall(r'copy__value">([^<]+)<', answer.text)
    return number, code


def photo() -> bytes:
    """A JPEG that knows where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "S"
    exif[0x010F] = "Kamera rahasia"
    file = io.BytesIO()
    Image.new("RGB", (200, 200), "brown").save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def test_every_page_leads_to_it_and_says_who_never_asks_for_money(
    app: Flask, shop: Shop, db_session: Session
) -> None:
    staff = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    for client, path in [
        *((app.test_client(), path) for path in ("/", "/products/madu", "/cart", "/tidak-ada", "/login", "/report")),
        (staff, "/seller/PKL/"),
        (staff, "/account"),
    ]:
        page = client.get(path).text
        assert "Kementerian Imigrasi dan Pemasyarakatan" in page, path
        assert "Jalan Veteran No. 11" in page, path
        assert "Kami tidak pernah meminta transfer di luar halaman pembayaran ini" in page, path
        about = "" if path == "/report" else f"?about={path}"
        assert f'href="/report{about}"' in page, path
        assert "DATA CONTOH" in page, path
    form = app.test_client().get("/report?about=/products/madu").text
    assert 'value="/products/madu" checked' in form
    for channel in ("lapor.go.id", "1708", "ombudsman.go.id", "137", "komnasham.go.id"):
        assert channel in form


@pytest.mark.parametrize("about", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/a b", "/x\\y"])
def test_only_a_page_of_ours_is_remembered_and_never_what_may_be_secret(client: FlaskClient, about: str) -> None:
    assert 'name="about"' not in client.get("/report", query_string={"about": about}).text
    page = client.get("/report", query_string={"about": "/orders/KB-1?token=qwertz"}).text
    assert 'value="/orders/KB-1"' in page
    assert "qwertz" not in page.partition("<main")[2].partition("foot__end")[0]


def test_nobody_is_asked_who_they_are_and_nothing_of_it_is_kept(
    app: Flask, shop: Shop, db_session: Session
) -> None:
    member = make_account()
    client = sign_in(app.test_client(), member)
    number, _code = told(send(client, about="/products/madu"))
    case = db_session.scalars(select(Case)).one()
    assert (case.number, case.email, case.facility_id) == (number, None, shop.ambon.id)
    rows = db_session.execute(
        text(
            """SELECT row_to_json(c)::text FROM cases c UNION ALL SELECT row_to_json(m)::text FROM case_messages m
               UNION ALL SELECT row_to_json(e)::text FROM audit_events e WHERE subject_kind = 'case'"""
        )
    ).scalars()
    kept = " ".join(rows)
    assert TOLD in kept
    assert "127.0.0.1" not in kept
    assert member.email not in kept
    event = "SELECT person_id, network, request_id, details FROM audit_events WHERE action = 'case.reported'"
    assert tuple(db_session.execute(text(event)).one()) == (None, None, None, {"kind": "fraud"})
    assert db_session.scalar(select(Message.id)) is None
    kinds = "SELECT count(*) FROM login_attempts WHERE kind = 'report' AND length(network) = 32"
    assert db_session.execute(text(kinds)).scalar_one() == 1


def test_number_and_code_open_it_and_nothing_else_does(app: Flask, shop: Shop) -> None:
    number, code = told(send(app.test_client()))
    other = app.test_client()
    assert other.get(f"/report/{number}").status_code == 404
    assert TOLD not in other.get(f"/report/{number}?code={'0' * 26}").text
    last = "Y" if code.endswith("Z") else "Z"
    wrong = other.post("/report/read", data={"number": number, "code": code[:-1] + last})
    unknown = other.post("/report/read", data={"number": "LP-0000-0000", "code": code})
    assert wrong.status_code == unknown.status_code == 422
    written = other.post("/report/read", data={"number": number.lower().replace("-", " "), "code": code.lower()})
    assert (written.status_code, written.location) == (303, f"/report/{number}")
    page = other.get(f"/report/{number}")
    assert TOLD in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    by_link = app.test_client()
    entered = by_link.get(f"/en/report/{number}?code={code.replace('-', '')}")
    assert entered.location == f"/en/report/{number}"
    assert "HttpOnly" in entered.headers["Set-Cookie"]
    assert TOLD in by_link.get(entered.location).text
    by_link.post(f"/report/{number}/forget")
    assert by_link.get(f"/report/{number}").status_code == 404


def test_wrong_codes_and_floods_are_counted(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _code = told(send(app.test_client()))
    client = app.test_client()
    answers = {client.post("/report/read", data={"number": number, "code": "X"}).status_code for _ in range(21)}
    assert answers == {422, 429}
    client = app.test_client()
    flood = [send(client, form_key="") for _ in range(30)]
    assert [answer.status_code for answer in flood][:29] == [201] * 29
    last = flood[-1]
    assert last.status_code == 429
    assert TOLD in last.text
    assert "lapor.go.id" in last.text


def test_what_was_typed_stays_when_something_is_wrong(client: FlaskClient, shop: Shop) -> None:
    answer = send(client, kind="", email="tanpa-at", files=(io.BytesIO(b"MZ"), "a.jpg"))
    assert answer.status_code == 422
    assert TOLD in answer.text
    assert 'value="tanpa-at"' in answer.text
    assert 'id="f-email-error"' in answer.text
    assert "dipilih sekali lagi" in answer.text
    assert 'id="f-files-error"' in send(client, files=(io.BytesIO(b"<svg/>"), "a.svg")).text
    many = [(io.BytesIO(PDF), f"{n}.pdf") for n in range(4)]
    assert "Paling banyak 3" in send(client, files=many).text


def test_sent_twice_it_is_one_case(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    key = re.search(r'name="form_key" value="([^"]+)"', client.get("/report").text)
    assert key
    first, second = (told(send(client, form_key=key[1])) for _ in range(2))
    assert first == second
    assert len(db_session.scalars(select(Case)).all()) == 1


def test_photos_lose_what_they_know_and_lie_where_only_the_office_comes(
    app: Flask, shop: Shop, db_session: Session
) -> None:
    files = [(io.BytesIO(photo()), "IMG_1.jpg"), (io.BytesIO(PDF), "surat.pdf")]
    number, _code = told(send(app.test_client(), files=files))
    papers = db_session.scalars(select(CaseFile).order_by(CaseFile.id)).all()
    assert [paper.key.rpartition(".")[2] for paper in papers] == ["jpg", "pdf"]
    kept = private_files().read(papers[0].key)
    assert b"Kamera" not in kept
    assert not Image.open(io.BytesIO(kept)).getexif()
    case = db_session.scalars(select(Case)).one()
    address = f"/admin/cases/{case.id}/files/{papers[0].id}"
    assert app.test_client().get(f"/media/{papers[0].key}").status_code == 404
    office = sign_in(app.test_client(), make_account("administrator"))
    answer = office.get(address)
    assert answer.data == kept
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{number}')
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    curator = sign_in(app.test_client(), make_account("curator"))
    assert curator.get(address).status_code == curator.get("/admin/cases").status_code == 403


def test_from_the_report_to_the_decision(
    app: Flask, shop: Shop, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    reporter, address = app.test_client(), "warga@example.com"
    number, code = told(send(reporter, email=address, kind="treatment"))
    case = db_session.scalars(select(Case)).one()
    case_id = case.id
    office = sign_in(app.test_client(), make_account("administrator", name="Ibu Ratna"))
    assert "laporan menunggu jawaban" in office.get("/admin/").text
    assert number in office.get("/admin/cases?state=new&kind=treatment").text

    def seen() -> str:
        found = re.search(r'name="seen" value="([^"]+)"', office.get(f"/admin/cases/{case_id}").text)
        assert found
        return found[1]

    assert post(office, f"/admin/cases/{case_id}/take", {"seen": seen()}).status_code == 303
    old = seen()
    reporter.post(f"/report/{number}", data={"body": "Tambahan: itu terjadi dua kali."})
    late = post(office, f"/admin/cases/{case_id}/answer", {"seen": old, "body": "Kami periksa."})
    assert late.status_code == 409
    assert "Kami periksa." in late.text
    early = post(office, f"/admin/cases/{case_id}/close", {"seen": seen(), "outcome": "resolved"})
    assert early.status_code == 422
    assert post(office, f"/admin/cases/{case_id}/answer", {"seen": seen(), "body": "Kami periksa."}).status_code == 303
    page = reporter.get(f"/report/{number}").text
    assert "Kami periksa." in page
    assert "Ibu Ratna" not in page
    done = {"seen": seen(), "outcome": "passed_on", "body": "Sudah kami teruskan."}
    assert post(office, f"/admin/cases/{case_id}/close", done).status_code == 303
    assert "Diteruskan ke lembaga" in reporter.get(f"/report/{number}").text
    run_jobs()
    letters = sorted(mail_folder().glob(f"case.{case_id}.*.eml"))
    assert len(letters) == 3
    for letter in letters:
        words = letter.read_text()
        assert "Kami periksa" not in words
        assert TOLD not in words
    link = f"/report/{number}?code={code.replace('-', '')}"
    assert link in letters[-1].read_text().replace("=\n", "").replace("=3D", "=")
    trail = db_session.execute(text("SELECT action, details::text FROM audit_events WHERE subject_kind = 'case'")).all()
    assert {row.action for row in trail} >= {
        "case.reported", "case.added_to", "case.read", "case.taken", "case.answered", "case.closed",
    }  # fmt: skip
    assert not [row for row in trail if "periksa" in row[1] or "akun" in row[1] or address in row[1]]
    reporter.post(f"/report/{number}", data={"body": "Belum selesai menurut saya."})
    db_session.expire_all()
    assert db_session.get_one(Case, case_id).state == "looked_at"


def test_a_facilitys_people_never_see_a_case(app: Flask, shop: Shop, db_session: Session) -> None:
    told(send(app.test_client(), about="/facilities/lapas-pkl", kind="treatment"))
    case = db_session.scalars(select(Case)).one()
    assert case.facility_id == shop.pekalongan.id
    both = sign_in(app.test_client(), make_account("administrator", "head", facilities=(shop.pekalongan,)))
    assert both.get(f"/admin/cases/{case.id}").status_code == 404
    assert case.number not in both.get("/admin/cases").text
    bound = sign_in(app.test_client(), make_account("auditor", facilities=(shop.ambon,)))
    assert bound.get(f"/admin/cases/{case.id}").status_code == 404
    for role, status in (("coordinator", 404), ("finance", 404), ("curator", 403), ("auditor", 200)):
        person = make_account(role, facilities=(shop.pekalongan,) if role == "coordinator" else ())
        client = sign_in(app.test_client(), person)
        assert client.get(f"/admin/cases/{case.id}").status_code == status, role
    finance = sign_in(app.test_client(), make_account("finance"))
    assert case.number not in finance.get("/finance/audit").text


def test_an_address_is_forgotten_half_a_year_after_the_end(app: Flask, shop: Shop, db_session: Session) -> None:
    told(send(app.test_client(), email="Warga@Example.com"))  # found again however it was written
    person = make_account("administrator")
    closed = """UPDATE cases SET state = 'closed', outcome = 'unfounded', closed_by = :id, taken_by = :id,
                taken_at = now(), answered_at = now(), closed_at = now() - :age * interval '1 day'"""
    for age, kept in ((179, "warga@example.com"), (181, None)):
        db_session.execute(text(closed), {"id": person.id, "age": age})
        db_session.commit()
        tasks.forget_addresses(0)
        assert db_session.scalars(select(Case)).one().email == kept
        db_session.expire_all()
    assert lists.counts(lists.Readers(None, frozenset())) == {"closed": 1}


def test_the_code_is_the_cases_own(app: Flask, shop: Shop, db_session: Session) -> None:
    codes = {told(send(app.test_client()))[1] for _ in range(3)}
    assert len(codes) == 3
    assert {secret_code(case) for case in db_session.scalars(select(Case))} == codes
    assert all(len(code.replace("-", "")) * 5 >= 128 for code in codes)
