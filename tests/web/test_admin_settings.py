"""Settings hold from a day on, never backwards, with who set them; and the code reads what the page says."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.cart.models import CartKeeping
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.report_window import Windows
from storefront.shop_settings import dated
from tests.clones import Clone
from tests.factories import make_person
from tests.staff import make_account, post, sign_in
from tests.threads import while_held

pytestmark = pytest.mark.usefixtures("db_session")

DAY = datetime.timedelta(days=1)
WINDOW = {"days": "14", "working_days": "3", "answer_days": "4", "received_after": "10"}
BASIS = {"legal_basis": "Surat edaran percobaan", "seen": "2016-01-01"}


@pytest.fixture
def office(app: Flask, db_session: Session) -> FlaskClient:
    return sign_in(app.test_client(), make_account("administrator", name="Sari Dewi"))


def test_a_window_is_changed_from_a_day_on_and_the_days_before_keep_theirs(office: FlaskClient) -> None:
    first = today() + 3 * DAY
    form = {**WINDOW, **BASIS, "valid_from": first.isoformat()}
    assert post(office, "/admin/settings/report_window", form).status_code == 303
    windows = Windows.load()
    assert [windows.on(first - DAY).days, windows.on(first).days, windows.on(first).answer_days] == [7, 14, 4]
    page = office.get("/admin/settings").text
    assert "menunggu harinya" in page
    assert "Sari Dewi" in page
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "setting.set")).one()
    assert event.details["before"]["days"] == 7
    assert event.details["after"]["days"] == 14
    stale = post(office, "/admin/settings/report_window", {**form, "valid_from": (first + DAY).isoformat()})
    assert stale.status_code == 409
    assert 'value="14"' in stale.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"valid_from": "{today}"}, "Paling cepat mulai besok"),
        ({"working_days": "1"}, "dari 2 sampai 30"),
        ({"days": "tujuh"}, "angka bulat"),
        ({"legal_basis": "pendek"}, "10 sampai 300 huruf"),
        ({"days": "7", "working_days": "2", "answer_days": "2", "received_after": "7"}, "sama dengan ketentuan"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    office: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    wrong = {name: value.format(today=today().isoformat()) for name, value in wrong.items()}
    form = {**WINDOW, **BASIS, "valid_from": (today() + DAY).isoformat(), **wrong}
    refused = post(office, "/admin/settings/report_window", form)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert Windows.load().on(today() + 400 * DAY).days == 7


def test_two_who_set_it_at_once_the_second_is_told(app: Flask, office: FlaskClient, database: Clone) -> None:
    person = make_person().id
    db.session.commit()

    def set_to(days: int) -> None:
        with app.app_context():
            setting = dated.setting("cart_keeping")
            basis = {"legal_basis": "Surat edaran percobaan", "seen": "2016-01-01"}
            dated.change(setting, {"days": days}, valid_from=today() + days * DAY, **basis, person_id=person)
            db.session.commit()

    lock = "SELECT pg_advisory_xact_lock(hashtext('setting:cart_keeping'))"
    answers = while_held(database.addresses[SUPERUSER], lock, [lambda: set_to(30), lambda: set_to(60)])
    assert sorted(str(getattr(answer, "code", answer)) for answer in answers) == ["None", "setting_changed"]
    assert len(db.session.scalars(select(CartKeeping)).all()) == 2


def test_auditors_read_and_curators_do_not_come_here(app: Flask, office: FlaskClient) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert "Ubah mulai suatu hari" not in auditor.get("/admin/settings").text
    assert post(auditor, "/admin/settings/cart_keeping", {"days": "1"}).status_code == 403
    assert sign_in(app.test_client(), make_account("curator")).get("/admin/settings").status_code == 403
