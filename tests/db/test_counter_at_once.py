"""What two can do at a stand at the same moment, and what the database keeps by itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.counter import close, sell, tills
from storefront.counter.call_off import NotCalledOff, call_off
from storefront.counter.models import CounterConflict, CounterSale, Till, TillSession
from storefront.counter.wish import read_wish
from storefront.errors import OutOfStock
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.payments.models import Refund
from storefront.stock.levels import stand_location_id
from storefront.stock.models import StockLevel
from tests.clones import Clone
from tests.stand import Stand, broken, make_cashier, make_stand, opened
from tests.threads import at_once, while_held


@pytest.fixture
def stand(app: Flask, db_session: Session) -> Stand:
    return make_stand(app)


def selling(
    app: Flask, stand: Stand, sku: str, key: str, cashier: int, *, sold_at: datetime.datetime | None = None
) -> Callable[[], str]:
    """A call that sells one piece and commits; gives the order's number, or the conflict's id."""
    fair_id = stand.fair.id
    wish = read_wish(
        {
            "lines": [{"sku": sku, "quantity": 1}],
            "payment": "cash",
            "tendered": 500_000,
            "till": "Kas 1",
            **({"sold_at": sold_at.isoformat()} if sold_at else {}),
        }
    )

    def call() -> str:
        with app.app_context():
            sold = sell.sell(db.session.get_one(Exhibition, fair_id), wish, key, cashier)
            answer = f"conflict {sold.id}" if isinstance(sold, CounterConflict) else sold.order.number
            db.session.commit()
            return answer

    return call


def test_the_last_piece_goes_to_one_of_two_cashiers(app: Flask, stand: Stand, database: Clone) -> None:
    opened(stand)
    other = make_cashier(stand.fair)
    stand_id = stand_location_id(stand.fair.id)
    held = f"SELECT FROM stock_levels WHERE variant_id = {stand.shop.honey.id} AND location_id = {stand_id} FOR UPDATE"
    calls = [selling(app, stand, "NML-MADU", f"k{n}", who) for n, who in enumerate((stand.cashier.id, other.id))]
    db.session.commit()
    answers = while_held(database.addresses["postgres"], held, calls)
    assert sorted(type(answer).__name__ for answer in answers) == ["OutOfStock", "str"]
    assert any(isinstance(answer, OutOfStock) for answer in answers)
    db.session.expire_all()
    level = db.session.get_one(StockLevel, (stand.shop.honey.id, stand_id))
    assert (level.on_hand, level.reserved) == (0, 0)
    assert broken() == []


def test_of_two_queues_with_the_last_piece_one_becomes_a_conflict(app: Flask, stand: Stand) -> None:
    opened(stand)
    now = datetime.datetime.now(datetime.UTC)
    other = make_cashier(stand.fair)
    calls = [
        selling(app, stand, "NML-MADU", f"q{n}", who, sold_at=now)
        for n, who in enumerate((stand.cashier.id, other.id))
    ]
    db.session.commit()
    answers = at_once(calls)
    assert sorted(str(answer)[:2] for answer in answers) == ["KB", "co"]
    # The phones lost the answers and send all of it again, in order: nothing is added.
    assert at_once([calls[0]]) + at_once([calls[1]]) == answers
    assert db.session.scalar(select(db.func.count()).select_from(Order)) == 1
    assert broken() == []


def test_the_same_key_at_the_same_moment_is_one_sale(app: Flask, stand: Stand) -> None:
    opened(stand)
    call = selling(app, stand, "PKL-BATIK", "the-key", stand.cashier.id)
    db.session.commit()
    answers = at_once([call] * 5)
    assert len(set(answers)) == 1
    assert db.session.scalar(select(db.func.count()).select_from(CounterSale)) == 1


def test_whoever_closes_waits_for_a_sale_and_counts_it(app: Flask, stand: Stand, database: Clone) -> None:
    session_id = opened(stand, opening_float=0)
    cashier, till_id = stand.cashier.id, db.session.get_one(TillSession, session_id).till_id
    now = datetime.datetime.now(datetime.UTC)

    def closing() -> str:
        with app.app_context():
            till = db.session.get_one(Till, till_id)
            close.close_till(till, cashier, counted=0, explanation="Dihitung sebelum penjualan")
            db.session.commit()
            return "closed"

    calls = [selling(app, stand, "PKL-BATIK", "one", cashier, sold_at=now), closing]
    db.session.commit()
    held = f"SELECT FROM till_sessions WHERE id = {session_id} FOR UPDATE"
    answers = while_held(database.addresses["postgres"], held, calls)
    assert not any(isinstance(answer, Exception) for answer in answers), answers
    db.session.expire_all()
    sale = db.session.scalars(select(CounterSale)).one()
    session = db.session.get_one(TillSession, session_id)
    # Whichever came first: the sale is in the count, or on the late list.
    assert session.expected == (0 if sale.is_late else 100_000)
    assert broken() == []


def test_a_sale_that_is_called_off_while_its_money_comes_is_one_or_the_other(
    app: Flask, stand: Stand, database: Clone
) -> None:
    opened(stand)
    wish = read_wish({"lines": [{"sku": "NML-MADU", "quantity": 1}], "payment": "gateway"})
    sold = sell.sell(stand.fair, wish, "by-code", stand.cashier.id)
    assert isinstance(sold, sell.Sold)
    assert sold.payment is not None
    order_id, number, payment_id, total = sold.order.id, sold.order.number, sold.payment.id, sold.order.items_total
    fair_id, cashier_id = stand.fair.id, stand.cashier.id
    db.session.commit()

    def calling_off() -> str:
        with app.app_context():
            call_off(fair_id, number, cashier_id)
            return "called off"

    def money() -> str:
        with app.app_context():
            result = record_payment(payment_id, reference=payment_id, amount=total)
            db.session.commit()
            return result

    held = f"SELECT FROM orders WHERE id = {order_id} FOR UPDATE"
    ended, came = while_held(database.addresses["postgres"], held, [calling_off, money])
    db.session.expire_all()
    order = db.session.get_one(Order, order_id)
    level = db.session.get_one(StockLevel, (stand.shop.honey.id, stand_location_id(fair_id)))
    back = db.session.scalars(select(Refund.amount)).all()
    if ended == "called off":
        assert (order.state, level.on_hand, level.reserved, back) == ("cancelled", 1, 0, [total])
    else:
        assert isinstance(ended, NotCalledOff)
        assert (came, order.state, level.on_hand, level.reserved, back) == ("paid", "paid", 0, 0, [])
    assert broken() == []


def test_two_phones_open_one_till_once(app: Flask, stand: Stand) -> None:
    fair_id, who = stand.fair.id, (stand.cashier.id, make_cashier(stand.fair).id)

    def opening(person_id: int) -> Callable[[], str]:
        def call() -> str:
            with app.app_context():
                tills.open_till(db.session.get_one(Exhibition, fair_id), "Kas 1", 0, person_id)
                db.session.commit()
                return "open"

        return call

    db.session.commit()
    answers = at_once([opening(person_id) for person_id in who])
    assert sorted(type(answer).__name__ for answer in answers) == ["TillOpen", "str"]
    assert db.session.scalar(select(db.func.count()).select_from(TillSession)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE till_sessions SET counted = 1 WHERE closed_at IS NOT NULL",
        "UPDATE till_sessions SET closed_at = NULL, closed_by = NULL, counted = NULL, expected = NULL",
        "UPDATE counter_sales SET tendered = tendered + 1",
        "DELETE FROM counter_sales",
        "INSERT INTO counter_sales (order_id, exhibition_id, session_id, cashier_id, key, request_hash, payment,"
        " sold_at) SELECT 0, exhibition_id, session_id, cashier_id, 'x', request_hash, 'gateway', sold_at"
        " FROM counter_sales",
        "INSERT INTO till_sessions (till_id, exhibition_id, opened_by, opening_float, closed_by, closed_at, counted,"
        " expected) SELECT till_id, exhibition_id, opened_by, 0, opened_by, now(), 5, 6 FROM till_sessions",
    ],
)
def test_the_database_keeps_what_was_counted_and_sold(
    app: Flask, stand: Stand, owner_connection: psycopg.Connection, statement: str
) -> None:
    session_id = opened(stand, opening_float=0)
    selling(app, stand, "PKL-BATIK", "one", stand.cashier.id)()
    till = db.session.get_one(Till, db.session.get_one(TillSession, session_id).till_id)
    close.close_till(till, stand.cashier.id, counted=100_000)
    db.session.commit()
    with pytest.raises((psycopg.Error, DBAPIError)):
        owner_connection.execute(statement)  # type: ignore[call-overload]


def test_the_report_says_what_each_session_took(app: Flask, stand: Stand) -> None:
    opened(stand, opening_float=25_000)
    selling(app, stand, "PKL-BATIK", "one", stand.cashier.id)()
    row = db.session.execute(
        text("SELECT exhibition, opening_float, cash_sales, counted, difference FROM reporting.till_sessions")
    ).one()
    assert tuple(row) == ("pameran-kota", 25_000, 100_000, None, None)
