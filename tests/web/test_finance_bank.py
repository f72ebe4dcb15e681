"""The bank on finance's pages: upload, look, take in, match with one click, hold, give back; and for whom."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.bank import returns, transfers
from storefront.bank.models import BankFile, BankLine, BankReturn, HeldTransfer
from storefront.books import settle as settling
from storefront.books.models import Settlement
from storefront.books.settle import Wish
from storefront.days import today
from storefront.extensions import db
from storefront.orders.models import Order
from tests import bank_samples as samples
from tests.bank_samples import Movement
from tests.banking import ask_for_transfer, open_bank, paid, settle, take_in
from tests.money_out import Books
from tests.staff import csrf_token, make_account, post, sign_in
from tests.web.test_cart_pages import plain


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_bank()[0]


@pytest.fixture
def account(books: Books) -> int:
    return db.session.execute(text("SELECT id FROM bank_accounts WHERE facility_id IS NULL")).scalar_one()


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def second(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Budi"))


def send(client: FlaskClient, account: int, content: bytes, name: str = "mutasi.csv") -> TestResponse:
    return client.post(
        "/finance/bank-files",
        data={
            "csrf_token": csrf_token(client),
            "bank_account_id": account,
            "file": (io.BytesIO(content), name),
        },
        content_type="multipart/form-data",
    )


def lines() -> list[BankLine]:
    db.session.expire_all()
    return list(db.session.scalars(select(BankLine).order_by(BankLine.id)))


def arrives(books: Books, account: int, *movements: Movement) -> list[BankLine]:
    found = take_in(account, books.first, *movements)
    settle(account)
    db.session.commit()
    return found


def test_a_file_is_looked_at_before_it_is_taken_in(finance: FlaskClient, account: int) -> None:
    answer = send(finance, account, samples.MT940.encode(), "nov.sta")
    assert answer.status_code == 303
    page = finance.get(answer.headers["Location"])
    words = plain(page)
    for what in (
        "4 baris belum pernah diambil",
        "Saldo awal ditambah seluruh baris sama dengan saldo akhir",
        "PENYALURAN PKL",
        "−Rp 850.000",
    ):
        assert what in words
    assert lines() == []
    taken = post(finance, answer.headers["Location"] + "/take")
    assert (taken.status_code, len(lines())) == (303, 4)
    assert "4 baris baru diambil" in plain(finance.get(taken.headers["Location"]))
    actions = db.session.scalars(
        text("SELECT action FROM audit_events WHERE action LIKE 'bank_file%' ORDER BY id")
    ).all()
    assert actions == ["bank_file.uploaded", "bank_file.taken"]


def test_faults_are_listed_with_their_lines_and_nothing_is_taken(finance: FlaskClient, account: int) -> None:
    wrong = samples.TWO_COLUMNS.replace("03/11/26;03/11/26", "33/11/26;03/11/26").replace(
        "850.000,00;0,00", "x;0,00"
    )
    answer = send(finance, account, wrong.encode())
    page = finance.get(answer.headers["Location"])
    words = plain(page)
    assert "Baris 3: Tanggal “33/11/26” tidak terbaca" in words
    assert "Baris 4: Jumlah “x” tidak terbaca" in words
    assert "/take" not in page.text.split("discard")[0].split("<form")[-1]
    assert post(finance, answer.headers["Location"] + "/take").status_code == 422
    assert lines() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "Pilih berkas"), (b"PK\x03\x04xx", "Excel"), (b"%PDF-1.4", "PDF"), (b"\xff" * 5_300_000, "5 MB")],
)
def test_what_is_no_statement_is_refused_beside_the_field(
    finance: FlaskClient, account: int, content: bytes, words: str
) -> None:
    answer = send(finance, account, content)
    assert answer.status_code == 422
    assert words in plain(answer)
    assert 'id="f-file-error"' in answer.text
    assert db.session.scalar(select(func.count()).select_from(BankFile)) == 0


def test_the_same_file_again_leads_to_the_first(finance: FlaskClient, account: int) -> None:
    first = send(finance, account, samples.MT940.encode()).headers["Location"]
    second = send(finance, account, samples.MT940.encode()).headers["Location"]
    assert first == second
    assert "sudah pernah diunggah" in plain(finance.get(second))


def test_the_columns_are_chosen_once_and_kept(finance: FlaskClient, account: int) -> None:
    address = send(finance, account, samples.BARE.encode()).headers["Location"]
    assert "Pilih dahulu kolom" in plain(finance.get(address))
    refused = post(
        finance, address + "/columns", {"style": "marked", "day": "#1", "amount": "#2", "day_order": "dmy"}
    )
    assert refused.status_code == 422
    assert "Pilih satu sampai 4 kolom keterangan" in plain(refused)
    assert re.search(r'value="#2" selected', refused.text)
    chosen = {
        "style": "marked",
        "day": "#1",
        "amount": "#2",
        "mark": "#3",
        "texts": ["#4"],
        "day_order": "dmy",
    }
    assert post(finance, address + "/columns", chosen).status_code == 303
    assert "4 baris belum pernah diambil" in plain(finance.get(address))
    other = send(finance, account, samples.BARE.replace("BUDI", "BUDIMAN").encode()).headers["Location"]
    assert "4 baris belum pernah diambil" in plain(finance.get(other))


def test_a_discarded_file_is_gone(finance: FlaskClient, account: int, run_jobs: Callable[[], None]) -> None:
    address = send(finance, account, samples.MT940.encode()).headers["Location"]
    assert finance.get(address + "/content").data == samples.MT940.encode()
    assert post(finance, address + "/discard").status_code == 303
    assert finance.get(address).status_code == 404
    assert finance.get(address + "/content").status_code == 404


def test_the_file_is_sent_as_something_to_save(finance: FlaskClient, account: int) -> None:
    address = send(
        finance, account, b"Tanggal,Uraian,Nominal\n02/11/2026,<script>alert(1)</script>,5\n"
    ).headers["Location"]
    answer = finance.get(address + "/content")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "<script>alert" not in finance.get(address).text
    assert (
        db.session.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'bank_file.downloaded'"))
        == 1
    )


def test_a_forgotten_code_is_one_click(finance: FlaskClient, books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    number = asked.order.number
    (line,) = arrives(books, account, paid(asked, note="LUPA"))
    page = finance.get("/finance/bank-lines")
    assert f"Pembayaran pesanan {number}" in plain(page)
    assert "Hitung untuk pesanan ini" in plain(page)
    answer = post(finance, f"/finance/bank-lines/{line.id}/payment", {"payment_id": asked.payment.id})
    assert answer.status_code == 303
    settle(account)
    assert db.session.scalar(select(Order.state).where(Order.number == number)) == "paid"
    assert number in plain(finance.get(f"/finance/bank-lines/{line.id}"))


def test_an_order_that_does_not_exist_is_said_beside_the_field(
    finance: FlaskClient, books: Books, account: int
) -> None:
    (line,) = arrives(books, account, Movement(today(), 50_000, "APA"))
    refused = post(finance, f"/finance/bank-lines/{line.id}/payment", {"number": "KB-AAAA-AAAA"})
    assert refused.status_code == 422
    assert "Pesanan dengan nomor ini tidak ada" in plain(refused)


def test_a_settlement_is_paid_from_the_list(finance: FlaskClient, books: Books, account: int) -> None:
    (settlement,) = settling.propose(
        [Wish(books.pekalongan, books.funds["premium"], 20_000)], person_id=books.first
    )
    settling.approve([settlement.id], books.second)
    (line,) = arrives(books, account, Movement(today(), -20_000, "TRF 2220000001", "FT1001"))
    assert f"Penyaluran {settlement.id}" in plain(finance.get("/finance/bank-lines"))
    assert (
        post(finance, f"/finance/bank-lines/{line.id}/settlement", {"id": settlement.id}).status_code == 303
    )
    db.session.expire_all()
    assert db.session.get_one(Settlement, settlement.id).state == "paid"
    assert lines()[0].state == "matched"


def test_a_line_is_set_aside_brought_back_and_tied_by_hand(
    finance: FlaskClient, books: Books, account: int
) -> None:
    (line,) = arrives(books, account, Movement(today(), 150_000, "PAYOUT"))
    address = f"/finance/bank-lines/{line.id}"
    assert post(finance, address + "/set-aside", {"reason": "?"}).status_code == 422
    assert post(finance, address + "/set-aside", {"reason": "Salah rekening"}).status_code == 303
    assert "Salah rekening" in plain(finance.get("/finance/bank-lines?state=set_aside"))
    assert post(finance, address + "/bring-back").status_code == 303
    refused = post(finance, address + "/payout", {"gateway": "sandbox", "reference": ""})
    assert refused.status_code == 422
    assert post(finance, address + "/payout", {"gateway": "sandbox", "reference": "po_1"}).status_code == 303
    assert "payout:" in plain(finance.get(address))
    assert post(finance, address + "/untie").status_code == 303
    page = finance.get(address)
    posting = re.search(r'name="posting_id" value="(\d+)"', page.text)
    assert posting
    assert post(finance, address + "/tie").status_code == 422
    assert post(finance, address + "/tie", {"posting_id": posting[1]}).status_code == 303
    assert lines()[0].state == "matched"


def test_both_sides_of_a_difference_are_shown(finance: FlaskClient, books: Books, account: int) -> None:
    from storefront.books.payouts import record_payout

    record_payout(
        gateway="sandbox", reference="po_abc123", amount=200_000, arrived_on=today(), person_id=books.first
    )
    db.session.commit()
    arrives(books, account, Movement(today(), 195_000, "PO ABC123"))
    assert "Bank Rp 195.000, buku Rp 200.000, selisih −Rp 5.000." in plain(finance.get("/finance/bank-lines"))
    words = plain(finance.get("/finance/bank-files"))
    assert "−Rp 5.000" in words


def test_two_parts_are_counted_from_the_held_list(finance: FlaskClient, books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked, 60_000))
    page = finance.get("/finance/held-transfers")
    assert "Masih kurang Rp 50.000." in plain(page)
    refused = post(finance, f"/finance/held-transfers/payments/{asked.payment.id}/count")
    assert refused.status_code == 409
    assert "baru Rp 60.000 dari Rp 110.000" in plain(refused)
    arrives(books, account, paid(asked, 50_000))
    assert "1 transfer" not in plain(finance.get("/finance/held-transfers"))
    assert "2 transfer pembeli tertahan" in plain(finance.get("/finance/bank-lines"))
    assert post(finance, f"/finance/held-transfers/payments/{asked.payment.id}/count").status_code == 303
    settle(account)
    assert db.session.scalar(select(Order.state).where(Order.id == asked.order.id)) == "paid"
    assert "Tidak ada transfer tertahan" in plain(finance.get("/finance/held-transfers"))


def returned(books: Books, account: int) -> BankReturn:
    """A held transfer that goes back, its account given."""
    asked = ask_for_transfer((books.shop.batik, 1))
    arrives(books, account, paid(asked, 60_000))
    held = db.session.scalars(select(HeldTransfer)).one()
    back = returns.of_held(held.id, books.first)
    order = db.session.get_one(Order, back.order_id)
    returns.give_account(order, back.id, bank="Bank Mandiri", number="77700099881", holder="Sari Pertiwi")
    db.session.commit()
    return back


def test_money_goes_back_in_a_batch_of_two_people(
    finance: FlaskClient, second: FlaskClient, books: Books, account: int
) -> None:
    back = returned(books, account)
    assert "77700099881" in plain(finance.get("/finance/returns"))
    assert post(finance, "/finance/returns").status_code == 422
    answer = post(finance, "/finance/returns", {"pick": back.id})
    address = answer.headers["Location"]
    own = post(finance, address + "/approve")
    assert own.status_code == 409
    assert "Yang mengusulkan tidak boleh menyetujui" in plain(own)
    assert post(second, address + "/approve").status_code == 303
    refused = post(
        finance, f"/finance/returns/{back.id}/paid", {"bank_reference": "x", "paid_on": today().isoformat()}
    )
    assert refused.status_code == 422
    paid_now = {"bank_reference": "FT42", "paid_on": today().isoformat()}
    assert post(finance, f"/finance/returns/{back.id}/paid", paid_now).status_code == 303
    for path in (address, "/finance/returns"):
        words = plain(finance.get(path))
        assert "77700099881" not in words
        assert "Pertiwi" not in words
    assert "sudah dihapus" in plain(finance.get(address))


def test_a_wrong_account_is_asked_for_again(finance: FlaskClient, books: Books, account: int) -> None:
    back = returned(books, account)
    assert post(finance, f"/finance/returns/{back.id}/ask-again").status_code == 303
    words = plain(finance.get("/finance/returns"))
    assert "77700099881" not in words
    assert "2 kali" in words


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_shoppers_accounts_are_finances_alone(app: Flask, books: Books, account: int, role: str) -> None:
    returned(books, account)
    client = sign_in(app.test_client(), make_account(role))
    assert client.get("/finance/returns").status_code == 403
    assert client.get("/finance/returns/batches/1").status_code == 403
    assert client.get("/finance/bank-lines").status_code == (200 if role == "auditor" else 403)
    for path in ("/finance/refunds", "/finance/audit", "/finance/"):
        assert "77700099881" not in client.get(path).text


def test_finance_of_one_facility_sees_no_bank(app: Flask, books: Books, account: int) -> None:
    (line,) = arrives(books, account, Movement(today(), 5, "X"))
    client = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    for path in (
        "/finance/bank-files",
        "/finance/bank-lines",
        f"/finance/bank-lines/{line.id}",
        "/finance/held-transfers",
        "/finance/returns",
    ):
        assert client.get(path).status_code == 404, path
    assert "bank-lines" not in client.get("/finance/").text


def test_no_export_and_no_trail_holds_a_shoppers_account(
    finance: FlaskClient, app: Flask, books: Books, account: int
) -> None:
    returned(books, account)
    db.session.commit()
    for path in (
        "/finance/audit?format=csv", "/finance/settlements?format=csv", "/finance/deposits?format=csv",
        f"/finance/export?from={today()}&to={today()}&format=csv",
    ):  # fmt: skip
        answer = finance.get(path)
        assert "77700099881" not in answer.text, path
        assert "Pertiwi" not in answer.text, path
    views = db.session.scalars(
        text("SELECT table_name FROM information_schema.views WHERE table_schema = 'reporting'")
    ).all()
    for view in views:
        found = db.session.scalar(
            text(f"SELECT count(*) FROM reporting.{view} v WHERE v::text LIKE '%77700099881%'")
        )
        assert found == 0, view


def test_a_page_of_lines_asks_no_more_for_many_lines(
    finance: FlaskClient, books: Books, account: int, statements: Callable[[], list[str]]
) -> None:
    def asked_for(path: str) -> int:
        statements()
        assert finance.get(path).status_code == 200
        return len(statements())

    arrives(books, account, *(Movement(today(), 1_000 + number, f"A{number}") for number in range(3)))
    few = asked_for("/finance/bank-lines")
    arrives(books, account, *(Movement(today(), 2_000 + number, f"B{number}") for number in range(40)))
    assert asked_for("/finance/bank-lines") <= few


def test_what_a_transfer_was_counted_by_is_in_the_trail(
    finance: FlaskClient, books: Books, account: int
) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    (line,) = arrives(books, account, paid(asked, note="TANPA"))
    transfers.take(line.id, asked.payment.id, person_id=books.second)
    db.session.commit()
    row: Any = db.session.execute(
        text("SELECT person_id, details FROM audit_events WHERE action = 'transfer.announced'")
    ).one()
    assert (row.person_id, row.details["payment"]) == (books.second, asked.payment.id)
