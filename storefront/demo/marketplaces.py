"""A marketplace: a file of sales that was booked, and one that waits to be looked at with all that can be wrong in it.

Goes through the shop's own code and its own transactions, after the rest was committed, as `banked.py` does.
"""

from __future__ import annotations

import csv
import datetime
import io
import random
from collections.abc import Sequence

from sqlalchemy import text

from storefront.demo.banked import LEAST, PAID
from storefront.demo.moments import days
from storefront.demo.settle import settle
from storefront.extensions import db
from storefront.marketplaces import files
from storefront.orders.numbers import use_random

HEADINGS = ("No. Pesanan", "Waktu Pesanan Dibuat", "Nomor Referensi SKU", "Jumlah", "Harga", "Biaya", "Nama Penerima")
#: What the marketplace keeps, in basis points; invented, like all sums here.
FEE = 450
NAME = "Lapak Contoh"

#: One variant each of the products that have most left, so that nothing is sold out by these orders.
GOODS = text(
    """
    SELECT DISTINCT ON (p.id) v.sku, v.price
      FROM products p
      JOIN variants v ON v.product_id = p.id AND v.is_active AND NOT v.made_to_order
      JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
      JOIN stock_locations s ON s.facility_id = f.id
      JOIN stock_levels l ON l.variant_id = v.id AND l.location_id = s.id
     WHERE p.status = 'published' AND l.on_hand - l.reserved >= 24 AND v.price BETWEEN 30000 AND 400000
     ORDER BY p.id, v.id"""
)

Row = tuple[str, str, str, str, str, str, str]


def add(person_id: int, today: datetime.date, seed: str) -> None:
    """Write both files; nothing in a demo that sold little. Commits."""
    if db.session.scalar(PAID) < LEAST:
        return
    rng = random.Random(f"{seed}:marketplace")
    goods = [(row.sku, row.price) for row in db.session.execute(GOODS)]
    rng.shuffle(goods)
    if len(goods) < 6:
        return
    # Yesterday's month: on the first of a month too there is a day that was.
    yesterday = today - days(1)
    sold = [_row(f"LC{today:%y%m}0{n}", yesterday, *goods[n], rng.randint(1, 2)) for n in range(4)]
    market = files.add(NAME, person_id=person_id)
    db.session.commit()
    with use_random(rng):
        booked = _kept(market.id, yesterday, sold, person_id)
        files.begin(booked, person_id=person_id)
        db.session.commit()
        files.run(booked)
    faulty = [
        sold[0],
        _row(f"LC{today:%y%m}05", yesterday, *goods[4], 1),
        _row(f"LC{today:%y%m}06", yesterday, "PKL-00000", 50_000, 1),
        _row(f"LC{today:%y%m}07", yesterday - days(45), *goods[5], 1),
    ]
    _kept(market.id, yesterday, faulty, person_id)
    settle()
    db.session.commit()


def _row(number: str, day: datetime.date, sku: str, price: int, quantity: int) -> Row:
    fee = price * quantity * FEE // 10_000
    return (number, f"{day:%d/%m/%Y} 10:15", sku, str(quantity), str(price), str(fee), "tidak disimpan")


def _kept(market_id: int, day: datetime.date, rows: Sequence[Row], person_id: int) -> int:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([HEADINGS, *rows])
    content = text.getvalue().encode("utf-8-sig")
    name = f"penjualan-{day:%Y-%m}.csv"
    file = files.keep(market_id, day, {}, False, content, name, person_id=person_id)
    db.session.commit()
    return file.id
