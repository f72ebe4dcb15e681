"""Transfers to facilities as finance sees them: accounts beside the bank's, proposals, what Stripe refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books import connected_accounts, transfer_back
from storefront.books.connect_models import ConnectedAccount, FacilityTransfer, TransferReversal
from storefront.books.models import Settlement
from storefront.extensions import db
from tests.factories import make_paid_order
from tests.payments.connecting import CAPITAL, Shop, register
from tests.staff import make_account, post, sign_in

ACCOUNT = "acct_namlea123456"


def today() -> str:
    """The accounting day as forms send it."""
    return days.today().isoformat()


@pytest.fixture
def app(connect_app: Flask) -> Flask:
    return connect_app


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def second(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Budi"))


def account() -> ConnectedAccount:
    """Namlea's."""
    db.session.expire_all()
    return db.session.scalars(select(ConnectedAccount).where(ConnectedAccount.account == ACCOUNT)).one()


def test_an_account_is_registered_and_ended_by_two_people(
    shop: Shop, finance: FlaskClient, second: FlaskClient
) -> None:
    form = {
        "facility_id": str(shop.books.ambon), "account": ACCOUNT, "permission_letter": "S-7/PB/2026",
        "valid_from": today(),
    }  # fmt: skip
    wrong = post(finance, "/finance/connected-accounts", {**form, "account": "12345"})
    assert wrong.status_code == 422
    assert "acct_ dan 8 sampai 64" in wrong.text
    assert post(finance, "/finance/connected-accounts", form).status_code == 303
    steps = f"/finance/connected-accounts/{account().id}"
    assert post(finance, f"{steps}/approve").status_code == 409
    assert ACCOUNT in finance.get("/finance/connected-accounts").text
    assert post(second, f"{steps}/approve").status_code == 303
    assert account().approved_at
    assert post(finance, f"{steps}/end", {"end_on": today()}).status_code == 303
    assert post(finance, f"{steps}/approve-end").status_code == 409
    assert post(second, f"{steps}/approve-end").status_code == 303
    assert account().valid_to == days.today()
    actions = db.session.scalars(
        select(AuditEvent.action)
        .where(AuditEvent.subject_kind == "connected_account", AuditEvent.subject_id == str(account().id))
        .order_by(AuditEvent.id)
    )
    assert [action.partition(".")[2] for action in actions] == [
        "proposed",
        "approved",
        "end_proposed",
        "ended",
    ]


def test_a_proposed_account_can_be_taken_back(shop: Shop, finance: FlaskClient) -> None:
    found = connected_accounts.propose(
        shop.books.ambon, account=ACCOUNT, permission_letter="S-7", valid_from=days.today(),
        person_id=shop.books.first,
    )  # fmt: skip
    steps = f"/finance/connected-accounts/{found.id}"
    db.session.commit()
    assert post(finance, f"{steps}/reject").status_code == 303
    assert account().rejected_at
    assert finance.get(f"{steps}/approve").status_code == 302


def test_whoever_is_finance_for_one_facility_sees_no_others_account(app: Flask, shop: Shop) -> None:
    own = make_account("finance", facilities=(shop.books.shop.ambon,))
    client = sign_in(app.test_client(), own)
    assert shop.account not in client.get("/finance/connected-accounts").text
    theirs = db.session.scalars(select(ConnectedAccount.id)).one()
    assert post(client, f"/finance/connected-accounts/{theirs}/end", {"end_on": today()}).status_code == 404


def test_a_settlement_is_proposed_approved_and_shown_with_its_transfers(
    shop: Shop, finance: FlaskClient, second: FlaskClient, run_jobs: Callable[[], None]
) -> None:
    order_id = shop.buy()
    make_paid_order((shop.books.shop.batik, 1))
    db.session.commit()
    page = finance.get("/finance/settlements/new").text
    assert "Rp\N{NO-BREAK SPACE}70.000 ditransfer lewat Stripe, selebihnya lewat bank" in page
    picked = {"pick": "PKL-working_capital", "PKL-working_capital": "105.000"}
    assert post(finance, "/finance/settlements/new", picked).status_code == 303
    by_transfer, by_bank = db.session.scalars(select(Settlement).order_by(Settlement.id)).all()
    assert (by_transfer.amount, by_bank.amount) == (CAPITAL, 35_000)
    address = f"/finance/settlements/{by_transfer.id}"
    approved = post(second, f"{address}/approve", follow_redirects=True)
    assert "sedang ditransfer lewat Stripe" in approved.text
    assert "Dalam perjalanan" in approved.text
    assert "bank_reference" not in approved.text
    assert "reject" not in approved.text
    run_jobs()
    shop.give_back(order_id)
    run_jobs()
    shown = finance.get(address).text
    (transfer,) = db.session.scalars(select(FacilityTransfer)).all()
    (back,) = db.session.scalars(select(TransferReversal)).all()
    for said in (
        "Ditransfer lewat Stripe",
        shop.account,
        transfer.reference,
        back.reference,
        "Sudah kembali",
    ):
        assert str(said) in shown
    assert "/reverse" not in shown
    assert f"#{by_transfer.id}" in finance.get("/finance/settlements").text
    assert finance.get("/finance/settlements/paid").status_code == 200
    assert "35.000" in finance.get("/finance/payments").text


def test_files_and_reports_say_what_was_transferred(shop: Shop, finance: FlaskClient) -> None:
    shop.buy()
    settlement_id = shop.sent()
    answer = finance.get("/finance/settlements?format=csv")
    (row,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")))
    assert row["settlement_id"] == str(settlement_id)
    assert {str(CAPITAL), "paid", today()} <= set(row.values())
    reported = db.session.execute(text("SELECT amount, bank_reference FROM reporting.settlements")).one()
    assert tuple(reported) == (CAPITAL, None)
    month = f"{days.today():%Y-%m}"
    statement = finance.get(f"/finance/statements/PKL/{month}")
    assert statement.status_code in (200, 302)


def test_what_stripe_refused_is_shown_tried_again_and_left(
    shop: Shop, finance: FlaskClient, run_jobs: Callable[[], None]
) -> None:
    shop.buy()
    closed = str(shop.fake.tell("accounts/open", can_receive=False)["id"])
    register(shop.books, shop.books.pekalongan, closed, valid_from=days.today())
    db.session.commit()
    settlement_id = shop.sent()
    assert "70.000 ditolak Stripe" in finance.get("/finance/settlements").text
    address = f"/finance/settlements/{settlement_id}"
    assert "akun ini belum boleh menerima transfer" in finance.get(address).text
    transfer_id = db.session.scalars(select(FacilityTransfer.id)).one()
    steps = f"{address}/transfers/{transfer_id}"
    assert finance.get(f"{steps}/retry").status_code == 302
    assert post(finance, f"{address}/transfers/987654/retry").status_code == 404
    assert post(finance, f"{steps}/retry").status_code == 303
    assert post(finance, f"{steps}/drop").status_code == 409
    run_jobs()
    assert post(finance, f"{steps}/drop").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Settlement, settlement_id).state == "rejected"
    assert "ditolak Stripe" not in finance.get("/finance/settlements").text


def test_what_could_not_be_taken_back_is_shown(shop: Shop, finance: FlaskClient) -> None:
    order_id = shop.buy()
    settlement_id = shop.sent()
    shop.fake.tell("accounts/empty", account=shop.account)
    shop.give_back(order_id)
    back_id = db.session.scalars(select(TransferReversal.id)).one()
    db.session.rollback()
    transfer_back.reverse_transfer(back_id)
    assert "harus kembali dan belum dapat ditarik" in finance.get("/finance/settlements").text
    address = f"/finance/settlements/{settlement_id}"
    assert "saldo akun UPT di Stripe kurang" in finance.get(address).text
    assert post(finance, f"{address}/transfers/{back_id}/take-back").status_code == 303
    assert post(finance, f"{address}/transfers/987654/take-back").status_code == 404


def test_the_head_approves_a_transfer_and_sees_where_it_went(
    app: Flask, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    shop.buy()
    (found,) = shop.proposed()
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.books.shop.pekalongan,)))
    address = f"/seller/PKL/settlements/{found.id}"
    assert post(head, f"{address}/approve").status_code == 303
    run_jobs()
    assert "Ditransfer lewat Stripe" in head.get(address).text
    assert head.get("/seller/PKL/money").status_code == 200


def test_while_it_is_off_nothing_of_it_is_seen(
    shop: Shop, finance: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy()
    account_id = db.session.scalars(select(ConnectedAccount.id)).one()
    monkeypatch.setattr("storefront.payments.connect.is_on", lambda: False)
    assert finance.get("/finance/connected-accounts").status_code == 404
    assert (
        post(finance, f"/finance/connected-accounts/{account_id}/end", {"end_on": today()}).status_code == 404
    )
    for address in (
        "/finance/settlements",
        "/finance/settlements/new",
        "/finance/bank-accounts",
        "/finance/",
    ):
        page = finance.get(address).text
        assert "Stripe" not in page, address
