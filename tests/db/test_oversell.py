"""Nothing oversells: forty shoppers, five pieces, five orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from storefront.errors import OutOfStock
from storefront.extensions import db
from storefront.orders import place
from storefront.stock.models import StockLevel
from storefront.stock.reserve import Wanted
from tests.selling import Shop, cart_with, open_shop, order_of
from tests.threads import at_once


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def held(session: Session) -> tuple[int, int]:
    """Pieces that the level says are reserved, and pieces that orders hold."""
    row = session.execute(
        text("""SELECT (SELECT sum(reserved) FROM stock_levels), (SELECT sum(quantity) FROM reservations)""")
    ).one()
    return int(row[0]), int(row[1] or 0)


def shoppers(app: Flask, count: int, *wishes: tuple[str, int]) -> list[Callable[[], tuple[str, str]]]:
    return [order_of(app, cart_with(*wishes), "key") for _ in range(count)]


def test_five_pieces_go_to_five_of_forty_shoppers(shop: Shop, wide_app: Flask, db_session: Session) -> None:
    answers = at_once(shoppers(wide_app, 40, ("PKL-BATIK", 1)))
    assert sum(isinstance(answer, tuple) for answer in answers) == 5
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 35, answers
    assert held(db_session) == (5, 5)


def test_carts_with_the_same_goods_in_another_order_do_not_wait_for_each_other(
    shop: Shop, wide_app: Flask, db_session: Session
) -> None:
    one = shoppers(wide_app, 3, ("PKL-BATIK", 1), ("NML-MADU", 1))
    other = shoppers(wide_app, 3, ("NML-MADU", 1), ("PKL-BATIK", 1))
    answers = at_once([*one, *other])
    # Three jars of honey: three orders, no deadlock among the rest.
    assert sum(isinstance(answer, tuple) for answer in answers) == 3
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 3, answers
    assert held(db_session) == (6, 6)


def test_without_the_lock_pieces_are_sold_twice(
    shop: Shop, wide_app: Flask, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `reserve` prevents: read, look, write. Each reads the same number of free pieces."""
    together = Barrier(4)

    def reserve_without_lock(wanted: Sequence[Wanted]) -> None:
        for piece in wanted:
            level = StockLevel.variant_id == piece.variant_id, StockLevel.location_id == piece.location_id
            on_hand, reserved = db.session.execute(
                select(StockLevel.on_hand, StockLevel.reserved).where(*level)
            ).one()
            with suppress(BrokenBarrierError):
                together.wait(timeout=30)
            if on_hand - reserved < piece.quantity:
                raise OutOfStock([{"sku": piece.sku}])
            db.session.execute(update(StockLevel).where(*level).values(reserved=reserved + piece.quantity))

    monkeypatch.setattr(place, "reserve", reserve_without_lock)
    answers = at_once(shoppers(wide_app, 4, ("PKL-BATIK", 5)))
    assert sum(isinstance(answer, tuple) for answer in answers) > 1, answers
    on_the_shelf, promised = held(db_session)
    assert promised > on_the_shelf == 5
