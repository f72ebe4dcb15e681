"""Back from the payment page: what one holds oneself is never sold out for oneself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.selling import Shop, open_shop, pay
from tests.web.test_cart_pages import BUYER, add, hidden, number_of, order, plain


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def test_a_shopper_who_comes_back_continues_or_replaces(
    shop: Shop, app: Flask, client: FlaskClient, db_session: Session
) -> None:
    add(client, "NML-MADU", 3)
    assert order(client).status_code == 303
    old = number_of(client)
    # The product's page and the cart say who holds it, with the way on; to everybody else it is sold out.
    fragment = plain(client.get("/fragments/stock/madu"))
    assert re.search(r"Anda sedang menahan 3, sampai (\d\d\.\d\d WIB|.* pukul .*)\.", fragment), fragment
    assert "Masukkan ke pesanan baru" in fragment
    assert "menahan" not in plain(app.test_client().get("/fragments/stock/madu"))
    assert add(app.test_client(), "NML-MADU").status_code == 409
    assert add(client, "NML-MADU", 4).status_code == 409
    assert add(client, "NML-MADU", 3).status_code == 303
    cart = client.get("/cart")
    assert "Anda sedang menahan 3, sampai" in plain(cart)
    assert f'href="/orders/{old}"' in cart.text
    assert "Habis" not in cart.text
    assert "Go on paying" in client.get("/en/cart").text
    # At checkout one button does it.
    page = client.get("/checkout")
    assert "Ganti pesanan lama dan bayar" in plain(page)
    assert f'name="replaces" value="{old}"' in page.text
    form = {**BUYER, **hidden(page), "replaces": old}
    form |= hidden(client.post("/checkout/shipping", data=form))
    # Without knowing what it replaces nothing is ordered, and the page says it.
    refused = client.post("/checkout", data={**form, "replaces": ""})
    assert (refused.status_code, f'name="replaces" value="{old}"' in refused.text) == (409, True)
    assert client.post("/checkout", data=form).status_code == 303
    assert client.post("/checkout", data=form).status_code == 303
    states = db_session.execute(text("SELECT state FROM orders ORDER BY id")).scalars().all()
    assert states == ["cancelled", "awaiting_payment"]
    assert number_of(client) != old


def test_nobody_replaces_what_is_paid_or_not_theirs(
    shop: Shop, app: Flask, client: FlaskClient, db_session: Session
) -> None:
    add(client, "NML-MADU", 3)
    order(client)
    old = number_of(client)
    stranger = app.test_client()
    add(stranger, "PKL-BATIK")
    assert order(stranger, replaces=old).status_code == 303
    assert db_session.scalar(text("SELECT state FROM orders WHERE number = :n"), {"n": old}) == "awaiting_payment"
    # A number alone opens nothing, nor does a token that is made up.
    stranger.set_cookie("orders", f"{old}.{'A' * 43}")
    assert "menahan" not in plain(stranger.get("/fragments/stock/madu"))
    add(client, "NML-MADU", 3)
    form = {**BUYER, **hidden(client.get("/checkout")), "replaces": old}
    form |= hidden(client.post("/checkout/shipping", data=form))
    payment = text("SELECT p.id FROM payments p JOIN orders o ON o.id = order_id WHERE number = :n")
    pay(db_session.execute(payment, {"n": old}).scalar_one())
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert db_session.scalar(text("SELECT state FROM orders WHERE number = :n"), {"n": old}) == "paid"
    assert "Habis" in plain(client.get("/cart"))


def test_the_limit_of_three_offers_the_orders_themselves(
    shop: Shop, make_app: Callable[..., Flask], db_session: Session
) -> None:
    client = make_app(RATE_LIMITS="on").test_client()
    for _ in range(3):
        add(client, "PKL-KURSI")
        assert order(client).status_code == 303
    add(client, "PKL-KURSI")
    refused = order(client)
    assert refused.status_code == 429
    first = db_session.scalar(text("SELECT number FROM orders ORDER BY id LIMIT 1"))
    button = f'<button class="btn btn--quiet btn--small" type="submit" name="replaces" value="{first}">'
    assert (button in refused.text, f'href="/orders/{first}"' in refused.text) == (True, True)
    assert order(client, replaces=first).status_code == 303
    states = db_session.execute(text("SELECT state FROM orders ORDER BY id")).scalars().all()
    assert states == ["cancelled", "awaiting_payment", "awaiting_payment", "awaiting_payment"]
