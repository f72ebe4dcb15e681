"""A shopper comes back before the provider's word: the page checks, asks the provider itself, and gets there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment_request import order_link
from storefront.payments.sandbox_books import choose_outcome
from tests.selling import Shop, open_shop
from tests.taking import Taken, placed

CHECKING = "Memeriksa pembayaran…"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def taken(shop: Shop) -> Taken:
    return placed((shop.batik, 1))


def come_back(client: FlaskClient, session: Session, taken: Taken) -> str:
    """Follow the way back from the payment page; the order's own address."""
    link = order_link(session.get_one(Order, taken.order_id)).removeprefix("http://localhost")
    session.rollback()
    return client.get(f"{link}&waited=0").location


def poll_address(page: str) -> str:
    found = re.search(r'hx-get="([^"]+/status[^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def asked(session: Session) -> int:
    session.rollback()
    query = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'orders.ask_provider'")
    return session.execute(query).scalar_one()


def test_the_page_checks_and_gets_there_though_no_event_comes(
    client: FlaskClient, db_session: Session, taken: Taken, run_jobs: Callable[[], None]
) -> None:
    page = client.get(come_back(client, db_session, taken)).text
    assert CHECKING in page
    poll = poll_address(page)
    assert client.get(poll).status_code == 204
    assert asked(db_session) == 0  # not at once: the event is usually on its way
    choose_outcome(taken.payment_id, "succeeded")
    db_session.execute(text("DELETE FROM sandbox_events"))  # its webhook never comes
    db_session.commit()
    late = re.sub(r"opened=\d+", f"opened={int(time.time()) - 6}", poll)
    assert client.get(late).status_code == 204
    assert client.get(late).status_code == 204
    assert asked(db_session) == 1  # however often the page looks
    run_jobs()
    assert client.get(late).headers["HX-Refresh"] == "true"
    assert "pembayaran Anda sudah kami terima" in client.get(come_back(client, db_session, taken)).text


def test_a_provider_that_knows_nothing_yet_is_not_asked_without_end(
    client: FlaskClient, db_session: Session, taken: Taken, run_jobs: Callable[[], None]
) -> None:
    poll = poll_address(client.get(come_back(client, db_session, taken)).text)
    soon = re.sub(r"opened=\d+", f"opened={int(time.time()) - 6}", poll)
    client.get(soon)
    run_jobs()
    client.get(soon)
    assert asked(db_session) == 1  # within ten seconds of the last answer
    old = re.sub(r"opened=\d+", f"opened={int(time.time()) - 61}", poll)
    stopped = client.get(old).headers["HX-Redirect"]
    page = client.get(stopped).text
    assert CHECKING not in page
    assert "Belum ada kabar dari penyedia pembayaran" in page
    assert "Bayar sekarang" in page
    assert re.search(r'data-until="[^"]+">(59|60)<', page)


def test_without_javascript_the_page_asks_too(client: FlaskClient, db_session: Session, taken: Taken) -> None:
    address = come_back(client, db_session, taken)
    page = client.get(address).text
    for look in (1, 2):
        following = re.search(r'http-equiv="refresh" content="4; url=([^"]+)"', page)
        assert following
        page = client.get(following[1].replace("&amp;", "&")).text
        assert asked(db_session) == (1 if look == 2 else 0)


def test_a_failed_payment_is_not_checked_but_tried_again(
    client: FlaskClient, db_session: Session, taken: Taken
) -> None:
    db_session.execute(text("UPDATE payments SET state = 'failed'"))
    db_session.commit()
    page = client.get(come_back(client, db_session, taken)).text
    assert CHECKING not in page
    assert "Coba bayar lagi" in page


def test_money_that_is_held_is_told_to_the_shopper(
    client: FlaskClient, db_session: Session, taken: Taken
) -> None:
    assert record_payment(taken.payment_id, reference="x", amount=taken.amount + 5) == "held"
    db_session.commit()
    page = client.get(come_back(client, db_session, taken)).text
    assert "dengan jumlah atau mata uang lain daripada yang diminta" in page
    assert "Bayar sekarang" in page  # what was ordered is still held, and can be paid


def test_the_link_of_the_letter_leads_to_paying_again(
    client: FlaskClient, db_session: Session, taken: Taken, run_jobs: Callable[[], None]
) -> None:
    link = order_link(db_session.get_one(Order, taken.order_id)).removeprefix("http://localhost")
    db_session.rollback()
    page = client.get(client.get(link).location).text
    paying = re.search(r'href="http://localhost(/sandbox/payments/[^"]+)"', page)
    assert paying
    assert client.get(paying[1]).status_code == 200
