"""Sales at a stand as the cashier's phone sends them: live, out of its queue, twice, late, and not fitting."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.counter.models import CounterConflict, CounterSale, TillSession
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.payments.models import Payment, Refund
from storefront.stock.levels import stand_location_id
from storefront.stock.models import StockLevel
from tests.selling import pay
from tests.stand import Stand, broken, make_stand

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def stand(app: Flask, db_session: Session) -> Stand:
    return make_stand(app)


def left(stand: Stand, sku: str = "PKL-BATIK") -> int:
    db.session.expire_all()
    variant = {"PKL-BATIK": stand.shop.batik, "PKL-TEMPE": stand.shop.tempeh, "NML-MADU": stand.shop.honey}[sku]
    return db.session.get_one(StockLevel, (variant.id, stand_location_id(stand.fair.id))).on_hand


def cash(stand: Stand) -> int:
    """What the books say lies in the tills."""
    db.session.rollback()
    return db.session.execute(
        text(
            "SELECT COALESCE(sum(p.amount), 0)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id"
            " WHERE a.code LIKE 'cash:%'"
        )
    ).scalar_one()


def test_a_sale_in_cash_is_an_order_whole_on_the_spot(stand: Stand) -> None:
    till = stand.open_till()
    answer = stand.sell(("PKL-BATIK", 2), ("NML-MADU", 1), tendered=300_000)
    assert answer.status_code == 201, answer.text
    order = answer.json["order"]
    assert (order["status"], order["total"], answer.json["change"]) == ("completed", 260_000, 40_000)
    seen = stand.client.get(f"/api/v1/orders/{order['number']}?token={order['token']}").json
    assert (seen["status"], {p["status"] for p in seen["parcels"]}) == ("completed", {"received"})
    assert (left(stand), left(stand, "NML-MADU"), cash(stand)) == (2, 0, 260_000)
    row = db.session.execute(
        text("SELECT channel, exhibition, gateway, sum(net_amount)::int FROM reporting.sales GROUP BY 1, 2, 3")
    ).one()
    assert tuple(row) == ("counter", "pameran-kota", "cash", 260_000)
    state = stand.state()
    assert state["till"]["id"] == till
    assert (state["till"]["session"]["cash_sales"], state["till"]["session"]["count"]) == (260_000, 1)
    assert db.session.execute(text("SELECT count(*) FROM messages")).scalar_one() == 0  # there is nobody to write to
    assert broken() == []


def test_without_an_open_till_nothing_is_sold(stand: Stand) -> None:
    refused = stand.sell(("PKL-BATIK", 1))
    assert (refused.status_code, refused.json["code"]) == (409, "till_closed")
    assert stand.state()["till"] is None


def test_the_same_key_gives_the_same_sale_also_out_of_the_queue(stand: Stand) -> None:
    stand.open_till()
    now = datetime.datetime.now(datetime.UTC).isoformat()
    first = stand.sell(("PKL-BATIK", 1), key="k", tendered=150_000)
    again = stand.sell(("PKL-BATIK", 1), key="k", tendered=150_000, sold_at=now, late=True)
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    other = stand.sell(("PKL-BATIK", 2), key="k", tendered=150_000)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_mismatch")
    assert stand.sell(("PKL-BATIK", 1), key=" ").status_code == 201  # a key is whatever the phone calls it
    assert (left(stand), cash(stand)) == (2, 200_000)


@pytest.mark.parametrize(
    ("changes", "status", "code", "named"),
    [
        ({"lines": [{"sku": "TIDAK-ADA", "quantity": 1}]}, 422, "invalid", "lines.0.sku"),
        ({"lines": []}, 422, "invalid", "lines"),
        ({"lines": [{"sku": "PKL-BATIK", "quantity": -1}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"sku": "PKL-BATIK", "quantity": 1.5}]}, 422, "invalid", "lines.0.quantity"),
        ({"tendered": 99_999}, 422, "invalid", "tendered"),
        ({"tendered": None}, 422, "invalid", "tendered"),
        ({"payment": "barter"}, 422, "invalid", "payment"),
        ({"till": "Kas 9"}, 422, "invalid", "till"),
        ({"sold_at": "kemarin"}, 422, "invalid", "sold_at"),
        ({"lines": [{"sku": "PKL-BATIK", "quantity": 1, "unit_price": 1}]}, 409, "price_changed", None),
        ({"lines": [{"sku": "PKL-BATIK", "quantity": 9}]}, 409, "out_of_stock", None),
        ({"lines": [{"sku": "PKL-KURSI", "quantity": 1}]}, 409, "out_of_stock", None),
    ],
)
def test_what_cannot_be_sold_says_why(stand: Stand, changes: dict, status: int, code: str, named: str | None) -> None:
    stand.open_till()
    refused = stand.sell(("PKL-BATIK", 1), **changes)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert named is None or set(refused.json["errors"]) == {named}
    assert (cash(stand), left(stand)) == (0, 4)


def test_a_sale_by_code_waits_for_its_money_and_is_handed_over_with_it(stand: Stand) -> None:
    stand.open_till()
    answer = stand.sell(("PKL-BATIK", 1), payment="gateway")
    assert answer.status_code == 201, answer.text
    assert (answer.json["order"]["status"], answer.json["change"]) == ("awaiting_payment", None)
    assert answer.json["payment"]["url"]
    assert answer.json["payment"]["expires_at"].endswith("Z")
    pay(answer.json["payment"]["id"])
    order = db.session.scalars(select(Order)).one()
    assert {parcel.state for parcel in order.parcels} == {"received"}
    assert (cash(stand), stand.state()["till"]["session"]["count"]) == (0, 1)
    assert broken() == []


def test_a_sale_by_code_is_called_off_while_it_waits_and_money_that_comes_after_all_goes_back(stand: Stand) -> None:
    stand.open_till()
    answer = stand.sell(("PKL-BATIK", 3), payment="gateway").json
    number, before = answer["order"]["number"], stand.state()["till"]
    assert stand.sell(("PKL-BATIK", 2)).json["code"] == "out_of_stock"
    for _again in range(2):
        ended = stand.post(f"/sales/{number}/cancel", {})
        assert (ended.status_code, ended.json["order"]["status"]) == (200, "cancelled"), ended.text
    assert stand.state()["till"] == before
    assert stand.sell(("PKL-BATIK", 2)).status_code == 201
    # What the provider had under way is money all the same: all of it goes back, and the till never sees it.
    pay(answer["payment"]["id"])
    assert db.session.scalars(select(Refund.amount)).one() == answer["order"]["total"]
    assert (cash(stand), left(stand), stand.state()["till"]["session"]["count"]) == (200_000, 2, 1)
    who = db.session.execute(text("SELECT person_id FROM audit_events WHERE action = 'order.called_off'")).scalar_one()
    assert who == stand.cashier.id
    assert broken() == []


def test_what_is_paid_is_not_called_off_and_the_page_of_the_sale_says_so(stand: Stand) -> None:
    stand.open_till()
    number = stand.sell(("PKL-BATIK", 1)).json["order"]["number"]
    refused = stand.post(f"/sales/{number}/cancel", {})
    assert (refused.status_code, refused.json["code"]) == (409, "order_closed")
    waits = stand.sell(("PKL-BATIK", 1), payment="gateway").json
    path = f"/counter/pameran-kota/sales/{waits['order']['number']}"
    assert f'action="{path}/cancel"' in stand.client.get(path).text
    pay(waits["payment"]["id"])
    answer = stand.client.post(f"{path}/cancel", data={"csrf_token": stand.token}, follow_redirects=True)
    assert "Belum dapat dibatalkan" in answer.text
    assert stand.post("/sales/KB-0000-0000/cancel", {}).status_code == 404


def test_a_queued_sale_counts_when_it_was_made(stand: Stand) -> None:
    stand.open_till()
    session = db.session.scalars(select(TillSession)).one()
    at = session.opened_at + datetime.timedelta(milliseconds=5)
    answer = stand.sell(("PKL-BATIK", 1), sold_at=at.isoformat(), lines=[
        {"sku": "PKL-BATIK", "quantity": 1, "unit_price": 100_000}])  # fmt: skip
    assert answer.status_code == 201, answer.text
    order = db.session.scalars(select(Order)).one()
    assert (order.placed_at, order.paid_at) == (at, at)


def test_what_does_not_fit_any_more_is_kept_for_a_person(stand: Stand) -> None:
    stand.open_till()
    now = datetime.datetime.now(datetime.UTC).isoformat()
    assert stand.sell(("NML-MADU", 1)).status_code == 201
    for key, line, reason in (
        ("a", {"sku": "NML-MADU", "quantity": 1, "unit_price": 60_000}, "stock"),
        ("b", {"sku": "PKL-BATIK", "quantity": 1, "unit_price": 90_000}, "price"),
        ("c", {"sku": "DARI-LAIN", "quantity": 1, "unit_price": 5_000}, "unknown_sku"),
    ):
        kept = stand.sell(key=key, lines=[line], sold_at=now)
        assert kept.status_code == 202, kept.text
        conflict = db.session.get_one(CounterConflict, kept.json["conflict"])
        assert (conflict.reason, conflict.total) == (reason, line["unit_price"])
        assert stand.sell(key=key, lines=[line], sold_at=now).json == kept.json
    assert stand.state()["conflicts"] == 3
    assert (cash(stand), left(stand), left(stand, "NML-MADU")) == (60_000, 4, 0)
    assert broken() == []


def test_a_sale_that_comes_after_the_closing_is_on_that_sessions_late_list(stand: Stand) -> None:
    till = stand.open_till(opening_float=0)
    sold_at = datetime.datetime.now(datetime.UTC).isoformat()
    assert stand.close(till, 0).status_code == 200
    assert stand.sell(("PKL-BATIK", 1)).json["code"] == "till_closed"
    stand.open_till(opening_float=50_000)  # the next morning
    assert stand.sell(("PKL-BATIK", 1), sold_at=sold_at).status_code == 201
    sale = db.session.scalars(select(CounterSale)).one()
    first, _second = db.session.scalars(select(TillSession).order_by(TillSession.id)).all()
    assert (sale.is_late, sale.session_id) == (True, first.id)
    assert (stand.state()["late"], stand.state()["till"]["session"]["count"]) == (1, 0)
    shown = db.session.execute(text("SELECT cash_sales, difference FROM reporting.till_sessions ORDER BY opened_at"))
    assert [tuple(row) for row in shown] == [(100_000, -100_000), (0, None)]
    assert broken() == []


@pytest.mark.parametrize("wrong", [datetime.timedelta(days=days) for days in (1, -1, -400)])
def test_a_phone_whose_clock_is_wrong_sells_on_the_servers_day(stand: Stand, wrong: datetime.timedelta) -> None:
    stand.open_till()
    before = datetime.datetime.now(datetime.UTC)
    assert stand.sell(("PKL-BATIK", 1), sold_at=(before + wrong).isoformat()).status_code == 201
    order = db.session.scalars(select(Order)).one()
    assert order.placed_at >= before
    assert db.session.scalars(select(CounterSale.phone_at)).one() == before + wrong


def test_after_the_last_day_what_waits_in_the_queue_still_comes(stand: Stand) -> None:
    stand.open_till()
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    db.session.execute(
        text("UPDATE exhibitions SET starts_on = starts_on - 9, ends_on = accounting_date(now()) - 1 WHERE id = :id"),
        {"id": stand.fair.id},
    )
    db.session.execute(
        text(
            "INSERT INTO till_sessions (till_id, exhibition_id, opened_by, opened_at, opening_float, closed_by,"
            " closed_at, counted, expected) SELECT till_id, exhibition_id, opened_by, opened_at - interval '30 hours',"
            " 0, opened_by, opened_at - interval '10 hours', 0, 0 FROM till_sessions"
        )
    )
    db.session.commit()
    assert stand.sell(("PKL-BATIK", 1)).json["code"] == "fair_not_running"
    assert stand.sell(("PKL-BATIK", 1), sold_at=yesterday.isoformat()).status_code == 201
    assert db.session.scalars(select(Order.placed_at)).one() == yesterday


def test_a_till_is_closed_with_its_difference_explained_and_its_open_baskets_named(stand: Stand) -> None:
    till = stand.open_till(opening_float=200_000)
    stand.sell(("PKL-BATIK", 1))
    named = stand.close(till, 300_000, open_baskets=["Ponsel Kirana"])
    assert (named.status_code, named.json["code"]) == (409, "open_baskets")
    assert "Ponsel Kirana" in named.json["detail"]
    short = stand.close(till, 295_000, open_baskets=["Ponsel Kirana"], confirmed=True)
    assert short.status_code == 422
    assert "Kurang Rp 5.000" in short.json["errors"]["explanation"].replace("\xa0", " ")
    notes = {"100000": 2, "50000": 1, "20000": 2, "5000": 1}
    closed = stand.post(f"/tills/{till}/close", {"notes": notes, "explanation": "Salah memberi kembalian"})
    assert closed.status_code == 200, closed.text
    assert closed.json["session"]["difference"] == -5_000
    assert stand.close(till, 0).json["code"] == "till_closed"
    session = db.session.scalars(select(TillSession)).one()
    assert session.notes == notes
    assert stand.state()["till"]["session"] is None


def test_money_that_the_provider_takes_is_never_cash(stand: Stand) -> None:
    stand.open_till()
    answer = stand.sell(("PKL-BATIK", 1))
    assert answer.status_code == 201
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.gateway, payment.counts, payment.url) == ("cash", True, None)
