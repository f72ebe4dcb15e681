"""Bad input on the pages of the books: a sentence beside the field, nothing booked, nothing typed lost."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.books import settle
from storefront.books.models import Correction, Payout, PremiumDistribution, Settlement
from storefront.books.settle import Wish
from storefront.extensions import db
from storefront.facilities.models import Workshop
from tests.money_out import Books, close_last_month, open_books, settled
from tests.staff import make_account, post, sign_in


def today() -> str:
    """The accounting day as forms send it."""
    return days.today().isoformat()


def last_month() -> str:
    return (days.today().replace(day=1) - datetime.timedelta(days=1)).isoformat()


@pytest.fixture
def books(db_session: DbSession) -> Books:
    return open_books()


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


def forms(books: Books) -> dict[str, tuple[str, dict[str, Any], type]]:
    """A good form for each thing with a day and an amount: its address, what is written, what it makes."""
    query = select(Workshop.id).where(Workshop.facility_id == books.pekalongan).limit(1)
    workshop = db.session.scalars(query).one()
    return {
        "payout": (
            "/finance/payouts",
            {"gateway": "sandbox", "reference": "po_1", "amount": "9.000", "arrived_on": today()},
            Payout,
        ),
        "correction": (
            "/finance/corrections/new",
            {
                "reason": "Salah catat, lihat surat bank",
                "effective_date": today(),
                "account-1": "clearing:sandbox",
                "credit-1": "9.000",
                "account-2": "corrections:difference",
                "debit-2": "9.000",
            },
            Correction,
        ),
        "distribution": (
            "/finance/distributions",
            {"workshop": str(workshop), "distributed_on": today(), "people": "5", "amount": "9.000"},
            PremiumDistribution,
        ),
    }


def beside(page: str, field: str) -> str:
    """The sentence that a field is tied to."""
    found = re.search(rf'id="f-{field}-error">.*?<span>(.*?)</span>', page, re.DOTALL)
    assert found, f"no sentence beside {field}"
    return found[1]


def number_of(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("thing", ["payout", "correction", "distribution"])
def test_the_good_form_is_taken(finance: FlaskClient, books: Books, thing: str) -> None:
    settled(books, "premium", 50_000, "TRX-1")
    db.session.commit()
    address, form, model = forms(books)[thing]
    assert post(finance, address, form).status_code == 303
    assert number_of(model) == 1


@pytest.mark.parametrize(
    ("thing", "field"),
    [("payout", "arrived_on"), ("correction", "effective_date"), ("distribution", "distributed_on")],
)
def test_a_day_in_a_closed_month(finance: FlaskClient, books: Books, thing: str, field: str) -> None:
    settled(books, "premium", 50_000, "TRX-1")
    close_last_month(books)
    db.session.commit()
    address, form, model = forms(books)[thing]
    answer = post(finance, address, {**form, field: last_month()})
    assert answer.status_code in (409, 422)
    assert "sudah ditutup" in beside(answer.text, field)
    assert number_of(model) == 0
    for value in {**form, field: last_month()}.values():
        assert f'value="{value}"' in answer.text or f">{value}</textarea>" in answer.text


@pytest.mark.parametrize(
    ("thing", "changes", "field"),
    [
        ("payout", {"amount": "0"}, "amount"),
        ("payout", {"amount": "-5"}, "amount"),
        ("payout", {"amount": "1,5"}, "amount"),
        ("correction", {"credit-1": "0", "debit-2": "0"}, "legs"),
        ("correction", {"credit-1": "9.001"}, "legs"),
        ("distribution", {"amount": "0"}, "amount"),
        ("distribution", {"amount": "50.001"}, "amount"),
    ],
)
def test_an_amount_that_cannot_be(
    finance: FlaskClient, books: Books, thing: str, changes: dict[str, str], field: str
) -> None:
    settled(books, "premium", 50_000, "TRX-1")
    db.session.commit()
    address, form, model = forms(books)[thing]
    answer = post(finance, address, {**form, **changes})
    assert answer.status_code in (409, 422)
    assert beside(answer.text, field)
    assert number_of(model) == 0
    for value in changes.values():
        assert f'value="{value}"' in answer.text


def test_a_settlement_of_nothing_and_of_too_much(finance: FlaskClient, books: Books) -> None:
    for written in ("0", "100.001"):
        answer = post(
            finance, "/finance/settlements/new", {"pick": "PKL-premium", "PKL-premium": written, "note": "Nota 7"}
        )
        assert answer.status_code in (409, 422)
        assert beside(answer.text, "PKL-premium")
        assert f'value="{written}"' in answer.text
        assert 'value="Nota 7"' in answer.text
    assert number_of(Settlement) == 0


def test_whoever_comes_second_reads_that_it_was_decided(app: Flask, finance: FlaskClient, books: Books) -> None:
    wish = Wish(books.pekalongan, books.funds["premium"], 10_000)
    (settlement,) = settle.propose([wish], person_id=books.first)
    db.session.commit()
    address = f"/finance/settlements/{settlement.id}/approve"
    other = sign_in(app.test_client(), make_account("head", facilities=(books.shop.pekalongan,)))
    assert post(other, f"/seller/PKL/settlements/{settlement.id}/approve").status_code == 303
    late = post(finance, address)
    assert late.status_code == 409
    assert "sudah diputuskan" in late.text
    assert "Disetujui" in late.text  # and how it stands now
