"""The file of payments for the bank, as two people of finance make it on pages."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.bank.payment_shape import USUAL
from storefront.books import settle
from storefront.books.settle import Wish
from storefront.extensions import db
from tests.money_out import Books, open_books
from tests.staff import make_account, post, sign_in

SHAPE_PAGE = "/finance/payment-files/shape"


@pytest.fixture
def books(db_session: DbSession) -> Books:
    return open_books()


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def second(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Budi"))


def as_form(act: str, **changed: str) -> dict[str, str]:
    """The usual shape as the form sends it."""
    fields = {"delimiter": "comma", "amount": "plain", "day": "compact", "headings": "1", "act": act}
    for place, column in enumerate(USUAL.columns):
        fields |= {f"source-{place}": column.source, f"heading-{place}": column.heading, f"text-{place}": column.text}
    return fields | {"first": USUAL.first, "last": USUAL.last} | changed


def test_from_the_form_to_the_bank(books: Books, finance: FlaskClient, second: FlaskClient) -> None:
    seen = post(finance, SHAPE_PAGE, as_form("preview", delimiter="semicolon"))
    assert "0012300045;RPL LAPAS CONTOH" in seen.text
    with_marks = post(finance, SHAPE_PAGE, as_form("preview", first="<b>|{jumlah}")).text
    assert "&lt;b&gt;" in with_marks
    assert "<b>," not in with_marks
    wrong = post(finance, SHAPE_PAGE, as_form("propose", last="T|{sandi}"))
    assert (wrong.status_code, "T|{sandi}" in wrong.text) == (422, True)
    assert post(finance, SHAPE_PAGE, as_form("propose")).status_code == 303
    proposed = db.session.execute(text("SELECT max(id) FROM payment_file_shapes")).scalar_one()
    assert post(finance, f"/finance/payment-files/shapes/{proposed}/approve").status_code == 409
    assert post(second, f"/finance/payment-files/shapes/{proposed}/approve").status_code == 303

    (one,) = settle.propose([Wish(books.pekalongan, books.funds["premium"], 30_000)], person_id=books.first)
    settle.approve([one.id], books.second)
    db.session.commit()
    refused = post(finance, "/finance/payment-files", {"pay_on": days.today().isoformat()})
    assert (refused.status_code, "Pilih setidaknya satu pembayaran" in refused.text) == (422, True)
    made = post(finance, "/finance/payment-files", {"settlement": str(one.id), "pay_on": days.today().isoformat()})
    address = made.headers["Location"]
    file = finance.get(f"{address}/file")
    assert file.content_type == "text/csv; charset=utf-8"
    assert "2220000001" in file.text
    assert hashlib.sha256(file.data).hexdigest() in finance.get(address).text
    again = post(second, "/finance/payment-files", {"settlement": str(one.id), "pay_on": days.today().isoformat()})
    assert (again.status_code, "sudah ada di berkas pembayaran" in again.text) == (409, True)
    assert post(second, f"/finance/settlements/{one.id}/reject").status_code == 409
    assert post(finance, f"{address}/taken").status_code == 303
    assert post(finance, f"{address}/taken").status_code == 409
    assert post(finance, f"{address}/discard", {"reason": "salah"}).status_code == 422
    assert "Sudah dibawa ke bank" in finance.get("/finance/payment-files?state=taken").text
    assert post(finance, f"{address}/discard", {"reason": "Ditolak bank seluruhnya"}).status_code == 303
    assert f"Penyaluran {one.id}" in finance.get("/finance/payment-files").text.partition('id="berkas"')[0]


def test_who_does_not_see_all_facilities_sees_no_file(app: Flask, books: Books, finance: FlaskClient) -> None:
    bound = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    assert bound.get("/finance/payment-files").status_code == 404
    assert bound.get(SHAPE_PAGE).status_code == 404
