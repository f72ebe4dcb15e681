"""The counter's pages: a till from its float to the bank, a sale undone by two, and what did not fit decided."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.books import bank_accounts
from storefront.counter import pins
from storefront.counter.models import CounterConflict, CounterSale, TillSettlement
from storefront.days import today
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.people.models import Person
from storefront.stock.levels import stand_location_id
from storefront.stock.models import StockLevel
from tests.selling import pay
from tests.staff import make_account, post, sign_in
from tests.stand import Stand, broken, make_cashier, make_stand

BASE = "/counter/pameran-kota"
PIN = "482913"


@pytest.fixture
def stand(app: Flask, db_session: Session) -> Stand:
    return make_stand(app)


@pytest.fixture
def second(stand: Stand) -> Person:
    person = make_cashier(stand.fair, name="Melati")
    pins.set_pin(person.id, PIN, PIN)
    db.session.commit()
    return person


def shown(text_: str) -> str:
    return re.sub(r"\s+", " ", text_.replace("\xa0", " "))


def once(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def level(stand: Stand, variant_id: int) -> int:
    db.session.expire_all()
    return db.session.get_one(StockLevel, (variant_id, stand_location_id(stand.fair.id))).on_hand


def void(stand: Stand, number: str, second: int, **more: str) -> tuple[int, str]:
    page = stand.client.get(f"{BASE}/sales/{number}").text
    line = re.search(r'name="(quantity-\d+)"', page)
    form = {
        "once": once(page),
        line[1] if line else "quantity-0": "1",
        "reason": "returned",
        "what": "restock",
        "note": "Salah pilih ukuran",
        "second": str(second),
        "pin": PIN,
        **more,
    }
    answer = post(stand.client, f"{BASE}/sales/{number}/void", form)
    return answer.status_code, shown(answer.text)


def cash(stand: Stand) -> int:
    db.session.rollback()
    return db.session.execute(
        text(
            "SELECT COALESCE(sum(p.amount), 0)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id"
            " WHERE a.code LIKE 'cash:%'"
        )
    ).scalar_one()


def test_a_till_by_its_pages_without_javascript(stand: Stand) -> None:
    assert "Belum ada kas" in stand.client.get(f"{BASE}/tills").text
    wrong = post(stand.client, f"{BASE}/tills", {"name": "Kas depan", "opening_float": "lima"})
    assert wrong.status_code == 422
    assert 'value="lima"' in wrong.text
    assert post(stand.client, f"{BASE}/tills", {"name": "Kas depan", "opening_float": "50.000"}).status_code == 303
    till = stand.state()["till"]["id"]
    number = stand.sell(("PKL-BATIK", 1), tendered=120_000).json["order"]["number"]
    receipt = shown(stand.client.get(f"{BASE}/receipts/{number}").text)
    assert {"Rp 100.000", "Rp 20.000"} <= set(re.findall(r"Rp [0-9.]+", receipt))
    assert "<svg" in receipt
    assert number in stand.client.get(f"{BASE}/sales?q={number[-4:]}").text
    page = shown(stand.client.get(f"{BASE}/tills/{till}").text)
    assert "seharusnya ada <b class=\"nowrap\">Rp 150.000</b>" in page
    short = post(stand.client, f"{BASE}/tills/{till}/close", {"n-100000": "1", "n-20000": "2"})
    assert short.status_code == 422
    assert "Kurang Rp 10.000" in shown(short.text)
    assert 'value="2"' in short.text
    closed = post(
        stand.client,
        f"{BASE}/tills/{till}/close",
        {"n-100000": "1", "n-20000": "2", "explanation": "Kembalian keliru"},
        follow_redirects=True,
    )
    assert closed.status_code == 200
    assert "Lapas Kelas IIA Pekalongan" in closed.text  # the day's sheet
    assert "Sedang ditutup" in stand.client.get(f"{BASE}/tills").text


def test_a_sale_is_undone_by_two_and_its_cash_leaves_the_till(stand: Stand, second: Person) -> None:
    stand.open_till(opening_float=0)
    number = stand.sell(("PKL-BATIK", 2)).json["order"]["number"]
    me = stand.cashier.id
    pins.set_pin(me, "739164", "739164")
    db.session.commit()
    assert void(stand, number, me, pin="739164")[0] == 403  # one's own PIN is nobody's yes
    status, page = void(stand, number, second.id, pin="000001")
    assert status == 422
    assert "PIN ini salah" in page
    assert "Salah pilih ukuran" in page
    assert void(stand, number, second.id, note="")[0] == 422
    assert (cash(stand), level(stand, stand.shop.batik.id)) == (200_000, 2)
    assert void(stand, number, second.id)[0] == 303
    assert (cash(stand), level(stand, stand.shop.batik.id)) == (100_000, 3)
    order = db.session.scalars(select(Order)).one()
    status = db.session.execute(
        text("SELECT status, refunded FROM order_status WHERE order_id = :id"), {"id": order.id}
    ).one()
    assert tuple(status) == ("completed", 100_000)
    assert void(stand, number, second.id, what="write_off", reason="damaged")[0] == 303
    assert (cash(stand), level(stand, stand.shop.batik.id)) == (0, 3)
    assert "Seluruh uang" in stand.client.get(f"{BASE}/sales/{number}").text
    assert stand.state()["till"]["session"]["cash_sales"] == 0
    assert broken() == []


def test_wrong_pins_are_counted(stand: Stand, second: Person) -> None:
    stand.open_till()
    number = stand.sell(("PKL-BATIK", 1)).json["order"]["number"]
    tries = [void(stand, number, second.id, pin="000001")[0] for _try in range(6)]
    assert tries == [422] * 5 + [429]
    assert void(stand, number, second.id)[0] == 429  # the right one comes too late as well


def test_the_same_void_sent_twice_gives_back_once(stand: Stand, second: Person) -> None:
    stand.open_till()
    number = stand.sell(("PKL-BATIK", 2)).json["order"]["number"]
    key = once(stand.client.get(f"{BASE}/sales/{number}").text)
    assert [void(stand, number, second.id, once=key)[0] for _time in range(2)] == [303, 303]
    assert cash(stand) == 100_000


def test_a_sale_by_code_goes_back_through_its_gateway(stand: Stand, second: Person) -> None:
    stand.open_till()
    sold = stand.sell(("PKL-BATIK", 1), payment="gateway").json
    pay(sold["payment"]["id"])
    assert void(stand, sold["order"]["number"], second.id)[0] == 303
    state = db.session.execute(text("SELECT state FROM refunds")).scalar_one()
    assert (state, cash(stand)) == ("requested", 0)


def conflict(stand: Stand, sku: str, price: int) -> int:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    kept = stand.sell(lines=[{"sku": sku, "quantity": 1, "unit_price": price}], sold_at=now)
    assert kept.status_code == 202, kept.text
    return kept.json["conflict"]


def test_what_did_not_fit_is_sold_after_all_or_given_back(stand: Stand) -> None:
    stand.open_till(opening_float=0)
    stand.sell(("NML-MADU", 1))
    gone, unknown, cheap = (
        conflict(stand, "NML-MADU", 60_000),
        conflict(stand, "MADU", 55_000),
        conflict(stand, "PKL-BATIK", 90_000),
    )
    page = stand.client.get(f"{BASE}/conflicts").text
    for why in ("stoknya sudah habis", "Kodenya tidak dikenal", "Harganya lain"):
        assert why in page
    assert post(stand.client, f"{BASE}/conflicts/{gone}/sold").status_code == 303
    assert level(stand, stand.shop.honey.id) == 0
    corrected = text("SELECT quantity, reason FROM stock_movements WHERE source LIKE 'conflict:%'")
    assert db.session.execute(corrected).all() == [(1, "correction")]
    refused = post(stand.client, f"{BASE}/conflicts/{unknown}/sold", {"sku-0": "BUKAN-JUGA"})
    assert refused.status_code == 422
    assert 'value="BUKAN-JUGA"' in refused.text
    assert post(stand.client, f"{BASE}/conflicts/{unknown}/sold", {"sku-0": "NML-MADU"}).status_code == 303
    assert post(stand.client, f"{BASE}/conflicts/{cheap}/given-back", {"note": ""}).status_code == 422
    back = post(stand.client, f"{BASE}/conflicts/{cheap}/given-back", {"note": "Pembeli menunggu di stan"})
    assert back.status_code == 303
    assert post(stand.client, f"{BASE}/conflicts/{cheap}/sold").status_code == 409
    assert cash(stand) == 60_000 + 60_000 + 55_000
    assert {sale.is_late for sale in db.session.scalars(select(CounterSale))} == {False}
    assert {one.settled for one in db.session.scalars(select(CounterConflict))} == {"sold", "given_back"}
    assert "Tidak ada yang menunggu" in stand.client.get(f"{BASE}/conflicts").text
    assert broken() == []


@pytest.fixture
def finance(app: Flask, stand: Stand) -> FlaskClient:
    first, other = make_account("finance", name="Rina"), make_account("finance")
    account = bank_accounts.propose(
        None, bank="BRI", number="1234567890", holder="Kantor pusat", permission_letter="S-1",
        valid_from=today() - datetime.timedelta(days=30), person_id=first.id,
    )  # fmt: skip
    bank_accounts.approve(account.id, other.id)
    db.session.commit()
    return sign_in(app.test_client(), first)


def test_finance_brings_a_counted_till_to_the_bank_with_its_difference(stand: Stand, finance: FlaskClient) -> None:
    till = stand.open_till(opening_float=20_000)
    stand.sell(("PKL-BATIK", 2))
    session = stand.state()["till"]["session"]["id"]
    page = f"/finance/tills/{session}"
    early = post(finance, f"{page}/settle", {"banked": "1", "on": today().isoformat(), "once": "k" * 20})
    assert early.status_code == 409
    assert stand.close(till, 215_000, explanation="Salah kembalian").status_code == 200
    listed = shown(finance.get("/finance/tills?state=counted").text)
    for words in ("menunggu setoran", "−Rp 5.000", "Rp 200.000"):
        assert words in listed
    form = {"banked": "195.000", "on": today().isoformat(), "rest": "difference", "note": "Kurang kembalian"}
    key = once(finance.get(page).text)
    for _time in range(2):
        assert post(finance, f"{page}/settle", {**form, "once": key}).status_code == 303
    assert db.session.scalars(select(TillSettlement.difference)).all() == [-5_000]
    assert cash(stand) == 0
    booked = db.session.execute(
        text("SELECT account_code, amount FROM reporting.ledger_postings WHERE source LIKE 'cash:%' ORDER BY amount")
    ).all()
    assert [row.amount for row in booked] == [-200_000, 5_000, 195_000]
    assert "beres" in finance.get("/finance/tills").text
    assert broken() == []


def test_finance_counts_what_nobody_closed(stand: Stand, finance: FlaskClient) -> None:
    stand.open_till(opening_float=0)
    stand.sell(("PKL-TEMPE", 1))
    session = stand.state()["till"]["session"]["id"]
    assert post(finance, f"/finance/tills/{session}/close", {"counted": "15.000"}).status_code == 303
    assert stand.state()["till"]["session"] is None


def test_a_cashier_of_another_fair_finds_nothing(app: Flask, stand: Stand) -> None:
    from tests.fairs import make_fair

    stranger = sign_in(app.test_client(), make_cashier(make_fair(stand.shop.ambon)))
    for path in ("state", "tills", "sales", "conflicts", "day", "pin"):
        assert stranger.get(f"{BASE}/{path}").status_code == 404
