"""Yesterday at the stand of the running fair: a till from its float to its count, one sale undone, one that did not
fit and waits; and the till that is open today.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence

from sqlalchemy import select, text

from storefront.audit.record import dated
from storefront.counter import close, sell, tills, voids
from storefront.counter.models import CounterPin, CounterSale, Till
from storefront.counter.wish import SaleWish, WishedLine
from storefront.demo.moments import at, days
from storefront.demo.people import HASHER
from storefront.demo.places import RUNNING, Places
from storefront.demo.settle import settle
from storefront.exhibitions.models import Exhibition
from storefront.exhibitions.prices import stand_price
from storefront.extensions import db
from storefront.orders.models import OrderLine
from storefront.orders.numbers import use_random
from storefront.payments.said import CASH
from storefront.people.models import Person

CASHIER, SECOND = "cashier@demo.test", "finance@demo.test"
#: So that whoever tries the shop can undo a sale: the PIN of both.
PIN = "480215"
TILL, FLOAT = "Kas 1", 300_000
SALES = 12
#: What was short in the evening.
SHORT = 2_000
#: Codes of which so many lie at the stand that one more or less leaves enough for everybody.
GOODS = text(
    """
    SELECT v.id, v.sku FROM stock_levels s JOIN stock_locations l ON l.id = s.location_id AND l.exhibition_id = :fair
      JOIN variants v ON v.id = s.variant_id WHERE s.on_hand - s.reserved >= 5 ORDER BY v.sku"""
)


def add(sites: Places, accounts: Mapping[str, Person], today: datetime.date, seed: str) -> None:
    """Write the stand's first day down as it was, hour by hour, and open today's till."""
    rng = random.Random(f"{seed}:stand")
    cashier, second = accounts[CASHIER].id, accounts[SECOND].id
    for person_id in (cashier, second):
        db.session.add(CounterPin(person_id=person_id, pin_hash=HASHER.hash(PIN, salt=rng.randbytes(16))))
    fair = sites.exhibitions[RUNNING]
    yesterday = today - days(1)
    found = db.session.execute(GOODS, {"fair": fair.id}).all()
    prices = stand_price(fair.id, [row.id for row in found], yesterday)
    goods = [(row.sku, prices[row.id][0]) for row in found]
    with use_random(rng):
        with dated(at(yesterday, 8, 40)):
            session = tills.open_till(fair, TILL, FLOAT, cashier)
        sales = []
        for number in range(min(SALES, len(goods))):
            moment = at(yesterday, 9 + number * 2 // 3, rng.randrange(5, 55), rng.randrange(60))
            wish = _wish(*goods[number])
            with dated(moment):
                sold = sell.sell(fair, wish, f"demo-{yesterday.isoformat()}-{number}", cashier)
            if isinstance(sold, sell.Sold):
                sales.append(sold.sale)
        if sales:
            with dated(at(yesterday, 17, 10)):
                _undo(fair, sales[-1], cashier, second)
        if goods:
            _misfit(fair, goods, cashier, at(yesterday, 16, 20))
        with dated(at(yesterday, 17, 40)):
            till = db.session.get_one(Till, session.till_id)
            counted = close.expected_now(session) + close.waiting(session.id)[1] - SHORT
            close.close_till(
                till, cashier, counted=counted, explanation="Kembalian dua ribu terlalu banyak.", confirmed=True
            )
        with dated(at(today, 6, 30)):
            tills.open_till(fair, TILL, FLOAT, cashier)
    settle()


def _wish(sku: str, price: int, *, phone_at: datetime.datetime | None = None) -> SaleWish:
    """One piece, paid with the next round sum."""
    tendered = -(-price // 50_000) * 50_000
    return SaleWish((WishedLine(sku, 1, price),), CASH, tendered, TILL, phone_at)


def _undo(fair: Exhibition, sale: CounterSale, cashier: int, second: int) -> None:
    line = db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == sale.order_id)).one()
    voids.give_back(
        fair,
        sale,
        {line: 1},
        reason="returned",
        note="Pembeli memilih motif lain.",
        restock=True,
        asked_by=cashier,
        agreed_by=second,
        key="demo-undone-at-the-stand",
        till=TILL,
    )


def _misfit(fair: Exhibition, goods: Sequence[tuple[str, int]], cashier: int, moment: datetime.datetime) -> None:
    """Sold without a line at the price that a paper tag said."""
    sku, price = goods[-1]
    with dated(moment + datetime.timedelta(minutes=25)):
        sell.sell(fair, _wish(sku, price - 5_000, phone_at=moment), "demo-misfit", cashier)
