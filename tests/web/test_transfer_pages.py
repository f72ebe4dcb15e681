"""Bank transfer as a shopper meets it: named before the address, chosen, paid by its page, changed, given back."""

from __future__ import annotations

import datetime
import email
import email.policy
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.bank.models import BankReturn, ReturnAccount
from storefront.days import today
from storefront.extensions import db
from storefront.money import format_rupiah
from storefront.orders.models import Order, OrderLine
from storefront.payments.methods import Method
from storefront.payments.models import Payment
from storefront.payments.transfer import TransferGateway
from storefront.payments.transfer_models import Transfer
from storefront.refunds import refunds
from storefront.refunds.refund_parts import LineWish
from tests.bank_samples import Movement
from tests.banking import settle, take_in
from tests.clones import Clone
from tests.money_out import Books, make_books, open_unsold
from tests.selling import check_out, new_cart, open_shop
from tests.web.test_cart_pages import HTMX, add, hidden, order, plain


@pytest.fixture(scope="module")
def transfer_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(BANK_TRANSFER="on")


@pytest.fixture
def app(transfer_app: Flask, database: Clone) -> Flask:
    return transfer_app


@pytest.fixture
def books(db_session: Session) -> Books:
    books = open_unsold()
    db_session.commit()
    return books


@pytest.fixture
def account(books: Books) -> int:
    return db.session.execute(text("SELECT id FROM bank_accounts WHERE facility_id IS NULL")).scalar_one()


def latest() -> tuple[Order, Payment]:
    db.session.expire_all()
    found = db.session.scalars(select(Order).order_by(Order.id.desc())).first()
    assert found is not None
    payment = db.session.scalars(
        select(Payment).where(Payment.order_id == found.id).order_by(Payment.created_at.desc())
    ).first()
    assert payment is not None
    return found, payment


def by_transfer(client: FlaskClient) -> tuple[Order, Payment]:
    add(client)
    answer = order(client, payment_method="transfer")
    assert answer.status_code == 303, plain(answer)
    return latest()


def rupiah(amount: int) -> str:
    """As pages write it, with an ordinary space."""
    return format_rupiah(amount).replace("\N{NO-BREAK SPACE}", " ")


def code_of(payment: Payment) -> str:
    code = db.session.scalar(select(Transfer.code).where(Transfer.id == payment.id))
    assert code is not None
    return code


def arrives(books: Books, account: int, amount: int, words: str) -> None:
    take_in(account, books.first, Movement(today(), amount, words))
    settle(account)
    db.session.commit()


def test_ways_to_pay_are_named_in_the_cart_with_fee_limit_and_hold(books: Books, client: FlaskClient) -> None:
    add(client)
    words = plain(client.get("/cart"))
    assert "Halaman pembayaran percobaan" in words
    assert (
        "Transfer bank · bank Anda mungkin memungut biaya transfer, mulai Rp 10.000 · karya ditahan 3 hari"
        in words
    )


def test_a_shopper_chooses_the_way_before_the_address(books: Books, client: FlaskClient) -> None:
    add(client)
    page = client.get("/checkout").text
    assert page.index('name="payment_method"') < page.index('name="line1"')
    assert re.search(r'value="sandbox" checked', page)
    assert 'value="transfer"' in page


def test_the_choice_is_kept_while_shipping_is_reckoned(books: Books, client: FlaskClient) -> None:
    add(client)
    form = {
        **hidden(client.get("/checkout")),
        "payment_method": "transfer",
        "province": "Jawa Tengah",
        "city": "Semarang",
    }
    for headers in ({}, HTMX):
        page = client.post("/checkout/shipping", data=form, headers=headers).text
        assert re.search(r'value="transfer" checked', page)
    assert 'hx-swap-oob="true"' in page


def test_a_transfer_is_paid_on_our_own_page(books: Books, client: FlaskClient) -> None:
    add(client)
    answer = order(client, payment_method="transfer")
    placed, payment = latest()
    assert answer.headers["Location"] == f"http://localhost/transfer/{payment.id}"
    assert (payment.gateway, payment.reference) == ("transfer", code_of(payment))
    assert placed.expires_at - placed.placed_at == datetime.timedelta(days=3)
    page = client.get(f"/transfer/{payment.id}")
    words = plain(page)
    code = code_of(payment)
    for what in (
        f"{code[:2]} {code[2:5]} {code[5:]}",
        rupiah(payment.amount),
        "1110001112",
        "Bank Contoh",
        "RPL Contoh",
        "Lupa kodenya",
    ):
        assert what in words
    assert f'data-copy="{code}"' in page.text
    assert f'data-copy="{payment.amount}"' in page.text
    assert "Sari" not in words
    assert page.headers["Cache-Control"] == "no-store"
    english = plain(client.get(f"/en/transfer/{payment.id}"))
    assert "Forgot the code" in english


def test_the_page_of_a_payment_that_never_was_does_not_exist(books: Books, client: FlaskClient) -> None:
    assert client.get("/transfer/pay_aaaaaaaaaaaaaaaaaaaaaaaa").status_code == 404
    assert client.get("/transfer/%00").status_code == 404
    add(client)
    order(client)
    assert client.get(f"/transfer/{latest()[1].id}").status_code == 404  # of another gateway


def test_the_order_page_shows_it_too_and_learns_that_it_is_paid(
    books: Books, client: FlaskClient, account: int
) -> None:
    placed, payment = by_transfer(client)
    words = plain(client.get(f"/orders/{placed.number}"))
    assert code_of(payment)[2:5] in words
    assert "1110001112" in words
    arrives(books, account, payment.amount, f"TRF {code_of(payment)}")
    assert "pembayaran Anda sudah kami terima" in plain(client.get(f"/orders/{placed.number}"))
    assert "sudah kami terima" in plain(client.get(f"/transfer/{payment.id}"))


def test_what_came_too_little_is_said_on_the_order_page(
    books: Books, client: FlaskClient, account: int
) -> None:
    placed, payment = by_transfer(client)
    arrives(books, account, payment.amount - 8_000, f"TRF {code_of(payment)}")
    assert f"Kami menerima {rupiah(payment.amount - 8_000)}" in plain(client.get(f"/orders/{placed.number}"))


def test_another_way_is_offered_while_the_hold_lasts(books: Books, client: FlaskClient) -> None:
    add(client)
    order(client)
    placed, first = latest()
    assert 'name="payment_method" value="transfer"' in client.get(f"/orders/{placed.number}").text
    answer = client.post(f"/orders/{placed.number}/pay", data={"payment_method": "transfer"})
    placed, second = latest()
    assert answer.headers["Location"].endswith(f"/transfer/{second.id}")
    assert placed.expires_at - placed.placed_at == datetime.timedelta(days=3)
    # Back to the first way, and once more to the transfer: its code stays the same.
    client.post(f"/orders/{placed.number}/pay", data={"payment_method": "sandbox"})
    client.post(f"/orders/{placed.number}/pay", data={"payment_method": "transfer"})
    codes = db.session.scalars(select(Transfer.code)).all()
    assert codes == [code_of(second)]
    assert first.gateway == "sandbox"


def test_a_way_that_does_not_take_the_total_is_hidden_and_says_why(
    books: Books, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (Method("bank_transfer", "Transfer bank", minimum=10_000, maximum=105_000),)
    monkeypatch.setattr(TransferGateway, "methods", few)
    add(client)
    assert "Transfer bank" in plain(client.get("/cart"))
    form = {**hidden(client.get("/checkout")), "province": "Jawa Tengah", "city": "Semarang"}
    page = client.post("/checkout/shipping", data=form)
    assert 'value="transfer"' not in page.text
    assert "Transfer bank hanya dapat dipakai sampai Rp 105.000." in plain(page)
    refused = order(client, payment_method="transfer")
    assert refused.status_code == 422
    assert "sampai Rp 105.000" in plain(refused)
    assert order(client).status_code == 303


def test_without_an_account_there_is_no_transfer(app: Flask, db_session: Session) -> None:
    make_books(open_shop(), with_accounts=False)
    db_session.commit()
    client = app.test_client()
    add(client)
    assert "Transfer bank" not in plain(client.get("/cart"))
    assert order(client, payment_method="transfer").status_code == 422


def test_programs_may_choose_and_need_not(books: Books, client: FlaskClient) -> None:
    usual = check_out(client, new_cart(client, ("PKL-BATIK", 1)))
    assert "/sandbox/" in usual.json["payment"]["url"]
    chosen = check_out(client, new_cart(client, ("PKL-BATIK", 1)), payment_method="transfer")
    assert chosen.status_code == 201
    assert "/transfer/" in chosen.json["payment"]["url"]
    wrong = check_out(client, new_cart(client, ("PKL-BATIK", 1)), payment_method="cheque")
    assert (wrong.status_code, set(wrong.json["errors"])) == (422, {"payment_method"})
    number, token = usual.json["order"]["number"], usual.json["order"]["token"]
    for body in ({}, {"json": {"payment_method": "transfer"}}, {"data": "x", "content_type": "text/plain"}):
        again = client.post(f"/api/v1/orders/{number}/payments?token={token}", **body)
        assert again.status_code == 201
        assert ("/transfer/" in again.json["url"]) is ("json" in body)


def test_the_same_key_gives_the_same_answer_with_and_without_a_choice(
    books: Books, client: FlaskClient
) -> None:
    cart = new_cart(client, ("PKL-BATIK", 1))
    first = check_out(client, cart, payment_method="transfer")
    assert check_out(client, cart, payment_method="transfer").json == first.json
    assert check_out(client, cart).status_code == 422
    assert check_out(client, cart).json["code"] == "idempotency_mismatch"


def test_nobody_posts_an_event_of_the_bank(books: Books, client: FlaskClient) -> None:
    _placed, payment = by_transfer(client)
    forged = {
        "id": "bank_line:1",
        "type": "payment.succeeded",
        "payment": {"id": payment.id, "amount": payment.amount},
    }
    assert client.post("/webhooks/transfer", json=forged).status_code == 400
    assert db.session.scalar(text("SELECT count(*) FROM payment_events")) == 0


@pytest.fixture
def asked(
    books: Books, client: FlaskClient, account: int, run_jobs: Callable[[], None]
) -> tuple[Order, BankReturn]:
    """An order paid by transfer of which a piece is given back; the shopper is asked for an account."""
    placed, payment = by_transfer(client)
    arrives(books, account, payment.amount, f"TRF {code_of(payment)}")
    line = db.session.scalars(select(OrderLine).where(OrderLine.order_id == placed.id)).one()
    refunds.propose(placed.id, [LineWish(line.id, amount=9_000)], reason="goodwill", person_id=books.first)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    return placed, db.session.scalars(select(BankReturn)).one()


ACCOUNT = {"bank": "Bank Mandiri", "number": "777-000-99881", "holder": "Sari Pertiwi"}


def test_a_shopper_gives_an_account_from_the_order_page(
    asked: tuple[Order, BankReturn], client: FlaskClient
) -> None:
    placed, back = asked
    address = f"/orders/{placed.number}/returns/{back.id}"
    page = client.get(f"/orders/{placed.number}")
    assert f'href="{address}"' in page.text
    assert "Ke rekening mana Rp 9.000 kami kirim?" in plain(page)
    refused = client.post(address, data={**ACCOUNT, "number": "12"})
    assert refused.status_code == 422
    assert "5 sampai 20 angka" in plain(refused)
    assert 'value="Sari Pertiwi"' in refused.text
    assert client.post(address, data=ACCOUNT).status_code == 303
    kept = db.session.scalars(select(ReturnAccount)).one()
    assert (kept.bank, kept.number, kept.holder) == ("Bank Mandiri", "77700099881", "Sari Pertiwi")
    for path in (f"/orders/{placed.number}", address):
        words = plain(client.get(path))
        assert "••••9881" in words
        assert "77700099881" not in words


def test_the_account_is_given_by_whoever_holds_the_order_alone(
    asked: tuple[Order, BankReturn], app: Flask
) -> None:
    placed, back = asked
    stranger = app.test_client()
    assert stranger.get(f"/orders/{placed.number}/returns/{back.id}").status_code == 404
    assert stranger.post(f"/orders/{placed.number}/returns/{back.id}", data=ACCOUNT).status_code == 404
    add(stranger, "NML-MADU")
    order(stranger)
    own = latest()[0]
    assert stranger.get(f"/orders/{own.number}/returns/{back.id}").status_code == 404
    assert db.session.scalar(select(func.count()).select_from(ReturnAccount)) == 0


def test_the_letter_leads_to_the_order_by_its_signed_link(
    asked: tuple[Order, BankReturn], app: Flask, run_jobs: Callable[[], None]
) -> None:
    placed, _back = asked
    folder = app.extensions["settings"].var_dir / "mail"
    letter = max(folder.glob("bank_return*"), key=lambda path: path.stat().st_mtime)
    letter_as_sent = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
    body = letter_as_sent.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    link = re.search(rf"http://localhost(/orders/{placed.number}\?token=\S+)", words)
    assert link, words
    opened = app.test_client().get(link[1], follow_redirects=True)
    assert "Ke rekening mana" in plain(opened)


def test_no_account_is_written_into_the_log(
    asked: tuple[Order, BankReturn], client: FlaskClient, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    placed, back = asked
    client.post(f"/orders/{placed.number}/returns/{back.id}", data=ACCOUNT)
    said = caplog.text + "".join(capsys.readouterr())
    assert "99881" not in said
    assert "Pertiwi" not in said
