"""The path to a month's end: what each step counts, where it leads, and how every page leads back."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.books import deposit, settle
from storefront.books.settle import Wish
from storefront.closing import month_path
from storefront.closing.checklist import checklist
from tests.money_out import Books, open_books
from tests.staff import make_account, sign_in


@pytest.fixture
def books(db_session: DbSession) -> Books:
    return open_books()


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


def this_month() -> datetime.date:
    return days.today().replace(day=1)


def facts() -> dict[str, tuple[int, int | None]]:
    """What the path of this month names as missing or known."""
    found = month_path.path(this_month(), checklist(this_month()))
    return {fact.code: (fact.number, fact.amount) for step in found for fact in (*step.missing, *step.known)}


def test_each_step_says_what_is_missing_with_counts_and_sums(books: Books) -> None:
    assert [step.code for step in month_path.path(this_month(), [])] == list(month_path.MISSING)
    before = facts()
    assert "settlements_proposed" not in before
    number, free = before["settlements_free"]
    found = settle.propose(
        [Wish(books.pekalongan, books.funds["premium"], 30_000), Wish(books.ambon, books.funds["premium"], 20_000)],
        person_id=books.first,
    )
    assert facts()["settlements_proposed"] == (2, 50_000)
    assert facts()["settlements_free"] == (number, (free or 0) - 50_000)
    settle.approve([one.id for one in found], books.second)
    assert facts()["settlements_approved"] == facts()["settlements_no_file"] == (2, 50_000)
    one = deposit.propose(books.pekalongan, person_id=books.first)
    assert facts()["deposits_proposed"] == (1, one.amount)
    deposit.approve(one.id, books.second)
    assert facts()["deposits_no_code"] == (1, one.amount)


def test_every_page_leads_back_to_the_month(app: Flask, books: Books, finance: FlaskClient) -> None:
    last = days.today().replace(day=1) - datetime.timedelta(days=1)
    address = f"/finance/periods/{last:%Y-%m}"
    assert address not in finance.get("/finance/settlements").text.partition("<h1>")[0]
    page = finance.get(address)
    assert 'id="jalan"' in page.text
    assert any("month_end" in one and "HttpOnly" in one for one in page.headers.getlist("Set-Cookie"))
    assert address in finance.get("/finance/settlements").text.partition("<h1>")[0]
    assert address in finance.get("/finance/deposits").text.partition("<h1>")[0]
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert not any("month_end" in one for one in auditor.get(address).headers.getlist("Set-Cookie"))
    finance.set_cookie("month_end", "2026-13", path="/finance")
    assert finance.get("/finance/settlements").status_code == 200
