"""Three unpaid orders at a time, also for somebody who presses ten buttons at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront.cart import unpaid
from storefront.errors import TooManyUnpaid
from tests.selling import Shop, cart_with, open_shop, order_of
from tests.threads import at_once


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def calls(app: Flask, count: int) -> list[Callable[[], tuple[str, str]]]:
    return [order_of(app, cart_with(("PKL-KURSI", 1)), "key", limit_unpaid=True) for _ in range(count)]


def test_ten_orders_at_once_leave_three(shop: Shop, wide_app: Flask, db_session: Session) -> None:
    answers = at_once(calls(wide_app, 10))
    assert sum(isinstance(answer, tuple) for answer in answers) == 3
    assert sum(isinstance(answer, TooManyUnpaid) for answer in answers) == 7, answers


def test_without_the_lock_more_would_slip_through(
    shop: Shop, wide_app: Flask, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(1000))
    monkeypatch.setattr(unpaid, "_lock_key", lambda name: next(numbers))
    answers = at_once(calls(wide_app, 10))
    assert sum(isinstance(answer, tuple) for answer in answers) > 3
