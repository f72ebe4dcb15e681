"""A coordinator asks for a refund of what lies in their own parcel; finance decides, and they see what it said."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront.books.taken_back_models import RefundLine
from storefront.extensions import db
from storefront.orders.models import Order, Parcel
from storefront.payments.models import Refund
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import approve, propose
from tests.factories import make_member, make_order, make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def order(shop: Shop, db_session: DbSession) -> Order:
    """Paid: two batik cloths of Pekalongan, a honey of Namlea."""
    order = make_paid_order((shop.batik, 2), (shop.honey, 1))
    db_session.commit()
    return order


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


def parcel_of(order: Order, facility_id: int) -> Parcel:
    return next(parcel for parcel in order.parcels if parcel.facility_id == facility_id)


def line(order: Order, sku: str) -> int:
    return next(line.id for line in order.lines if line.sku == sku)


def address_of(order: Order, shop: Shop) -> str:
    return f"/seller/PKL/parcels/{parcel_of(order, shop.pekalongan.id).id}"


def form_of(client: FlaskClient, address: str, **fields: str) -> dict[str, str]:
    key = re.search(r'name="request_key" value="([^"]+)"', client.get(f"{address}/refund").text)
    assert key
    return {"request_key": key[1], "reason": "damaged", **fields}


def ask(client: FlaskClient, address: str, **fields: str) -> TestResponse:
    return post(client, f"{address}/refund", form_of(client, address, **fields))


def refunds() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Refund)) or 0)


def test_finance_decides_on_what_a_coordinator_asks_for(
    coordinator: FlaskClient, shop: Shop, order: Order
) -> None:
    address, batik = address_of(order, shop), line(order, "PKL-BATIK")
    assert f'href="{address}/refund"' in coordinator.get(address).text
    fields = {f"quantity-{batik}": "1", f"pieces-{batik}": "write_off", "shipping": "1", "note": "Robek"}
    assert ask(coordinator, address, **fields).headers["Location"] == address
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount, refund.state, refund.reason) == (110_000, "proposed", "damaged")
    part = db.session.scalars(select(RefundLine)).one()
    assert (part.order_line_id, part.quantity, part.pieces) == (batik, 1, "write_off")
    page = coordinator.get(address).text
    assert "Menunggu persetujuan" in page
    assert "Jangan kirim barangnya" in page
    approve(refund.id, make_member("finance").id)
    refund_succeeded(refund.id)
    db.session.commit()
    assert "Sudah kembali" in coordinator.get(address).text


def test_the_same_form_sent_twice_asks_once(coordinator: FlaskClient, shop: Shop, order: Order) -> None:
    address = address_of(order, shop)
    form = form_of(coordinator, address, **{f"quantity-{line(order, 'PKL-BATIK')}": "1"})
    assert [post(coordinator, f"{address}/refund", form).status_code for _ in range(2)] == [303, 303]
    assert refunds() == 1


def test_what_is_wrong_is_said_and_kept(coordinator: FlaskClient, shop: Shop, order: Order) -> None:
    address, batik = address_of(order, shop), line(order, "PKL-BATIK")
    answer = ask(
        coordinator, address, **{f"quantity-{batik}": "3", "reason": "goodwill", "note": "catatan saya"}
    )
    assert answer.status_code == 422
    assert f'id="f-quantity-{batik}-error"' in answer.text
    assert 'id="f-reason-error"' in answer.text
    assert "catatan saya" in answer.text
    assert 'value="3"' in answer.text
    assert ask(coordinator, address).status_code == 422
    assert refunds() == 0


def test_another_facilitys_lines_and_parcels_do_not_exist(
    coordinator: FlaskClient, shop: Shop, order: Order
) -> None:
    address, honey = address_of(order, shop), line(order, "NML-MADU")
    page = coordinator.get(f"{address}/refund").text
    assert "Madu hutan" not in page
    answer = ask(coordinator, address, **{f"quantity-{honey}": "1"})
    assert answer.status_code == 422
    other = parcel_of(order, shop.ambon.id).id
    for path in (f"/seller/PKL/parcels/{other}/refund", f"/seller/NML/parcels/{other}/refund"):
        assert coordinator.get(path).status_code == 404
        assert post(coordinator, path, {f"quantity-{honey}": "1", "reason": "lost"}).status_code == 404
    assert refunds() == 0


def test_of_a_shared_refund_only_ones_own_part_shows(
    coordinator: FlaskClient, shop: Shop, order: Order
) -> None:
    wishes = [LineWish(line(order, "PKL-BATIK"), 1), LineWish(line(order, "NML-MADU"), 1)]
    propose(order.id, wishes, reason="lost", person_id=make_member("finance").id)
    make = propose(order.id, [], goodwill=1, reason="goodwill", person_id=make_member("finance").id)
    db.session.commit()
    assert make.amount == 1
    page = coordinator.get(address_of(order, shop)).text
    assert "Rp\u00a0100.000" in page
    assert "160.000" not in page


def test_a_head_reads_but_does_not_ask(app: Flask, shop: Shop, order: Order) -> None:
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    address = address_of(order, shop)
    assert "Minta pengembalian dana" not in head.get(address).text
    assert head.get(f"{address}/refund").status_code == 403
    assert post(head, f"{address}/refund", {"reason": "lost"}).status_code == 403


def test_only_who_asked_takes_it_back(app: Flask, coordinator: FlaskClient, shop: Shop, order: Order) -> None:
    address = address_of(order, shop)
    ask(coordinator, address, **{f"quantity-{line(order, 'PKL-BATIK')}": "1"})
    refund = db.session.scalars(select(Refund)).one()
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert post(other, f"{address}/refunds/{refund.id}/withdraw").status_code == 404
    assert post(coordinator, f"{address}/refunds/{refund.id}/withdraw").status_code == 303
    db.session.expire_all()
    assert refund.state == "rejected"
    assert post(coordinator, f"{address}/refunds/{refund.id}/withdraw").status_code == 409
    assert coordinator.get(f"{address}/refunds/{refund.id}/withdraw").status_code == 302


def test_an_unpaid_parcel_has_nothing_to_give_back(coordinator: FlaskClient, shop: Shop) -> None:
    unpaid = make_order((shop.batik, 1))
    db.session.commit()
    assert coordinator.get(f"{address_of(unpaid, shop)}/refund").status_code == 404


def test_when_all_is_asked_for_the_form_says_so(coordinator: FlaskClient, shop: Shop, order: Order) -> None:
    address = address_of(order, shop)
    ask(coordinator, address, **{f"quantity-{line(order, 'PKL-BATIK')}": "2", "shipping": "1"})
    page = coordinator.get(f"{address}/refund").text
    assert "Tidak ada lagi yang dapat diminta" in page
    assert "request_key" not in page
