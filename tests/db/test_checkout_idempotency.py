"""One key, one order, however many calls come at once. (Dying halfway: test_crash_points.py.)"""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.cart import carts
from storefront.errors import CartClosed
from storefront.extensions import db
from tests.selling import Shop, cart_with, open_shop, order_of
from tests.threads import at_once


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def counts(session: Session) -> tuple[int, int, int, int]:
    """Orders, payments, keys and reserved pieces."""
    row = session.execute(
        text("""SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM payments),
                       (SELECT count(*) FROM idempotency_keys), (SELECT sum(reserved) FROM stock_levels)""")
    ).one()
    return tuple(int(value) for value in row)  # type: ignore[return-value]


def test_twelve_calls_with_one_key_get_one_answer(shop: Shop, wide_app: Flask, db_session: Session) -> None:
    cart_id = cart_with(("PKL-BATIK", 2))
    answers = at_once([order_of(wide_app, cart_id, "key-1")] * 12)
    assert isinstance(answers[0], tuple), answers
    assert len(set(answers)) == 1, answers
    assert counts(db_session) == (1, 1, 1, 2)


def test_twelve_calls_with_twelve_keys_give_one_order(shop: Shop, wide_app: Flask, db_session: Session) -> None:
    cart_id = cart_with(("PKL-BATIK", 2))
    answers = at_once([order_of(wide_app, cart_id, f"key-{number}") for number in range(12)])
    assert sum(isinstance(answer, tuple) for answer in answers) == 1
    assert sum(isinstance(answer, CartClosed) for answer in answers) == 11
    assert counts(db_session) == (1, 1, 1, 2)


def test_without_the_carts_lock_the_calls_race(
    shop: Shop, wide_app: Flask, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is what makes the second call wait: without it only the key's uniqueness is left to fail on."""
    cart_id = cart_with(("PKL-BATIK", 1))
    together = Barrier(4)

    def unlocked(cart_id: int) -> Any:
        cart = db.session.get(carts.Cart, cart_id)
        with suppress(BrokenBarrierError):
            together.wait(timeout=30)
        return cart

    monkeypatch.setattr(carts, "lock", unlocked)
    answers = at_once([order_of(wide_app, cart_id, "key-1")] * 4)
    assert any(isinstance(answer, IntegrityError) for answer in answers), answers
    assert counts(db_session) == (1, 1, 1, 1)
