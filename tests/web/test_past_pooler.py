"""A shop whose every transaction goes over another connection, as behind PgBouncer: sold, paid, exported, signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from storefront import worker
from storefront.embedded import WEB
from storefront.exports.moment import settle
from storefront.extensions import db
from storefront.snapshot import snapshot
from tests.clones import Clone
from tests.drills.running_shop import stock_up
from tests.drills.shoppers import ADDRESS
from tests.pooler import Pooler
from tests.staff import make_account, sign_in


@pytest.fixture
def pooled(database: Clone, make_app: Callable[..., Flask]) -> Iterator[tuple[Flask, Pooler]]:
    """A shop behind a pooler, its worker past it, and the pooler."""
    direct = database.addresses[WEB]
    pooler = Pooler(direct)
    head, _, rest = direct.rpartition("@")
    app = make_app(
        DATABASE_URL=f"{head}@127.0.0.1:{pooler.port}/{rest.partition('/')[2]}", DATABASE_DIRECT_URL=direct
    )
    with app.app_context():
        yield app, pooler
        db.session.remove()
        db.engine.dispose()
    pooler.close()


def test_sold_paid_exported_and_signed_in_behind_a_pooler(pooled: tuple[Flask, Pooler]) -> None:
    app, pooler = pooled
    stock_up(20)
    db.session.commit()
    buyer, address = app.test_client(), app.extensions["settings"].database_url

    def buy(number: int) -> Any:
        client = app.test_client()
        cart = client.post("/api/v1/carts", json={}).json["id"]
        line = client.post(f"/api/v1/carts/{cart}/lines", json={"sku": "DRA-1", "quantity": 2})
        if line.status_code != 201:
            return line  # all sold while this buyer was still choosing
        asked = {"name": "Sari", "email": f"sari{number}@example.test", "address": ADDRESS}
        key = {"Idempotency-Key": f"pooled-{number}"}
        return client.post(f"/api/v1/carts/{cart}/checkout", json=asked, headers=key)

    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(buy, range(12)))
    # Twenty pieces, two each: ten are sold, and nobody's lock stayed with a connection.
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 2
    placed = next(answer.json for answer in answers if answer.status_code == 201)
    order, outcome = placed["order"], f"/sandbox/payments/{placed['payment']['id']}/outcome"
    assert buyer.post(outcome, json={"outcome": "pending"}).status_code == 202
    with ThreadPoolExecutor(1) as thread:
        thread.submit(worker.run, app, wait=False).result()
    own = f"/api/v1/orders/{order['number']}?token={order['token']}"
    for path in ("/", "/products?q=kursi", "/impact", "/readyz", own):
        for _ in range(3):
            assert buyer.get(path).status_code == 200, path
    finance = sign_in(app.test_client(), make_account("finance"))
    assert finance.get("/finance/").status_code == 200
    db.session.commit()
    settle(db.engine)
    with snapshot(db.engine) as connection:
        (limit,) = connection.execute("SHOW statement_timeout").fetchone() or ("",)
    assert limit == "15min"
    # What an export allowed itself is gone with its transaction, on every connection.
    for _ in range(8):
        assert db.session.execute(text("SHOW statement_timeout")).scalar_one() == "30s"
        db.session.rollback()
    assert pooler.transactions > 100
    # It is one: a client that prepares statements meets connections that do not know them.
    with psycopg.connect(address, autocommit=True, prepare_threshold=0) as careless:
        many = (careless.execute("SELECT %s::int", [number]) for number in range(12))
        with pytest.raises(psycopg.Error):
            list(many)
