"""What is typed into SIMPONI's billing form, for each approved deposit."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from sqlalchemy.orm import Session as DbSession

from storefront.books.simponi import in_words
from storefront.extensions import db
from tests.money_out import PKL_STATE, approved_deposit, open_books
from tests.staff import make_account, sign_in


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (11, "sebelas"),
        (19, "sembilan belas"),
        (100, "seratus"),
        (1_250, "seribu dua ratus lima puluh"),
        (11_000, "sebelas ribu"),
        (1_001_115, "satu juta seribu seratus lima belas"),
        (2_000_000_017, "dua miliar tujuh belas"),
    ],
)
def test_sums_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_the_form_of_an_approved_deposit(app: Flask, db_session: DbSession) -> None:
    books = open_books()
    one = approved_deposit(books)
    db.session.commit()
    finance = sign_in(app.test_client(), make_account("finance"))
    page = finance.get("/finance/deposits/simponi").text
    for value in ("137", "06", "425289", "001234567890123", "Siti Bendahara", str(PKL_STATE), "tiga puluh ribu rupiah"):
        assert f"{value}" in page
    assert f'data-copy="{PKL_STATE}"' in page
    (row,) = csv.DictReader(io.StringIO(finance.get("/finance/deposits/simponi?format=csv").data.decode("utf-8-sig")))
    assert (row["unit"], row["tax_number"], row["amount"]) == ("06", "001234567890123", str(PKL_STATE))
    assert row["remark"].startswith(f"Setoran {one.id} ")
    assert "Isian untuk SIMPONI" in finance.get(f"/finance/deposits/{one.id}").text
    elsewhere = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.ambon,)))
    assert "Siti Bendahara" not in elsewhere.get("/finance/deposits/simponi").text
