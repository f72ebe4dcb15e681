"""The treasurer's books on pages and as files: who sees which, and that the figures are the same everywhere."""

from __future__ import annotations

import csv
import io
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.extensions import db
from tests.money_out import PKL_CAPITAL, PKL_PREMIUM, PKL_STATE, Books, open_books, settled
from tests.staff import make_account, sign_in

#: Of Pekalongan: what was sold, and its shipping.
SOLD = PKL_PREMIUM + PKL_CAPITAL + PKL_STATE + 10_000


@pytest.fixture
def books(db_session: DbSession) -> Books:
    found = open_books()
    settled(found, "premium", 20_000, "TRX-1")
    db.session.commit()
    return found


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


def month() -> str:
    return f"{days.today():%Y-%m}"


def test_a_facilitys_book_on_the_page_and_as_files(finance: FlaskClient) -> None:
    address = f"/finance/cash-books/PKL/{month()}"
    page = finance.get(address).text
    for words in ("Siti Bendahara", "137 / 06 /", "TRX-1", f"Rp\u00a0{SOLD:,}".replace(",", "."), "Jumlah bulan ini"):
        assert words in page.replace("Rp ", "Rp\u00a0") or words.replace("\u00a0", " ") in page, words
    file = finance.get(f"{address}?format=csv")
    rows = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert [int(row["balance"]) for row in rows] == [SOLD, SOLD - 20_000]
    told = json.loads(finance.get(f"{address}?format=csv&part=manifest").data)
    assert told["sums"] == {"debit": SOLD, "credit": 20_000}
    assert (told["opening"], told["closing"]) == (0, SOLD - 20_000)
    assert finance.get(f"{address}?format=xlsx").data[:2] == b"PK"
    assert finance.get(f"{address}?book=lpj&format=pdf").data[:5] == b"%PDF-"
    state = finance.get(f"{address}?book=state_revenue&format=csv")
    assert [row["debit"] for row in csv.DictReader(io.StringIO(state.data.decode("utf-8-sig")))] == [str(PKL_STATE)]
    report = finance.get(f"{address}?book=lpj").text
    for words in ("I. Keadaan pembukuan", "IV. Hasil rekonsiliasi", "Buku pembantu PNBP", "Bendahara penerimaan"):
        assert words in report
    assert finance.get(f"{address}?book=bank").status_code == 404
    assert finance.get("/finance/cash-books/PKL/2026-13").status_code == 404


def test_the_offices_book_tells_where_the_money_lies(app: Flask, books: Books, finance: FlaskClient) -> None:
    address = f"/finance/cash-books/office/{month()}"
    rows = csv.DictReader(io.StringIO(finance.get(f"{address}?format=csv").data.decode("utf-8-sig")))
    assert [(row["part"], row["credit"]) for row in rows] == [("bank", "20000")]
    assert "penyedia pembayaran" in finance.get(f"{address}?book=lpj").text
    assert "Kantor pusat" in finance.get("/finance/cash-books").text
    bound = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    assert bound.get(address).status_code == 404
    assert bound.get(f"/finance/cash-books/NML/{month()}").status_code == 404
    listed = bound.get("/finance/cash-books").text
    assert ("Kantor pusat</a>" in listed, books.shop.pekalongan.name in listed) == (False, True)
