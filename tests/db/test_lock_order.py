"""Locks are taken in one order, the order's row before its payment's, so that no two jobs wait for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.expire import close_payment_pages
from storefront.orders.mark_paid import record_payment
from storefront.orders.payment_events import apply_to_order
from storefront.orders.refund import send_refund
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import Payment
from storefront.payments.sandbox_books import choose_outcome
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import propose
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import Shop, open_shop
from tests.taking import Taken, placed


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def paid(shop: Shop, *, can_refund: bool = True) -> Taken:
    """A paid order."""
    taken = placed((shop.batik, 1))
    choose_outcome(taken.payment_id, "succeeded", can_refund=can_refund)
    record_payment(taken.payment_id, reference=taken.payment_id, amount=taken.amount)
    db.session.commit()
    return taken


def refund_of(taken: Taken) -> int:
    line = db.session.execute(
        text("SELECT id FROM order_lines WHERE order_id = :id"), {"id": taken.order_id}
    ).scalar_one()
    refund = propose(taken.order_id, [LineWish(line, 1)], reason="returned", person_id=make_person().id)
    refund_id = refund.id
    db.session.commit()
    return refund_id


Act = Callable[[], object]


def a_fee(shop: Shop) -> tuple[Taken, Act]:
    taken = paid(shop)
    return taken, lambda: book_fee(taken.payment_id, 500)


def a_dispute(shop: Shop) -> tuple[Taken, Act]:
    taken = paid(shop)
    return taken, lambda: record_dispute(taken.payment_id, "du_1", 1_000, "opened")


def a_refund(shop: Shop) -> tuple[Taken, Act]:
    taken = paid(shop)
    refund_id = refund_of(taken)
    return taken, lambda: send_refund(refund_id)


def a_refused_refund(shop: Shop) -> tuple[Taken, Act]:
    taken = paid(shop, can_refund=False)
    refund_id = refund_of(taken)
    return taken, lambda: send_refund(refund_id)


def a_page_that_was_paid(shop: Shop) -> tuple[Taken, Act]:
    taken = placed((shop.batik, 1))
    choose_outcome(taken.payment_id, "succeeded")
    db.session.commit()
    return taken, lambda: close_payment_pages(taken.order_id)


def money_under_way(shop: Shop) -> tuple[Taken, Act]:
    taken = placed((shop.batik, 1))
    event = ProviderEvent(EventKind.PAYMENT_PENDING, taken.payment_id, taken.payment_id, taken.amount)
    return taken, lambda: apply_to_order(event)


@pytest.mark.parametrize(
    "case", [a_fee, a_dispute, a_refund, a_refused_refund, a_page_that_was_paid, money_under_way]
)
def test_who_waits_for_an_order_does_not_hold_its_payment(
    case: Callable[[Shop], tuple[Taken, Act]], shop: Shop, wide_app: Flask, database: Clone
) -> None:
    taken, act = case(shop)
    db.session.rollback()
    failed: list[BaseException] = []

    def committed() -> None:
        with wide_app.app_context():
            try:
                act()
                db.session.commit()
            except Exception as error:
                failed.append(error)

    waits = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""
    thread = threading.Thread(target=committed)
    with psycopg.connect(database.addresses[SUPERUSER]) as holder:
        holder.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", [taken.order_id])
        thread.start()
        deadline = time.monotonic() + 30
        with psycopg.connect(database.addresses[SUPERUSER], autocommit=True) as watch:
            while watch.execute(waits).fetchone() != (1,):
                assert time.monotonic() < deadline, f"it never waited for the order: {failed}"
        # Whoever has the order comes to the payment, and must not find it held by one who waits for the order.
        holder.execute("SELECT FROM payments WHERE id = %s FOR UPDATE NOWAIT", [taken.payment_id])
    thread.join(30)
    assert failed == []
    assert db.session.scalar(select(Payment.state).where(Payment.id == taken.payment_id)) is not None
