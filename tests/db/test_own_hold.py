"""A shopper's own unpaid order never stands in their way: the new one takes its place, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.cart import checkout, lines, own_holds, replace
from storefront.cart.replace import NotReplaced
from storefront.cart.request import read_request
from storefront.embedded import SUPERUSER
from storefront.errors import OutOfStock, TooManyUnpaid
from storefront.extensions import db
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.payments.sandbox_books import choose_outcome
from tests.clones import Clone
from tests.money_out import broken
from tests.selling import Shop, body, cart_with, open_shop
from tests.taking import Taken, placed
from tests.threads import at_once, while_held

Call = Callable[[], str]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def hold_of(order_id: int) -> list[own_holds.OwnHold]:
    return own_holds.holds_of([db.session.get_one(Order, order_id, populate_existing=True)])


def second_cart(old: Taken, sku: str = "NML-MADU", quantity: int = 3) -> int:
    """A cart that wants what the old order holds."""
    cart_id = cart_with(("PKL-KURSI", 1))
    lines.add(cart_id, sku, quantity, own=own_holds.pieces_of(hold_of(old.order_id)))
    db.session.commit()
    return cart_id


def replacing(app: Flask, cart_id: int, old: Taken, key: str = "key") -> Call:
    """A call that orders the cart in place of the old order, as the page does; gives the new order's number."""

    def call() -> str:
        with app.app_context():
            holds = hold_of(old.order_id)
            replace.close_pages(holds)
            result = checkout.check_out(cart_id, read_request(body()), key, locale="id", replaces=holds)
            number: str = result.order.number
            db.session.commit()
            return number

    return call


def paying(app: Flask, old: Taken) -> Call:
    def call() -> str:
        with app.app_context():
            done = record_payment(old.payment_id, reference=old.payment_id, amount=old.amount)
            db.session.commit()
            return done

    return call


def state(order_id: int) -> str:
    db.session.rollback()
    found: str = db.session.execute(text("SELECT state FROM orders WHERE id = :id"), {"id": order_id}).scalar_one()
    return found


def reserved(sku: str) -> int:
    found: int = db.session.execute(
        text("SELECT reserved FROM stock_levels JOIN variants v ON v.id = variant_id WHERE sku = :sku"), {"sku": sku}
    ).scalar_one()
    return found


def test_the_last_pieces_come_from_the_old_order_into_the_new_one(shop: Shop, wide_app: Flask) -> None:
    old = placed((shop.honey, 3))
    cart_id = second_cart(old)
    with pytest.raises(OutOfStock):
        checkout.check_out(cart_id, read_request(body()), "alone", locale="id")
    db.session.rollback()
    call = replacing(wide_app, cart_id, old)
    number = call()
    assert (state(old.order_id), reserved("NML-MADU"), broken()) == ("cancelled", 3, {})
    # Sent twice it is the same order, though the old one is long gone.
    with wide_app.app_context():
        assert checkout.check_out(cart_id, read_request(body()), "key", locale="id").order.number == number
    # Money that was on its way for the old order after all goes back in full.
    assert paying(wide_app, old)() == "paid_too_late"
    amount = db.session.execute(text("SELECT amount FROM refunds WHERE order_id = :id"), {"id": old.order_id})
    assert (amount.scalar_one(), broken()) == (old.amount, {})


def test_a_refused_order_leaves_the_old_one_as_it_was(shop: Shop, wide_app: Flask) -> None:
    old = placed((shop.honey, 3))
    cart_id = second_cart(old)
    db.session.execute(text("UPDATE variants SET price = price + 1 WHERE sku = 'PKL-KURSI'"))
    db.session.commit()
    (answer,) = at_once([replacing(wide_app, cart_id, old)])
    assert isinstance(answer, Exception)
    assert (state(old.order_id), reserved("NML-MADU")) == ("awaiting_payment", 3)


def test_an_order_that_its_provider_says_is_paid_is_not_replaced(shop: Shop, wide_app: Flask) -> None:
    old = placed((shop.honey, 3))
    cart_id = second_cart(old)
    choose_outcome(old.payment_id, "succeeded")
    db.session.commit()
    (answer,) = at_once([replacing(wide_app, cart_id, old)])
    assert isinstance(answer, NotReplaced)
    assert (state(old.order_id), broken()) == ("paid", {})


def test_a_payment_and_a_replacement_at_once_have_one_winner(
    shop: Shop, wide_app: Flask, database: Clone
) -> None:
    old = placed((shop.honey, 3))
    cart_id = second_cart(old)
    # The page is closed already when the money's news arrives: the narrowest moment there is.
    replace.close_pages(hold_of(old.order_id))

    def order() -> str:
        with wide_app.app_context():
            result = checkout.check_out(
                cart_id, read_request(body()), "key", locale="id", replaces=hold_of(old.order_id)
            )
            number: str = result.order.number
            db.session.commit()
            return number

    row = f"SELECT FROM orders WHERE id = {old.order_id} FOR UPDATE"
    new, paid = while_held(database.addresses[SUPERUSER], row, [order, paying(wide_app, old)])
    refunds = db.session.scalars(text("SELECT amount FROM refunds")).all()
    orders = db.session.scalar(text("SELECT count(*) FROM orders"))
    if paid == "paid":
        assert isinstance(new, NotReplaced)
        assert (state(old.order_id), orders, refunds) == ("paid", 1, [])
    else:
        assert (paid, isinstance(new, str)) == ("paid_too_late", True)
        assert (state(old.order_id), orders, refunds) == ("cancelled", 2, [old.amount])
    assert broken() == {}


def test_a_payment_first_leaves_nothing_to_replace(shop: Shop, wide_app: Flask) -> None:
    old = placed((shop.honey, 3))
    cart_id, holds = second_cart(old), hold_of(old.order_id)
    assert paying(wide_app, old)() == "paid"
    with pytest.raises(NotReplaced):
        checkout.check_out(cart_id, read_request(body()), "key", locale="id", replaces=holds)
    db.session.rollback()


def test_two_carts_replace_one_order_once(shop: Shop, wide_app: Flask) -> None:
    old = placed((shop.honey, 3))
    carts = [second_cart(old) for _ in range(4)]
    answers = at_once([replacing(wide_app, cart_id, old) for cart_id in carts])
    assert sum(isinstance(answer, str) for answer in answers) == 1, answers
    assert (state(old.order_id), reserved("NML-MADU"), broken()) == ("cancelled", 3, {})


def test_replacing_crosswise_never_locks_up(shop: Shop, wide_app: Flask) -> None:
    """Each holds what the other wants as well: levels are locked in one order over old and new."""
    honey, batik = placed((shop.honey, 1)), placed((shop.batik, 1))
    mine, theirs = second_cart(honey, "PKL-BATIK", 2), second_cart(batik, "NML-MADU", 2)
    answers = at_once([replacing(wide_app, mine, honey), replacing(wide_app, theirs, batik)])
    assert all(isinstance(answer, str) for answer in answers), answers
    assert (reserved("NML-MADU"), reserved("PKL-BATIK"), broken()) == (2, 2, {})


def test_a_fourth_order_may_take_the_place_of_one_of_three(shop: Shop, wide_app: Flask) -> None:
    for number in range(3):
        with wide_app.app_context():
            checkout.check_out(cart_with(("PKL-KURSI", 1)), read_request(body()), f"k{number}", locale="id")
            db.session.commit()
    cart_id = cart_with(("PKL-KURSI", 1))
    with pytest.raises(TooManyUnpaid):
        checkout.check_out(cart_id, read_request(body()), "fourth", locale="id")
    db.session.rollback()
    first = db.session.scalars(text("SELECT id FROM orders ORDER BY id LIMIT 1")).one()
    holds = hold_of(first)
    replace.close_pages(holds)
    checkout.check_out(cart_id, read_request(body()), "fourth", locale="id", replaces=holds)
    db.session.commit()
    assert state(first) == "cancelled"
