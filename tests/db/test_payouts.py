"""Payouts: each once, to the central account of that day, never more than the gateway holds."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storefront.books.models import Payout
from storefront.books.payouts import record_payout
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.book import When, cash
from storefront.ledger.cash import NotInTheTill, book_cash_banked
from storefront.ledger.sale import SoldLine, book_sale
from storefront.ledger.shares import LineShare
from tests.factories import make_order
from tests.money_out import Books, close_last_month, open_books
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
#: 2 × 100,000 and 60,000, 10,000 shipping each.
HELD = 280_000


@pytest.fixture
def books(db_session: Any) -> Books:
    return open_books()


def arrived(books: Books, **changes: Any) -> Payout:
    given = {"gateway": "sandbox", "reference": "po_2026_11", "amount": 200_000, "arrived_on": today()}
    return record_payout(**{**given, **changes}, person_id=books.first)


def errors_of(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        call()
    return refused.value.errors


def test_a_payout_moves_money_from_the_gateway_to_the_bank(books: Books) -> None:
    payout = arrived(books)
    assert balance(f"bank:{payout.bank_account_id}") == 200_000
    assert balance("clearing:sandbox") == HELD - 200_000
    sources = db.session.scalars(text("SELECT source FROM journal_entries WHERE kind = 'payout'")).all()
    assert sources == [f"payout:{payout.id}:received"]


def test_a_payout_is_recorded_once(books: Books) -> None:
    arrived(books, amount=1_000)
    assert (
        "sudah dicatat"
        in errors_of(lambda: arrived(books, amount=1_000, reference=" po_2026_11 "))["reference"]
    )


def test_a_payout_is_never_more_than_the_gateway_holds(books: Books) -> None:
    found = errors_of(lambda: arrived(books, amount=HELD + 1))
    assert "280.000" in found["amount"]
    arrived(books, amount=HELD)
    assert balance("clearing:sandbox") == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"gateway": "nobody"}, "gateway"),
        ({"reference": "x"}, "reference"),
        ({"arrived_on": datetime.date(2099, 1, 1)}, "arrived_on"),
        # No account was registered then.
        ({"arrived_on": datetime.date(2019, 1, 1)}, "arrived_on"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    books: Books, changes: dict[str, Any], field: str
) -> None:
    assert set(errors_of(lambda: arrived(books, **changes))) == {field}
    assert balance("clearing:sandbox") == HELD


def test_nothing_arrives_in_a_closed_month(books: Books) -> None:
    close_last_month(books)
    last = today().replace(day=1) - datetime.timedelta(days=1)
    assert "sudah ditutup" in errors_of(lambda: arrived(books, arrived_on=last))["arrived_on"]


def test_the_database_takes_payouts_to_the_central_office_alone(books: Books) -> None:
    insert = text(
        "INSERT INTO payouts (gateway, reference, amount, bank_account_id, arrived_on)"
        " SELECT 'sandbox', 'po_x', 1, id, current_date FROM bank_accounts WHERE facility_id IS NOT NULL LIMIT 1"
    )
    with pytest.raises(DBAPIError, match="central office"), db.session.begin_nested():
        db.session.execute(insert)
    arrived(books)
    db.session.commit()
    with pytest.raises(DBAPIError):
        db.session.execute(text("UPDATE payouts SET amount = 1"))


def test_two_payouts_at_once_never_take_more_than_there_is(books: Books, app: Flask) -> None:
    db.session.commit()

    def record(reference: str) -> Callable[[], int]:
        def call() -> int:
            with app.app_context():
                payout = arrived(books, reference=reference, amount=200_000)
                db.session.commit()
                return payout.id

        return call

    answers = at_once([record(f"po_{number}") for number in range(4)])
    assert len([answer for answer in answers if isinstance(answer, int)]) == 1
    assert all(isinstance(answer, int | Invalid) for answer in answers)
    assert balance("clearing:sandbox") == HELD - 200_000


def test_cash_is_a_sale_like_any_and_lies_in_the_till_until_it_is_banked(books: Books) -> None:
    order = make_order((books.shop.tempeh, 1))
    line = order.lines[0]
    shares = tuple(
        LineShare(n, books.funds[code], code, points, amount)
        for n, (code, points, amount) in enumerate(
            [("premium", 5000, 7_500), ("working_capital", 3500, 5_250), ("state_revenue", 1500, 2_250)],
            start=1,
        )
    )
    entry = book_sale(
        "cash-payment-1", "cash", [SoldLine(line.id, line.facility_id, "PKL", shares)], [],
        order_id=order.id, when=When(on=today()), paid_into=cash("pameran-jakarta"), person_id=books.first,
    )  # fmt: skip
    till = cash("pameran-jakarta").code
    assert till == "cash:pameran_jakarta"
    assert balance(till) == 15_000
    source = db.session.scalar(text("SELECT source FROM journal_entries WHERE id = :id"), {"id": entry})
    assert source == "payment:cash-payment-1:captured"
    account = arrived(books).bank_account_id
    with pytest.raises(NotInTheTill) as refused:
        book_cash_banked(1, "pameran-jakarta", 15_001, account, on=today(), person_id=books.first)
    assert "15.000" in str(refused.value.message)
    book_cash_banked(1, "pameran-jakarta", 15_000, account, on=today(), person_id=books.first)
    assert (balance(till), balance(f"bank:{account}")) == (0, 215_000)
