"""Settings hold from a day on, never backwards, with who set them; and the code reads what the page says."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.books.taken_back_models import RefundLimit
from storefront.cart.models import CartKeeping
from storefront.cart.ways import ways
from storefront.catalogue.models import Variant
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.holding_times import holding_times
from storefront.orders.models import OrderHold
from storefront.orders.payment import open_payment
from storefront.orders.report_window import Windows
from storefront.payments.gateway import current_gateway
from storefront.payments.transfer import TransferGateway
from storefront.refunds import refund_limits
from storefront.shop_settings import dated
from storefront.stock import low_marks
from storefront.stock.levels import FEW
from storefront.stock.models import LowStockDefault, LowStockMark
from tests.clones import Clone
from tests.factories import make_order, make_person
from tests.selling import open_shop
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


def test_another_limit_of_refunds_takes_two_administrators(app: Flask, office: FlaskClient) -> None:
    first = today() + DAY
    form = {"amount": "200000", "valid_from": first.isoformat(), "legal_basis": "Surat edaran percobaan"}
    for wrong in ({"amount": "0"}, {"valid_from": today().isoformat()}, {"legal_basis": "pendek"}):
        refused = post(office, "/admin/settings/refund-limit", form | wrong)
        assert refused.status_code == 422
        assert wrong.get("legal_basis", "200000") in refused.text or wrong == {"amount": "0"}
    assert post(office, "/admin/settings/refund-limit", form).status_code == 303
    waits = db.session.scalars(select(RefundLimit).where(RefundLimit.approved_at.is_(None))).one()
    assert refund_limits.limit_on(first) == refund_limits.SHIPPED
    address = f"/admin/settings/refund-limit/{waits.id}"
    assert f'action="{address}/approve"' not in office.get("/admin/settings").text
    assert post(office, f"{address}/approve", {}).status_code == 409
    assert post(office, "/admin/settings/refund-limit", form).status_code == 409, "one at a time"
    second = sign_in(app.test_client(), make_account("administrator", name="Rina"))
    assert f'action="{address}/approve"' in second.get("/admin/settings").text
    assert post(second, f"{address}/approve", {}).status_code == 303
    assert [refund_limits.limit_on(day) for day in (today(), first)] == [refund_limits.SHIPPED, 200_000]
    assert post(second, f"{address}/reject", {}).status_code == 409, "what is decided stays"
    acts = db.session.scalars(select(AuditEvent.action).where(AuditEvent.subject_kind == "refund_limit"))
    assert sorted(acts) == ["refund_limit.approved", "refund_limit.proposed"]
    later = form | {"valid_from": (first + DAY).isoformat()}
    assert post(office, "/admin/settings/refund-limit", later).status_code == 303
    waits = db.session.scalars(select(RefundLimit).where(RefundLimit.approved_at.is_(None))).one()
    assert post(office, f"/admin/settings/refund-limit/{waits.id}/reject", {}).status_code == 303
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert "Usulkan batas lain" not in auditor.get("/admin/settings").text
    assert post(auditor, "/admin/settings/refund-limit", form).status_code == 403


def test_two_agree_on_a_limit_at_once_and_one_does(app: Flask, office: FlaskClient, database: Clone) -> None:
    first, *others = [make_person().id for _ in range(3)]
    limit = refund_limits.propose(
        200_000, valid_from=today() + DAY, legal_basis="Surat edaran percobaan", person_id=first
    )
    limit_id = limit.id
    db.session.commit()

    def agree(person_id: int) -> None:
        with app.app_context():
            refund_limits.approve(limit_id, person_id)
            db.session.commit()

    lock = f"SELECT id FROM refund_limits WHERE id = {limit_id} FOR UPDATE"
    answers = while_held(database.addresses[SUPERUSER], lock, [lambda: agree(others[0]), lambda: agree(others[1])])
    assert sorted(str(getattr(answer, "code", answer)) for answer in answers) == ["None", "decided"]


def test_what_nobody_has_set_is_as_the_server_says(app: Flask, office: FlaskClient) -> None:
    page = office.get("/admin/settings").text
    assert page.count("dari konfigurasi server") == 2
    assert (low_marks.default_mark(), holding_times().of(current_gateway()).seconds) == (FEW, 3600)
    form = {"pieces": "9", "legal_basis": "Surat edaran percobaan", "seen": "", "valid_from": str(today() + DAY)}
    assert post(office, "/admin/settings/low_stock", form).status_code == 303
    assert low_marks.default_mark() == FEW, "not before its day"
    hold = {"page_minutes": "34", "transfer_days": "5", "legal_basis": "Surat edaran percobaan", "seen": ""}
    day = {"valid_from": str(today() + DAY)}
    assert post(office, "/admin/settings/order_hold", hold | day).status_code == 422, "shorter than a provider's page"
    assert post(office, "/admin/settings/order_hold", hold | day | {"page_minutes": "120"}).status_code == 303
    assert post(office, "/admin/settings/order_hold", hold | day | {"page_minutes": "90"}).status_code == 409
    tomorrow = holding_times(datetime.datetime.now(datetime.UTC) + DAY)
    assert tomorrow.of(current_gateway()) == datetime.timedelta(minutes=120)
    assert tomorrow.of(TransferGateway("", "", DAY)) == 5 * DAY


def test_marks_and_orders_follow_the_setting_of_the_day(db_session: Session) -> None:
    shop = open_shop()
    basis = "Surat edaran percobaan"
    db.session.add(LowStockDefault(valid_from=today(), pieces=9, legal_basis=basis))
    db.session.add(OrderHold(valid_from=today(), page_minutes=120, transfer_days=5, legal_basis=basis))
    db.session.commit()
    order = make_order((shop.batik, 1))
    assert order.expires_at - order.placed_at == datetime.timedelta(minutes=120)
    assert open_payment(order).expires_at <= order.expires_at
    assert "karya ditahan 120 menit" in str([way.notes for way in ways(None)])
    query = select(low_marks.mark()).select_from(Variant).outerjoin(LowStockMark, LowStockMark.variant_id == Variant.id)
    assert db.session.scalar(query.where(Variant.id == shop.batik.id)) == 9
