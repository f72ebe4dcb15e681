"""Finance's pages of rules, funds, fees, payouts, disputes and corrections, as people use them."""

from __future__ import annotations

import datetime
import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.books.disputes import record_dispute
from storefront.books.models import Correction, FeeBearer, Payout
from storefront.days import today
from storefront.extensions import db
from storefront.ledger.models import Fund, JournalEntry, SplitRule
from storefront.payments.models import Payment
from tests.factories import PDF, make_paid_order, make_rule
from tests.money_out import open_books
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in


def tomorrow() -> datetime.date:
    return today() + datetime.timedelta(days=1)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Bendahara Rani"))


@pytest.fixture
def admin(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("administrator"))


def fund(code: str) -> str:
    return str(db.session.execute(select(Fund.id).where(Fund.code == code)).scalar_one())


def wish(shop: Shop, **changes: Any) -> dict[str, Any]:
    given = {
        "facility_id": str(shop.pekalongan.id),
        "basis": "net",
        "fund-1": fund("premium"),
        "percent-1": "66,67",
        "fund-2": fund("state_revenue"),
        "percent-2": "33.33 %",
        "valid_from": tomorrow().isoformat(),
        "legal_basis": "Keputusan Kepala Lapas nomor 12",
        "legal_basis_en": "Decision 12 of the head",
    }
    return {**given, **changes}


def propose(client: FlaskClient, shop: Shop, **changes: Any) -> TestResponse:
    return post(client, "/finance/rules/new", wish(shop, **changes))


def newest() -> SplitRule:
    return db.session.scalars(select(SplitRule).order_by(SplitRule.id.desc()).limit(1)).one()


def test_a_rule_from_proposal_to_force(finance: FlaskClient, admin: FlaskClient, shop: Shop) -> None:
    answer = propose(finance, shop)
    rule = newest()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/finance/rules/{rule.id}")
    assert [share.basis_points for share in rule.shares] == [6667, 3333]
    page = finance.get(f"/finance/rules/{rule.id}").text
    assert "Lapas Kelas IIA Pekalongan" in page
    assert "66,67%" in page
    assert "Setujui" not in page
    assert post(finance, f"/finance/rules/{rule.id}/approve").status_code == 403
    assert "Setujui" in admin.get(f"/finance/rules/{rule.id}").text
    assert post(admin, f"/finance/rules/{rule.id}/approve").status_code == 303
    assert "Belum berlaku" in admin.get("/finance/rules").text
    assert post(admin, f"/finance/rules/{rule.id}/approve").status_code == 409


def test_shares_of_9999_are_told_with_their_sum_and_kept_as_written(finance: FlaskClient, shop: Shop) -> None:
    answer = propose(finance, shop, **{"percent-1": "66,66"})
    assert answer.status_code == 422
    assert "99,99 % (9999 dari 10.000)" in answer.text
    assert 'value="66,66"' in answer.text
    assert db.session.scalar(select(SplitRule.id).where(SplitRule.approved_at.is_(None))) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"percent-1": "banyak"}, "Tulis persennya"),
        ({"fund-1": ""}, "Pilih dananya"),
        ({"valid_from": "kapan-kapan"}, "Tulis tanggalnya"),
        ({"legal_basis_en": ""}, "Tulis dasar hukumnya"),
        ({"workshop_id": "x"}, "Pilih dari daftar"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    finance: FlaskClient, shop: Shop, changes: dict[str, str], words: str
) -> None:
    answer = propose(finance, shop, **changes)
    assert answer.status_code == 422
    assert words in answer.text


def test_the_form_shows_the_effect_without_writing_anything(finance: FlaskClient, shop: Shop) -> None:
    last = (today().replace(day=1) - datetime.timedelta(days=1)).replace(day=2)
    make_paid_order((shop.batik, 1), paid_at=datetime.datetime.combine(last, datetime.time(5), datetime.UTC))
    db.session.commit()
    answer = propose(finance, shop, act="preview")
    assert answer.status_code == 200
    assert "Rp\xa066.670" in answer.text
    assert "+Rp\xa016.670" in answer.text
    assert newest().approved_at is not None


def test_the_preview_page_of_a_rule(admin: FlaskClient, shop: Shop) -> None:
    make_paid_order((shop.batik, 1))
    db.session.commit()
    rule = newest()
    assert "Tidak ada penjualan" in admin.get(f"/finance/rules/{rule.id}/preview").text
    page = admin.get(f"/finance/rules/{rule.id}/preview?month={today():%Y-%m}").text
    assert "Rp\xa0100.000" in page
    assert admin.get(f"/finance/rules/{rule.id}/preview?month=2026-99").status_code == 200


def test_the_decree_is_kept_privately(app: Flask, finance: FlaskClient, shop: Shop) -> None:
    assert propose(finance, shop, document=(io.BytesIO(PDF), "sk.pdf")).status_code == 303
    rule = newest()
    answer = finance.get(f"/finance/rules/{rule.id}/document")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, PDF, "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert app.test_client().get(f"/media/{rule.document_key}").status_code == 404
    refused = propose(finance, shop, document=(io.BytesIO(b"<svg onload=alert(1)>"), "sk.pdf"))
    assert refused.status_code == 422
    assert "bukan PDF" in refused.text


def test_a_successor_begins_as_the_rule_it_follows(finance: FlaskClient, shop: Shop) -> None:
    page = finance.get(f"/finance/rules/new?after={newest().id}").text
    assert re.search(r'name="percent-1"[^>]*value="50"', page)
    assert re.search(r'name="percent-3"[^>]*value="15"', page)


def test_a_rule_is_ended_by_two_people(finance: FlaskClient, admin: FlaskClient, shop: Shop) -> None:
    rule = make_rule(facility=shop.pekalongan)
    db.session.commit()
    wish = {"last_day": tomorrow().isoformat(), "reason": "Kembali ke aturan umum"}
    assert post(finance, f"/finance/rules/{rule.id}/end", wish).status_code == 303
    assert "Diusulkan berakhir" in admin.get(f"/finance/rules/{rule.id}").text
    assert post(admin, f"/finance/rules/{rule.id}/approve-end").status_code == 303
    db.session.expire_all()
    assert rule.valid_to == tomorrow()


def test_who_proposed_it_may_take_it_back(app: Flask, finance: FlaskClient, shop: Shop) -> None:
    propose(finance, shop)
    rule = newest()
    other = sign_in(app.test_client(), make_account("finance"))
    assert post(other, f"/finance/rules/{rule.id}/withdraw").status_code == 404
    assert post(finance, f"/finance/rules/{rule.id}/withdraw").status_code == 303
    assert "Ditolak" in finance.get(f"/finance/rules/{rule.id}").text


def test_finance_of_one_facility_sees_and_proposes_its_own(app: Flask, shop: Shop) -> None:
    own, foreign = make_rule(facility=shop.pekalongan), make_rule(facility=shop.ambon)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("finance", facilities=(shop.pekalongan,)))
    page = client.get("/finance/rules").text
    assert f"#{own.id}<" in page
    assert f"#{foreign.id}<" not in page
    assert "Semua UPT" in page  # the general rule concerns it too
    assert client.get(f"/finance/rules/{foreign.id}").status_code == 404
    assert propose(client, shop, facility_id=str(shop.ambon.id)).status_code == 422
    assert propose(client, shop, facility_id="").status_code == 422
    assert propose(client, shop, valid_from=tomorrow().isoformat()).status_code == 303
    for path in ("/finance/payouts", "/finance/disputes", "/finance/corrections"):
        assert client.get(path).status_code == 404
    assert post(client, "/finance/funds", {"code": "abc"}).status_code == 404


def test_a_fund_is_added_with_names_in_both_languages(finance: FlaskClient, shop: Shop) -> None:
    names = {
        "name": "Biaya operasional", "name_en": "Running costs",
        "finance_name": "Operasional", "finance_name_en": "Operations",
    }  # fmt: skip
    assert post(finance, "/finance/funds", {"code": "operating_costs", **names}).status_code == 303
    assert "Biaya operasional" in finance.get("/finance/funds").text
    twice = post(finance, "/finance/funds", {"code": "operating_costs", **names})
    assert twice.status_code == 422
    assert "sudah dipakai" in twice.text
    for code in ("shipping", "Upper", "x"):
        assert post(finance, "/finance/funds", {"code": code, **names}).status_code == 422
    shares = {"fund-2": fund("operating_costs"), "percent-2": "33,33"}
    assert propose(finance, shop, **shares).status_code == 303


def test_a_bearer_of_fees_by_two_people(finance: FlaskClient, admin: FlaskClient, shop: Shop) -> None:
    wish = {"fund": fund("state_revenue"), "valid_from": tomorrow().isoformat(), "legal_basis": ""}
    refused = post(finance, "/finance/fees", wish)
    assert refused.status_code == 422
    assert "dasar hukum" in refused.text
    assert post(finance, "/finance/fees", {**wish, "fund": fund("working_capital")}).status_code == 303
    bearer = db.session.scalars(select(FeeBearer).where(FeeBearer.approved_at.is_(None))).one()
    assert post(finance, f"/finance/fees/{bearer.id}/approve").status_code == 403
    assert post(admin, f"/finance/fees/{bearer.id}/approve").status_code == 303
    assert "Belum berlaku" in finance.get("/finance/fees").text


def test_the_product_page_says_whom_the_fee_burdens(app: Flask, shop: Shop) -> None:
    assert "Biaya pembayaran ditanggung pengelola toko" in app.test_client().get("/products/kain-batik").text


def test_a_payout_is_recorded_from_the_banks_statement(app: Flask, db_session: Session) -> None:
    open_books()
    client = sign_in(app.test_client(), make_account("finance"))
    wish = {"gateway": "sandbox", "reference": "po_1", "amount": "200.000", "arrived_on": today().isoformat()}
    too_much = post(client, "/finance/payouts", {**wish, "amount": "999.999.999"})
    assert too_much.status_code == 422
    assert "hanya memegang Rp\xa0280.000" in too_much.text
    assert post(client, "/finance/payouts", wish).status_code == 303
    assert db.session.scalars(select(Payout.amount)).one() == 200_000
    page = client.get("/finance/payouts").text
    assert "po_1" in page
    assert "Rp\xa080.000" in page
    assert "po_1" not in client.get("/finance/payouts?to=2020-01-01").text
    assert "Seimbang" in client.get("/finance/payments").text


def test_disputes_are_listed_by_state(app: Flask, finance: FlaskClient, shop: Shop) -> None:
    order = make_paid_order((shop.batik, 1))
    payment = db.session.scalars(select(Payment.id)).one()
    record_dispute(payment, "dp_77", 110_000, "opened")
    db.session.commit()
    page = finance.get("/finance/disputes?state=open").text
    assert "dp_77" in page
    assert order.number in page
    assert "dp_77" not in finance.get("/finance/disputes?state=lost").text
    assert "Seimbang" in finance.get("/finance/payments").text


def test_a_correction_by_two_people(app: Flask, finance: FlaskClient, shop: Shop) -> None:
    make_paid_order((shop.batik, 1))
    db.session.commit()
    wish = {
        "reason": "Biaya bank 2.500 rupiah tidak dilaporkan", "effective_date": today().isoformat(),
        "account-1": "corrections:difference", "debit-1": "2.500",
        "account-2": "clearing:sandbox", "credit-2": "2.499",
    }  # fmt: skip
    uneven = post(finance, "/finance/corrections/new", wish)
    assert uneven.status_code == 422
    assert "selisihnya Rp\xa01" in uneven.text
    both = post(finance, "/finance/corrections/new", {**wish, "credit-1": "5"})
    assert "salah satu" in both.text
    assert post(finance, "/finance/corrections/new", {**wish, "credit-2": "2.500"}).status_code == 303
    correction = db.session.scalars(select(Correction)).one()
    own = post(finance, f"/finance/corrections/{correction.id}/approve")
    assert own.status_code == 409
    assert "tidak boleh menyetujui" in own.text
    other = sign_in(app.test_client(), make_account("finance"))
    assert post(other, f"/finance/corrections/{correction.id}/approve").status_code == 303
    assert db.session.scalars(select(JournalEntry.kind).where(JournalEntry.kind == "correction")).one()
    assert "Dibukukan" in other.get("/finance/corrections").text
    assert "Seimbang" in other.get("/finance/payments").text


@pytest.mark.parametrize(
    "path",
    ["/finance/rules", "/finance/rules/new", "/finance/funds", "/finance/fees", "/finance/corrections/new"],
)
def test_the_pages_open_in_english(finance: FlaskClient, path: str) -> None:
    assert finance.get(f"/en{path}").status_code == 200
