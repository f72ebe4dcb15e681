"""Two tabs and two devices on one cart at the same moment: no line is lost, and none is there twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.cart import carts, checkout, kept, lines, merge
from storefront.cart.request import read_request
from storefront.embedded import SUPERUSER
from storefront.errors import CartClosed
from storefront.extensions import db
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import Shop, body, cart_with, open_shop
from tests.threads import while_held


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def lying(table: str = "cart_lines") -> dict[str, int]:
    """SKU → pieces, all carts together."""
    db.session.rollback()
    query = f"SELECT v.sku, sum(l.quantity) FROM {table} l JOIN variants v ON v.id = l.variant_id GROUP BY 1"
    return {sku: int(quantity) for sku, quantity in db.session.execute(text(query))}


def doing(app: Flask, rule: Callable[[], object]) -> Callable[[], object]:
    """A call in a request of its own that commits."""

    def call() -> object:
        with app.app_context():
            done = rule()
            db.session.commit()
            return done

    return call


def together(app: Flask, database: Clone, cart_id: int, *rules: Callable[[], object]) -> list[object]:
    """Run `rules` while each of them waits for the cart, so that they overlap for certain; what each gave or raised."""
    row = f"SELECT FROM carts WHERE id = {cart_id} FOR UPDATE"
    return list(while_held(database.addresses[SUPERUSER], row, [doing(app, rule) for rule in rules]))


def test_two_tabs_change_one_cart(shop: Shop, wide_app: Flask, database: Clone) -> None:
    cart = cart_with(("PKL-KURSI", 2), ("NML-MADU", 1))
    # Adding adds up; the same undo, saving or putting back pressed in both tabs happens once.
    together(wide_app, database, cart, *[lambda: lines.add(cart, "PKL-TEMPE", 1)] * 3)
    assert lying() == {"PKL-KURSI": 2, "NML-MADU": 1, "PKL-TEMPE": 3}
    done = together(wide_app, database, cart, *[lambda: kept.save(cart, "PKL-KURSI")] * 2)
    assert (sorted(map(bool, done)), lying("kept_lines")) == ([False, True], {"PKL-KURSI": 2})
    done = together(wide_app, database, cart, *[lambda: kept.to_cart(cart, "PKL-KURSI")] * 2)
    assert (sorted(map(bool, done)), lying("kept_lines"), lying()["PKL-KURSI"]) == ([False, True], {}, 2)
    # One takes a line out while the other wants more of it: either the one or the other, never both.
    more, out = together(
        wide_app, database, cart,
        lambda: lines.set_quantity(cart, "NML-MADU", 3), lambda: kept.take_out(cart, "NML-MADU"),
    )  # fmt: skip
    pieces = 1 if isinstance(more, Exception) else 3
    assert (out, "NML-MADU" in lying(), lying("kept_lines")) == (True, False, {"NML-MADU": pieces})
    done = together(wide_app, database, cart, *[lambda: kept.undo(cart, "NML-MADU")] * 2)
    assert (sorted(map(bool, done)), lying()["NML-MADU"], lying("kept_lines")) == ([False, True], pieces, {})


def test_one_device_orders_what_the_other_changes(shop: Shop, wide_app: Flask, database: Clone) -> None:
    cart = cart_with(("PKL-BATIK", 1))
    wish = read_request(body())
    placed, added = together(
        wide_app, database, cart,
        lambda: checkout.check_out(cart, wish, "key", locale="id").order.items_total,
        lambda: lines.add(cart, "PKL-BATIK", 1),
    )  # fmt: skip
    # Either the piece is in the order, or its cart is closed and the second device is told so.
    assert placed == (100_000 if isinstance(added, CartClosed) else 200_000)
    assert lying() == {"PKL-BATIK": placed // 100_000}  # type: ignore[operator]


def test_two_devices_sign_in_at_once(shop: Shop, wide_app: Flask, database: Clone) -> None:
    person = make_person()
    home, _token = carts.create(person.id)
    lines.add(home.id, "PKL-KURSI", 1)
    kept.save(home.id, "PKL-KURSI")
    lines.add(home.id, "PKL-TEMPE", 1)
    tokens = []
    for quantity in (2, 3):
        cart, token = carts.create()
        lines.add(cart.id, "PKL-TEMPE", quantity)
        tokens.append(token)
    db.session.commit()
    who, cart_id = person.id, home.id
    answers = together(
        wide_app, database, cart_id, *[lambda token=token: merge.merge_into(who, token) for token in tokens]
    )
    assert answers == [None, None]
    doing(wide_app, lambda: merge.merge_into(who, tokens[0]))()  # once more changes nothing
    assert (lying(), lying("kept_lines")) == ({"PKL-TEMPE": 6}, {"PKL-KURSI": 1})
    assert db.session.scalar(text("SELECT count(*) FROM carts")) == 1


def test_a_cart_that_is_used_is_not_swept_away(shop: Shop, wide_app: Flask, database: Clone) -> None:
    cart = cart_with(("PKL-TEMPE", 1))
    db.session.execute(text("UPDATE carts SET updated_at = now() - interval '91 days'"))
    db.session.commit()
    swept, added = together(wide_app, database, cart, carts.forget_old, lambda: lines.add(cart, "PKL-TEMPE", 1))
    # Whoever comes first: swept, and the shopper begins anew; or used, and kept.
    assert (swept, isinstance(added, Exception), lying()) in [(1, True, {}), (0, False, {"PKL-TEMPE": 2})]
