"""The treasurer's books on pages and as files: who sees which, and that the figures are the same everywhere."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
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
    # the same figures, told by SQL of its own
    told = db.session.execute(
        text(
            """SELECT -sum(p.amount) AS closing, max(p.entry_id) AS last,
                      -sum(p.amount) FILTER (WHERE a.code = 'state_revenue:PKL' OR u.code = 'state_revenue') AS revenue
                 FROM postings p JOIN accounts a ON a.id = p.account_id JOIN facilities f ON f.id = a.facility_id
                 LEFT JOIN funds u ON u.id = a.fund_id WHERE f.code = 'PKL'"""
        )
    ).one()
    plain = report.replace("\u00a0", " ")
    rupiah = f"Rp {told.closing:,}".replace(",", ".")
    assert f"saldo akhir pada BKU sebesar {rupiah} dan nomor bukti terakhir {told.last}" in plain
    revenue = f"Rp {told.revenue:,}".replace(",", ".")
    assert re.search(rf"1\. Penerimaan \(PNBP\) menurut pembukuan</dt><dd>\D*{revenue}", plain)
    assert re.search(rf"3\. Belum disetor dari penerimaan bulan ini</dt><dd>\D*{revenue}", plain)
    heads = re.findall(r"<h2 id=[^>]*>([IV]+)\. ", report)
    assert heads == ["I", "II", "III", "IV", "V"], "in the order of the form"
    assert finance.get(f"{address}?book=bank").status_code == 404
    assert finance.get("/finance/cash-books/PKL/2026-13").status_code == 404


def test_the_offices_book_tells_where_the_money_lies(app: Flask, books: Books, finance: FlaskClient) -> None:
    address = f"/finance/cash-books/office/{month()}"
    rows = csv.DictReader(io.StringIO(finance.get(f"{address}?format=csv").data.decode("utf-8-sig")))
    assert [(row["part"], row["credit"]) for row in rows] == [("bank", "20000")]
    report = finance.get(f"{address}?book=lpj").text.replace("\u00a0", " ")
    assert "penyedia pembayaran" in report
    assert re.search(r"3\. Selisih kas</dt><dd>\D*Rp 0", report), "what the office books is what it has"
    assert finance.get(f"{address}?book=lpj&format=pdf").data[:5] == b"%PDF-"
    assert "Kantor pusat" in finance.get("/finance/cash-books").text
    bound = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    assert bound.get(address).status_code == 404
    assert bound.get(f"/finance/cash-books/NML/{month()}").status_code == 404
    listed = bound.get("/finance/cash-books").text
    assert ("Kantor pusat</a>" in listed, books.shop.pekalongan.name in listed) == (False, True)
