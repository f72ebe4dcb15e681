"""What was sold elsewhere is booked once: from a file of sales, with its fees, and its pieces gone from the shelf."""

from __future__ import annotations

import datetime
import io
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.books import payouts
from storefront.books.models import Period
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.days import ACCOUNTING_ZONE, today
from storefront.display import format_month
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.listing_files.written_file import Table, file_of
from storefront.marketplaces import files
from storefront.marketplaces.models import Marketplace, MarketplaceFile, MarketplaceOrder
from storefront.orders.models import Order
from storefront.payments.models import Payment
from storefront.stock.levels import available
from tests.clones import Clone
from tests.money_out import broken
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.threads import while_held

pytestmark = pytest.mark.usefixtures("db_session")
DAY = today() - datetime.timedelta(days=1)
MONTH = f"{DAY:%Y-%m}"
HEAD = ("No. Pesanan", "Nama Penerima", "Waktu Pesanan Dibuat", "Nomor Referensi SKU", "Jumlah", "Harga", "Biaya")
CLEARING = "clearing:market_toko_sebelah"


def row(number: str, sku: str, quantity: object = 1, price: object = "100.000", fee: object = 4500, day: object = None) -> tuple[str, ...]:  # noqa: E501
    return (number, "Bu Rahasia, 0812", str(day or f"{DAY:%d/%m/%Y} 09:30"), sku, str(quantity), str(price), str(fee))


SOLD = (
    row("A-1", "PKL-BATIK", 2), row("A-1", "NML-MADU", 1, 60_000, 0), row("A-2", "PKL-KURSI", 1, "Rp485.000", 20_000),
)  # fmt: skip


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    client = sign_in(app.test_client(), make_account("finance"))
    assert post(client, "/finance/marketplaces", {"name": "Toko Sebelah"}).status_code == 303
    return client


def upload(finance: FlaskClient, *rows: tuple[str, ...], form: str = "csv", month: str = MONTH, content: bytes = b"", **more: str) -> TestResponse:  # noqa: E501
    content = content or file_of([Table("Penjualan", HEAD, rows)], form)
    market = db.session.scalars(select(Marketplace.id)).first()
    sent = (io.BytesIO(content), f"jual.{form}")
    return post(finance, "/finance/marketplaces/files", {"marketplace": market, "month": month, "file": sent, **more})


def looked(finance: FlaskClient, *rows: tuple[str, ...], form: str = "csv", **more: str) -> tuple[int, str]:
    answer = upload(finance, *rows, form=form, **more)
    assert answer.status_code == 303, answer.text
    page = finance.get(answer.headers["Location"])
    return int(answer.headers["Location"].rpartition("/")[2]), page.text


def booked(finance: FlaskClient, file_id: int) -> MarketplaceFile:
    """The file after it was booked, as the job does it."""
    assert post(finance, f"/finance/marketplaces/files/{file_id}/book").status_code == 303
    files.run(file_id)
    return db.session.get_one(MarketplaceFile, file_id, populate_existing=True)


def test_a_file_is_booked_once_with_its_fees_and_takes_stock(finance: FlaskClient, shop: Shop) -> None:
    number, page = looked(finance, *SOLD)
    assert "Catat 2 pesanan" in page
    assert db.session.scalar(select(Order.id)) is None  # a dry run books nothing
    file = booked(finance, number)
    assert (file.state, file.refused) == ("done", {})
    assert "Rahasia" not in str(file.rows)  # nothing of a buyer is kept
    orders = db.session.scalars(select(Order).order_by(Order.id)).all()
    assert [(order.channel, order.total, order.contact, order.address) for order in orders] == [
        ("marketplace", 260_000, None, None), ("marketplace", 485_000, None, None),
    ]  # fmt: skip
    assert {order.paid_at.astimezone(ACCOUNTING_ZONE).date() for order in orders if order.paid_at} == {DAY}
    assert {parcel.state for order in orders for parcel in order.parcels} == {"received"}
    assert available([shop.batik.id, shop.honey.id]) == {shop.batik.id: 3, shop.honey.id: 2}
    assert balance(CLEARING) == 745_000 - 24_500
    assert db.session.scalars(select(Payment.fee).order_by(Payment.fee)).all() == [4_500, 20_000]
    assert db.session.scalar(text("SELECT count(*) FROM messages")) == 0  # nobody here is to be written to
    assert broken() == {}
    # The same file again, and one with one order more: what is known is named and left alone.
    again, page = looked(finance, *SOLD)
    assert orders[0].number in page
    assert "Catat" not in page.partition("<main")[2].partition("Isi berkas")[0]
    assert post(finance, f"/finance/marketplaces/files/{again}/book").status_code == 422
    more, page = looked(finance, *SOLD, row("A-3", "PKL-BATIK"), form="xlsx")
    assert "Catat 1 pesanan" in page
    booked(finance, more)
    assert db.session.scalar(text("SELECT count(*) FROM orders")) == 3
    # The marketplace pays out as any provider does.
    assert "market_toko_sebelah" in payouts.gateways()
    assert broken() == {}


def test_every_fault_is_named_by_its_row_and_the_sound_orders_are_booked(finance: FlaskClient, shop: Shop) -> None:
    last = (DAY.replace(day=1) - datetime.timedelta(days=3)).strftime("%d/%m/%Y")
    rows = (
        row("B-1", "PKL-BATIK", 4), row("B-2", "PKL-BATIK", 2), row("B-3", "TIDAK-ADA"), row("B-4", "NML-MADU", "satu"),
        row("B-5", "NML-MADU", 1, "gratis"), row("B-6", "NML-MADU", day=last), row("B-7", "NML-MADU", day="kemarin"),
        row("B-8", "NML-MADU", fee=999_999), row("", "NML-MADU"), row("B-9", "NML-MADU", 3, 55_000),
    )  # fmt: skip
    number, page = looked(finance, *rows)
    for words in (
        "stok PKL-BATIK tinggal 1, terjual 2", "SKU TIDAK-ADA tidak ada di toko", "jumlah “satu” tidak terbaca",
        "harga “gratis” tidak terbaca", "yang dipilih", "tanggal “kemarin” tidak terbaca", "Biayanya lebih besar",
        "nomor pesanannya kosong", "Catat 2 pesanan",
    ):  # fmt: skip
        assert words in page, words
    file = booked(finance, number)
    assert db.session.scalars(select(MarketplaceOrder.number).order_by(MarketplaceOrder.number)).all() == ["B-1", "B-9"]
    assert set(file.refused) == {"B-2", "B-3", "B-4", "B-5", "B-6", "B-7", "B-8", "? 10"}
    assert available([shop.batik.id, shop.honey.id]) == {shop.batik.id: 1, shop.honey.id: 0}
    # Who reads the feed does not sell it again.
    refresh_shown_state(None)  # as the job does that the sale has queued
    db.session.commit()
    feed = {line["id"]: line for line in map(json.loads, finance.get("/feeds/catalogue.jsonl").text.splitlines())}
    assert (feed["NML-MADU"]["stock_at_least"], feed["PKL-BATIK"]["stock_at_least"]) == (0, 1)
    assert "stok PKL-BATIK tinggal 1" in finance.get(f"/finance/marketplaces/files/{number}").text
    assert broken() == {}


def test_a_long_file_is_turned_page_by_page(
    finance: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.blueprints.finance.marketplaces.SHOWN", 2)
    monkeypatch.setattr("storefront.keyset.PAGE", 2)
    number, page = looked(finance, *(row(f"D-{n}", "PKL-BATIK") for n in range(5)))
    address = f"/finance/marketplaces/files/{number}"
    assert "D-0" in page
    assert "D-2" not in page
    assert "D-4" in finance.get(f"{address}?page=3").text
    booked(finance, number)
    page = finance.get(address).text
    seen = set(re.findall(r"D-\d", page.partition('id="tercatat"')[2]))
    while more := re.search(r'href="([^"]*older=[^"]+)" rel="next"', page):
        page = finance.get(more[1].replace("&amp;", "&")).text
        seen |= set(re.findall(r"D-\d", page.partition('id="tercatat"')[2]))
    assert seen == {f"D-{n}" for n in range(5)}
    assert finance.get("/finance/marketplaces?older=x").status_code == 200


def test_columns_are_named_once_and_files_in_any_encoding_are_read(finance: FlaskClient, shop: Shop) -> None:
    text_ = "Kode;Tgl;Barang;Banyak;Satuan;Potongan\r\nÉ-1;" + f"{DAY:%d-%m-%Y}" + ";PKL-BATIK;1;100000;-2500\r\n"
    refused = upload(finance, content=text_.encode("cp1252"))
    assert refused.status_code == 422
    assert "Judul di berkas: Kode, Tgl, Barang" in refused.text
    names = {"number": "Kode", "sold_on": "Tgl", "sku": "Barang", "quantity": "Banyak", "unit_price": "Satuan", "fee": "Potongan"}  # noqa: E501
    columns = {f"column-{key}": heading for key, heading in names.items()}
    for encoding in ("cp1252", "utf-8-sig", "utf-16"):
        _number, page = looked(finance, content=text_.encode(encoding), **columns)
        assert "É-1" in page
        assert "Catat 1 pesanan" in page
    market = db.session.scalars(select(Marketplace)).one()
    assert market.columns == names
    assert 'value="Potongan"' in finance.get("/finance/marketplaces").text
    for wrong in ({"month": ""}, {"month": f"{today().year + 1}-01"}, {"content": b"\x00\x01\x02bukan"}):
        assert upload(finance, **{"content": text_.encode(), **columns, **wrong}).status_code == 422  # type: ignore[arg-type]


def test_a_file_of_another_month_or_no_file_at_all_books_nothing_and_says_so(finance: FlaskClient, shop: Shop) -> None:
    last = DAY.replace(day=1) - datetime.timedelta(days=3)
    rows = [row(f"E-{n}", "PKL-BATIK", day=f"{last:%d/%m/%Y}") for n in range(2)]
    number, page = looked(finance, *rows)
    assert "yang dipilih" in page
    assert format_month(DAY) in page
    assert "Catat" not in page.partition("<main")[2].partition("Isi berkas")[0]
    assert post(finance, f"/finance/marketplaces/files/{number}/book").status_code == 422
    # The right month is chosen and the same file goes through.
    _number, page = looked(finance, *rows, month=f"{last:%Y-%m}")
    assert "Catat 2 pesanan" in page
    for content in (b" ", b"%PDF-1.7", b"PK\x03\x04rusak", "Nama;Umur\r\nJürgen;3".encode("cp1252")):
        refused = upload(finance, content=content, **{"column-sku": "Barang"})
        assert refused.status_code == 422, content
        assert 'id="f-file-error"' in refused.text
        assert 'value="Barang"' in refused.text  # nothing that was written is lost
        assert f'value="{MONTH}"' in refused.text
    assert db.session.scalar(select(Order.id)) is None


def test_a_sale_of_a_closed_month_counts_now_and_says_when_it_was(finance: FlaskClient, shop: Shop) -> None:
    then = today().replace(day=1) - datetime.timedelta(days=5)
    person = make_account("finance").id
    db.session.add(Period(month=then.replace(day=1), state="closed", closed_by=person, entries=0))
    db.session.commit()
    number, page = looked(finance, row("C-1", "PKL-BATIK", day=then), month=f"{then:%Y-%m}")
    assert "sudah ditutup" in page
    booked(finance, number)
    order = db.session.scalars(select(Order)).one()
    assert order.paid_at is not None
    assert order.paid_at.astimezone(ACCOUNTING_ZONE).date() == today()
    told = db.session.execute(text("SELECT effective_date, happened_on FROM journal_entries WHERE kind = 'sale'")).all()
    assert told == [(today(), then)]


def test_one_file_twice_at_the_same_moment_books_each_order_once(
    app: Flask, finance: FlaskClient, shop: Shop, clone: Clone
) -> None:
    numbers = [looked(finance, *SOLD)[0] for _time in range(2)]
    for number in numbers:
        assert post(finance, f"/finance/marketplaces/files/{number}/book").status_code == 303
    batik = shop.batik.id
    db.session.remove()

    def run(number: int) -> Callable[[], None]:
        def call() -> None:
            with app.app_context():
                files.run(number)

        return call

    lock = f"SELECT * FROM stock_levels WHERE variant_id = {batik} FOR UPDATE"
    answers = while_held(clone.addresses[SUPERUSER], lock, [run(number) for number in numbers])
    assert answers == [None, None]
    assert db.session.scalar(text("SELECT count(*) FROM orders")) == 2
    assert available([batik]) == {batik: 3}
    assert {file.state for file in db.session.scalars(select(MarketplaceFile))} == {"done"}
    assert broken() == {}
