"""What shipping costs comes from a file: looked at row by row, applied whole or not at all, and brought back."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.audit.models import AuditEvent
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.shipping_files import apply, sheets
from storefront.shipping_files.judge import judge
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import open_shop
from tests.staff import make_account, post, sign_in
from tests.threads import while_held

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def office(app: Flask, db_session: Session) -> FlaskClient:
    open_shop()
    return sign_in(app.test_client(), make_account("administrator"))


def upload(office: FlaskClient, content: bytes, name: str = "tarif.csv") -> TestResponse:
    return post(office, "/admin/shipping", {"file": (io.BytesIO(content), name)})


def present(kind: str = "rates") -> str:
    return sheets.download(kind, "csv").decode("utf-8-sig")


def looked(office: FlaskClient, content: str) -> tuple[int, str]:
    answer = upload(office, content.encode())
    assert answer.status_code == 303, answer.text
    number = int(answer.headers["Location"].rpartition("/")[2])
    return number, office.get(answer.headers["Location"]).text


def digest(page: str) -> str:
    found = re.search(r'name="digest" value="(\w+)"', page)
    assert found, "it can be applied"
    return found[1]


def first_kg() -> int:
    query = "SELECT first_kg FROM shipping_rates r JOIN shipping_methods m ON m.id = r.method_id" \
            " WHERE m.code = 'regular' AND reach = 'same_city' ORDER BY origin_zone_id LIMIT 1"  # fmt: skip
    return int(db.session.execute(text(query)).scalar_one())


@pytest.mark.parametrize("kind", ["rates", "zones"])
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_what_was_taken_away_comes_back_and_changes_nothing(office: FlaskClient, kind: str, format: str) -> None:
    file = office.get(f"/admin/shipping/{kind}.{format}").data
    answer = upload(office, file, f"x.{format}")
    page = office.get(answer.headers["Location"]).text
    assert "Semua baris sama dengan yang berlaku sekarang." in page
    assert "/apply" not in page


def test_a_changed_rate_is_shown_old_and_new_applied_once_and_brought_back(office: FlaskClient) -> None:
    before = first_kg()
    lines = present().splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("regular;") and "Kota yang sama" in line)
    cells = lines[place].split(";")
    cells[4] = "Rp 12.500"
    lines[place] = ";".join(cells)
    number, page = looked(office, "\n".join(lines))
    assert "<del>9.000</del> → <b>12.500</b>" in page
    assert first_kg() == before == 9000
    sent = {"digest": digest(page)}
    assert post(office, f"/admin/shipping/{number}/apply", sent).status_code == 303
    assert first_kg() == 12_500
    assert post(office, f"/admin/shipping/{number}/apply", sent).status_code == 409
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "shipping.imported")).one()
    assert event.details["rows"][0]["before"][4] == "9000"
    assert event.details["rows"][0]["after"][4] == "12500"
    back = post(office, f"/admin/shipping/{number}/revert", {})
    number, page = int(back.headers["Location"].rpartition("/")[2]), office.get(back.headers["Location"]).text
    assert "<del>12.500</del> → <b>9.000</b>" in page
    assert post(office, f"/admin/shipping/{number}/apply", {"digest": digest(page)}).status_code == 303
    assert first_kg() == before


def test_wrong_rows_are_refused_each_with_its_sentence_and_nothing_is_applied(office: FlaskClient) -> None:
    before = sheets.present("rates")
    head, *rows = present().splitlines()
    method, origin, destination, _reach, *amounts = rows[0].split(";")
    bad = [
        ";".join(["kurir-langit", origin, destination, "Seluruh Indonesia", *amounts]),
        ";".join([method, "atlantis", destination, "Seluruh Indonesia", *amounts]),
        rows[1],
        ";".join([*rows[2].split(";")[:4], "-5", *amounts[1:]]),
        ";".join([*rows[3].split(";")[:4], *amounts[:3], "5", "2", "", ""]),
    ]
    number, page = looked(office, "\n".join([head, *rows[1:2], *bad, *rows[4:]]))
    for sentence in (
        "Cara kirim ini tidak dikenal: kurir-langit.", "Zona ini tidak dikenal: atlantis.", "Sama dengan baris 2.",
        "Kg pertama: tulis bilangan bulat", "Hari terlama tidak boleh kurang", "Baris ini ada sekarang dan hilang",
    ):  # fmt: skip
        assert sentence in page
    assert "/apply" not in page
    verdict = judge(apply.file_of(number))
    assert post(office, f"/admin/shipping/{number}/apply", {"digest": verdict.digest}).status_code == 422
    assert sheets.present("rates") == before
    assert upload(office, b"\x89PNG....", "x.png").status_code == 422
    assert upload(office, b"a;b\n1;2\n").status_code == 422
    assert upload(office, b"").status_code == 422


def test_a_province_moves_to_another_zone_and_an_unknown_one_is_refused(office: FlaskClient) -> None:
    head, *rows = present("zones").splitlines()
    moved = [row.replace("jawa", "sumatera") if row.startswith("Banten;") else row for row in rows]
    number, page = looked(office, "\n".join([head, *moved]))
    assert post(office, f"/admin/shipping/{number}/apply", {"digest": digest(page)}).status_code == 303
    assert ["Banten", "sumatera"] in sheets.present("zones")
    _number, page = looked(office, "\n".join([head, *moved[1:], "Atlantis;jawa"]))
    assert "Provinsi ini tidak dikenal: Atlantis." in page
    assert "Provinsi ini hilang dari berkas." in page


def test_two_who_apply_at_once_do_not_write_over_each_other(app: Flask, office: FlaskClient, database: Clone) -> None:
    head, *rows = present("zones").splitlines()
    person, numbers, digests = make_person().id, [], []
    db.session.commit()
    for name in ("Banten;", "Bali;"):
        changed = [row.split(";")[0] + ";sulawesi" if row.startswith(name) else row for row in rows]
        number, page = looked(office, "\n".join([head, *changed]))
        numbers.append(number)
        digests.append(digest(page))

    def applied(turn: int) -> int:
        with app.app_context():
            done = apply.apply(numbers[turn], digests[turn], person_id=person)
            db.session.commit()
            return done

    lock = "LOCK TABLE shipping_rates IN SHARE ROW EXCLUSIVE MODE"
    answers = while_held(database.addresses[SUPERUSER], lock, [lambda: applied(0), lambda: applied(1)])
    assert sorted(str(getattr(answer, "code", answer)) for answer in answers) == ["1", "rates_moved"]


def test_auditors_read_and_others_do_not_come_here(app: Flask, office: FlaskClient) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert "Periksa berkas" not in auditor.get("/admin/shipping").text
    assert post(auditor, "/admin/shipping", {}).status_code == 403
    assert sign_in(app.test_client(), make_account("curator")).get("/admin/shipping").status_code == 403
