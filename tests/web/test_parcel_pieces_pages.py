"""The forms for pieces that go later, not at all or back again: sent twice, refused, and what the shopper sees."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront.extensions import db
from storefront.orders import pickups
from storefront.orders.models import Order, Parcel, ParcelReturn
from storefront.payments.models import Refund
from tests.after_sale import key_in, make_pickup, parcels_of, visit
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def order(shop: Shop, db_session: DbSession) -> Order:
    order = make_paid_order((shop.batik, 3), (shop.chair, 1))
    db_session.commit()
    return order


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


def send(client: FlaskClient, parcel: Parcel, part: str, key: str = "", **fields: str) -> TestResponse:
    address = f"/seller/PKL/parcels/{parcel.id}/{part}"
    key = key or key_in(client.get(address).text)
    return post(client, f"{address}?state=to_pack", {"request_key": key, **fields})


def test_a_part_follows_later_and_the_shopper_sees_both(
    app: Flask, coordinator: FlaskClient, order: Order, db_session: DbSession
) -> None:
    parcel, batik, chair = order.parcels[0], order.lines[0].id, order.lines[1].id
    page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}/split?later=made").text
    assert f'name="quantity-{chair}" value="1"' in page
    fields = {f"quantity-{batik}": "9", f"quantity-{chair}": "x", "ready_by": "besok"}
    wrong = send(coordinator, parcel, "split", **fields)
    assert wrong.status_code == 422
    for field in (f"quantity-{chair}", "ready_by"):
        assert f'id="f-{field}-error"' in wrong.text
    assert 'value="9"' in wrong.text
    assert 'value="besok"' in wrong.text
    key = key_in(coordinator.get(f"/seller/PKL/parcels/{parcel.id}/split").text)
    for _ in range(2):
        done = send(coordinator, parcel, "split", key, **{f"quantity-{chair}": "1"})
        assert done.headers["Location"].endswith(f"/parcels/{parcel.id}?state=to_pack")
    later = parcels_of(order.id)
    assert len(later) == 2
    first = coordinator.get(f"/seller/PKL/parcels/{parcel.id}").text
    assert f"{order.number}/2" in first
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed")
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/shipped", {"courier": "JNE", "tracking": "SALAH"})
    right = {"courier": "JNE", "tracking": "CGK9"}
    assert post(coordinator, f"/seller/PKL/parcels/{parcel.id}/correct-tracking", right).status_code == 303
    seen = visit(app.test_client(), order).get(f"/orders/{order.number}").text
    assert "CGK9" in seen
    assert "SALAH" not in seen
    assert "Kursi teras" in seen
    assert "Dikirim sebagian" in seen
    assert post(coordinator, f"/seller/PKL/parcels/{later[1].id}/merge").status_code == 409
    assert coordinator.get(f"/seller/PKL/parcels/{later[1].id}/merge").status_code == 302
    pick = coordinator.get("/seller/PKL/pick-list").text
    assert "PKL-KURSI" in pick
    assert "PKL-BATIK" not in pick


def test_a_split_that_is_undone_leaves_no_trace_for_the_shopper(
    app: Flask, coordinator: FlaskClient, order: Order
) -> None:
    parcel, batik = order.parcels[0], order.lines[0].id
    send(coordinator, parcel, "split", **{f"quantity-{batik}": "2"})
    later = parcels_of(order.id)[1]
    assert "Batalkan pemisahan" in coordinator.get(f"/seller/PKL/parcels/{later.id}").text
    done = post(coordinator, f"/seller/PKL/parcels/{later.id}/merge")
    assert done.headers["Location"].endswith(f"/parcels/{parcel.id}")
    assert coordinator.get(f"/seller/PKL/parcels/{later.id}").status_code == 404
    seen = visit(app.test_client(), order).get(f"/orders/{order.number}").text
    assert "Dibatalkan" not in seen
    assert coordinator.get("/seller/PKL/parcels?state=cancelled").text.count(order.number) == 0
    assert coordinator.get(f"/seller/PKL/parcels?q={order.number}").text.count(f">{order.number}/") == 1


def test_what_cannot_be_sent_leaves_the_lists_until_finance_decides(coordinator: FlaskClient, order: Order) -> None:
    parcel, batik = order.parcels[0], order.lines[0].id
    wrong = send(coordinator, parcel, "cannot-fulfil", **{f"quantity-{batik}": "4", "note": "catatan saya"})
    assert wrong.status_code == 422
    assert f'id="f-quantity-{batik}-error"' in wrong.text
    assert "catatan saya" in wrong.text
    key = key_in(coordinator.get(f"/seller/PKL/parcels/{parcel.id}/cannot-fulfil").text)
    for _ in range(2):
        assert send(coordinator, parcel, "cannot-fulfil", key, **{f"quantity-{batik}": "1"}).status_code == 303
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, refund.amount) == ("proposed", 100_000)
    apart = parcels_of(order.id)[1]
    page = coordinator.get(f"/seller/PKL/parcels/{apart.id}").text
    assert "menunggu keputusan keuangan" in page
    assert "Tandai dikemas" not in page
    assert "Menunggu persetujuan" in page
    assert "<b>2</b>" in coordinator.get("/seller/PKL/pick-list").text
    for address, shown in (("parcels?state=to_pack", False), ("parcels?state=withheld", True), ("", False)):
        assert (f">{order.number}/2<" in coordinator.get(f"/seller/PKL/{address}").text) is shown, address
    many = post(coordinator, "/seller/PKL/parcels/steps", {"parcel": [apart.id, parcel.id], "step": "packed"}).text
    assert "1 kiriman berubah. 1 tidak" in many
    assert "menunggu keputusan keuangan" in many


def test_what_came_back_is_noted_piece_by_piece(coordinator: FlaskClient, order: Order) -> None:
    parcel, batik, chair = order.parcels[0], order.lines[0].id, order.lines[1].id
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed")
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/shipped", {"courier": "JNE", "tracking": "CGK9"})
    wrong = send(coordinator, parcel, "return", **{f"restock-{batik}": "9", "note": "penyok"})
    assert wrong.status_code == 422
    assert "penyok" in wrong.text
    key = key_in(coordinator.get(f"/seller/PKL/parcels/{parcel.id}/return").text)
    fields = {f"restock-{batik}": "2", f"write_off-{batik}": "1", f"write_off-{chair}": "1", "ask_refund": "1"}
    for _ in range(2):
        assert send(coordinator, parcel, "return", key, **fields).status_code == 303
    assert len(db.session.scalars(select(ParcelReturn)).all()) == 1
    assert "Dikembalikan" in coordinator.get(f"/seller/PKL/parcels/{parcel.id}").text
    assert "Ini tidak dapat dilakukan sekarang" in coordinator.get(f"/seller/PKL/parcels/{parcel.id}/return").text


def test_what_nobody_collects_is_marked_once_it_may_be(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    order = make_pickup(shop.pekalongan.id, (shop.batik, 3), (shop.chair, 1))
    db_session.commit()
    parcel, batik, chair = order.parcels[0], order.lines[0].id, order.lines[1].id
    page = f"/seller/PKL/parcels/{parcel.id}"
    post(coordinator, f"{page}/packed")
    assert "Ini tidak dapat dilakukan sekarang" in coordinator.get(f"{page}/not-collected").text
    post(coordinator, f"{page}/ready")
    assert "Bila tidak diambil, dapat dicatat mulai" in coordinator.get(page).text
    early = send(coordinator, parcel, "not-collected", **{f"restock-{batik}": "3", f"write_off-{chair}": "1"})
    assert (early.status_code, "Pembelinya masih dapat datang" in early.text) == (409, True)
    db_session.execute(text("UPDATE parcels SET shipped_at = now() - interval '15 days'"))
    db_session.commit()
    pickups.remind_waiting()
    db_session.execute(text("UPDATE messages SET created_at = now() - interval '8 days'"))
    db_session.commit()
    assert "kiriman siap yang tidak diambil" in coordinator.get("/seller/PKL/").text
    assert f'href="{page}/not-collected?state=ready"' in coordinator.get(f"{page}?state=ready").text
    form = coordinator.get(f"{page}/not-collected").text
    assert f'name="restock-{batik}" value="3"' in form
    assert f'name="write_off-{chair}" value="1"' in form
    some = send(coordinator, parcel, "not-collected", **{f"restock-{batik}": "2", "note": "rak 3"})
    assert (some.status_code, "Tulis untuk semua 3 buah" in some.text, "rak 3" in some.text) == (422, True, True)
    key = key_in(form)
    for _twice in range(2):
        done = send(coordinator, parcel, "not-collected", key, **{f"restock-{batik}": "3", f"write_off-{chair}": "1"})
        assert done.headers["Location"].endswith(f"/parcels/{parcel.id}?state=to_pack")
    assert db.session.scalars(select(Refund)).one().reason == "not_collected"
    shown = coordinator.get(page).text
    assert ("Dikembalikan" in shown, "Tidak diambil" in shown) == (True, True)


def test_a_head_and_another_facility_change_nothing(app: Flask, shop: Shop, order: Order) -> None:
    parcel = order.parcels[0].id
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    for part in ("split", "cannot-fulfil", "return", "not-collected", "merge", "correct-tracking"):
        assert post(head, f"/seller/PKL/parcels/{parcel}/{part}").status_code == 403, part
        for code in ("PKL", "NML"):
            assert post(other, f"/seller/{code}/parcels/{parcel}/{part}", {"request_key": "k" * 20}).status_code == 404
