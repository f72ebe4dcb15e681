"""The hold on an unpaid order: warned of, extended once by its shopper, and never after its end."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.expire import expire_unpaid
from storefront.orders.extend import HoldNotExtended, extend_hold, hold_of
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.payment_events import payment_expired
from storefront.orders.payment_request import order_link
from storefront.orders.views import order_status
from storefront.payments.models import Payment
from storefront.stock.levels import available
from tests.banking import ask_for_transfer, open_bank
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import Shop, open_shop
from tests.taking import Taken, placed
from tests.threads import at_once, while_held

MINUTE = datetime.timedelta(minutes=1)
BUTTON = "Tahan 30 menit lagi"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def taken(shop: Shop) -> Taken:
    return placed((shop.batik, 2))


def order_of(taken: Taken) -> Order:
    return db.session.get_one(Order, taken.order_id, populate_existing=True)


def ends_in(taken: Taken, when: str) -> None:
    """The hold, and the page with it, end at `when` from now."""
    for table, column in (("orders", "id"), ("payments", "order_id")):
        db.session.execute(
            text(
                f"UPDATE {table} SET expires_at = clock_timestamp() + CAST(:when AS interval) WHERE {column} = :id"
            ),
            {"when": when, "id": taken.order_id},
        )
    db.session.commit()


def test_pieces_stay_held_for_half_an_hour_more_and_the_page_with_them(shop: Shop, taken: Taken) -> None:
    before = order_of(taken).expires_at
    assert extend_hold(order_of(taken)) == before + 30 * MINUTE
    db.session.commit()
    assert (
        db.session.get_one(Payment, taken.payment_id, populate_existing=True).expires_at
        == before + 30 * MINUTE
    )
    assert available([shop.batik.id]) == {shop.batik.id: 3}
    (told,) = db.session.execute(
        text("SELECT subject_id, details FROM audit_events WHERE action = 'order.hold_extended'")
    )
    assert told.subject_id == str(taken.order_id)


def test_a_second_time_is_refused_by_the_rule_and_by_the_database(taken: Taken) -> None:
    until = extend_hold(order_of(taken))
    db.session.commit()
    with pytest.raises(HoldNotExtended):
        extend_hold(order_of(taken))
    db.session.rollback()
    with pytest.raises(DBAPIError, match="extended once"):
        db.session.execute(
            text("UPDATE orders SET hold_extended_at = now(), expires_at = now() + interval '1 day'")
        )
    db.session.rollback()
    assert order_of(taken).expires_at == until


@pytest.mark.parametrize("state", ["over", "expired", "paid", "cancelled"])
def test_what_is_over_or_paid_is_not_extended(taken: Taken, state: str) -> None:
    if state in ("over", "expired"):
        ends_in(taken, "-1 second")
    if state == "expired":
        assert expire_unpaid() == 1
    if state == "paid":
        db.session.execute(text("UPDATE orders SET state = 'paid', paid_at = now()"))
    if state == "cancelled":
        db.session.execute(text("UPDATE orders SET state = 'cancelled', closed_at = now()"))
    db.session.commit()
    assert hold_of(order_of(taken)) is None
    with pytest.raises(HoldNotExtended):
        extend_hold(order_of(taken))


def test_the_end_comes_after_all(shop: Shop, taken: Taken) -> None:
    extend_hold(order_of(taken))
    db.session.commit()
    ends_in(taken, "-1 second")
    assert expire_unpaid() == 1
    assert available([shop.batik.id]) == {shop.batik.id: 5}


def test_an_order_paid_by_transfer_is_held_a_day_more_and_its_code_counts_as_long(
    db_session: Session,
) -> None:
    books, _account = open_bank()
    asked = ask_for_transfer((books.shop.batik, 1))
    until = asked.order.expires_at + datetime.timedelta(days=1)
    hold = hold_of(asked.order)
    assert hold is not None
    assert asked.order.expires_at - hold.warn_at == datetime.timedelta(days=1)
    assert extend_hold(asked.order) == until
    db.session.commit()
    db.session.refresh(asked.payment)
    assert asked.payment.expires_at == until


def test_a_page_that_cannot_follow_ends_without_its_order(
    shop: Shop, taken: Taken, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.extensions["gateways"]["sandbox"], "pages_follow", False)
    ends_in(taken, "4 minutes")
    extend_hold(order_of(taken))
    db.session.commit()
    assert payment_expired(taken.payment_id) == "expired"
    db.session.commit()
    assert order_status(taken.order_id)[0] == "awaiting_payment"
    second = open_payment(order_of(taken))
    db.session.commit()
    assert start_payment(second.id).url
    # The second page ends too, and nobody has it held longer: now the order ends.
    ends_in(taken, "-1 second")
    assert payment_expired(second.id) == "order_expired"


def test_news_of_a_page_that_outlived_itself_may_never_come(shop: Shop, taken: Taken) -> None:
    extend_hold(order_of(taken))
    db.session.execute(text("UPDATE payments SET expires_at = now() - interval '1 second'"))
    db.session.commit()
    assert expire_unpaid() == 0
    assert db.session.get_one(Payment, taken.payment_id, populate_existing=True).state == "expired"
    assert order_status(taken.order_id)[0] == "awaiting_payment"
    assert available([shop.batik.id]) == {shop.batik.id: 3}


def test_two_presses_at_once_extend_it_once(
    shop: Shop, taken: Taken, wide_app: Flask, database: Clone
) -> None:
    before = order_of(taken).expires_at
    db.session.rollback()

    def press() -> datetime.datetime:
        with wide_app.app_context():
            until = extend_hold(db.session.get_one(Order, taken.order_id))
            db.session.commit()
            return until

    answers = while_held(
        database.addresses[SUPERUSER],
        f"SELECT 1 FROM orders WHERE id = {taken.order_id} FOR UPDATE",
        [press] * 3,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["HoldNotExtended"] * 2 + ["datetime"]
    assert order_of(taken).expires_at == before + 30 * MINUTE


@pytest.mark.parametrize("first", ["press", "job"])
def test_asked_for_in_the_last_moment_it_is_extended_or_ended_and_never_both(
    shop: Shop, taken: Taken, wide_app: Flask, database: Clone, first: str
) -> None:
    """The press comes in time and waits for the order's row; the job finds the order due, and waits too."""
    ends_in(taken, "0.4 seconds")
    until_due = text("SELECT pg_sleep_until(expires_at) FROM orders WHERE id = :id")

    def press() -> object:
        with wide_app.app_context():
            order = db.session.get_one(Order, taken.order_id)
            if first == "job":
                db.session.execute(until_due, {"id": taken.order_id})
            until = extend_hold(order)
            db.session.commit()
            return until

    def job() -> int:
        with wide_app.app_context():
            db.session.execute(until_due, {"id": taken.order_id})
            db.session.rollback()
            return expire_unpaid()

    if first == "press":
        lock = f"SELECT 1 FROM orders WHERE id = {taken.order_id} FOR UPDATE"
        extended, ended = while_held(database.addresses[SUPERUSER], lock, [press, job])
        assert isinstance(extended, datetime.datetime), extended
        assert ended == 0
        assert order_status(taken.order_id)[0] == "awaiting_payment"
        assert available([shop.batik.id]) == {shop.batik.id: 3}
        # Its page was closed in the meantime: another one can be opened.
        assert db.session.get_one(Payment, taken.payment_id, populate_existing=True).state == "expired"
        assert open_payment(order_of(taken)).id != taken.payment_id
    else:
        extended, ended = at_once([press, job])
        assert isinstance(extended, HoldNotExtended)
        assert ended == 1
        assert available([shop.batik.id]) == {shop.batik.id: 5}


def open_page(client: FlaskClient, taken: Taken) -> str:
    link = order_link(order_of(taken)).removeprefix("http://localhost")
    db.session.rollback()
    return client.get(client.get(link).location).text


def test_the_page_warns_five_minutes_before_and_one_press_is_enough(
    client: FlaskClient, taken: Taken
) -> None:
    page = open_page(client, taken)
    warning = re.search(r'data-warn="([^"]+)"><div hidden>', page)
    assert warning
    assert datetime.datetime.fromisoformat(warning[1]) == order_of(taken).expires_at - 5 * MINUTE
    # Without JavaScript the page comes again when it is time to warn.
    wait = re.search(r'<noscript><meta http-equiv="refresh" content="(\d+)"></noscript>', page)
    assert wait
    assert 54 * 60 < int(wait[1]) <= 55 * 60 + 1
    ends_in(taken, "4 minutes")
    page = open_page(client, taken)
    assert 'data-warn="' in page
    assert "<div hidden>" not in page
    assert BUTTON in page
    action = re.search(r'action="([^"]+/hold)"', page)
    assert action
    answer = client.post(action[1])
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert BUTTON not in page
    assert re.search(r'data-until="[^"]+">3[34]<', page)
    refused = client.post(action[1])
    assert refused.status_code == 409
    assert "sudah pernah diperpanjang" in refused.text


def test_only_who_holds_the_order_may_extend_it(client: FlaskClient, taken: Taken) -> None:
    number = order_of(taken).number
    make_person()
    db.session.commit()
    assert client.post(f"/orders/{number}/hold").status_code == 404
    assert order_of(taken).hold_extended_at is None
