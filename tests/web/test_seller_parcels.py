"""A coordinator packs and sends, and learns of the buyer no more than the parcel needs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.orders.models import Order, Parcel
from storefront.orders.place import Contact
from tests.factories import make_order, make_paid_order, method_id
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

BUYER = ("Murniati", "+628123456789", "Jl. Melati 1", "Pekalongan Barat", "51111")


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def order(shop: Shop, db_session: DbSession) -> Order:
    """Paid: two pieces of batik from one facility, honey from the other."""
    contact = Contact("Murniati", "murniati@example.test", "+628123456789")
    order = make_paid_order((shop.batik, 2), (shop.honey, 1), contact=contact)
    db_session.commit()
    return order


@pytest.fixture
def parcel(order: Order, shop: Shop, db_session: DbSession) -> Parcel:
    return db_session.scalars(select(Parcel).where(Parcel.facility_id == shop.pekalongan.id)).one()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


@pytest.fixture
def head(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))


def test_a_paid_order_is_to_pack_with_the_day_it_was_promised(coordinator: FlaskClient, order: Order) -> None:
    page = coordinator.get("/seller/PKL/").text
    assert f"{order.number}/1" in page
    assert "Kain batik" in page
    assert "Janji:" in page
    assert "dibayar hari ini" in page


def test_an_unpaid_order_is_nobodys_work(coordinator: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    order = make_order((shop.batik, 1))
    db_session.commit()
    assert order.number not in coordinator.get("/seller/PKL/parcels").text
    waiting = db_session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    assert coordinator.get(f"/seller/PKL/parcels/{waiting.id}").status_code == 404


def test_of_a_shared_order_only_ones_own_lines_show(coordinator: FlaskClient, parcel: Parcel) -> None:
    page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}").text
    assert "Kain batik" in page
    assert "Madu hutan" not in page
    assert "NML" not in page
    assert "Rp\u00a0200.000" in page
    assert "260.000" not in page


def test_packed_shipped_received(coordinator: FlaskClient, parcel: Parcel, db_session: DbSession) -> None:
    address = f"/seller/PKL/parcels/{parcel.id}"
    assert post(coordinator, f"{address}/packed").status_code == 303
    missing = post(coordinator, f"{address}/shipped", {"courier": ""})
    assert missing.status_code == 422
    assert "Pilih kurirnya." in missing.text
    sent = post(coordinator, f"{address}/shipped", {"courier": "JNE", "tracking": " JT0001 "})
    assert sent.status_code == 303
    db_session.refresh(parcel)
    assert (parcel.state, parcel.courier, parcel.tracking) == ("shipped", "JNE", "JT0001")
    # The shopper is told of the order's steps, never of each parcel's (tests/web/test_after_order.py).
    assert db_session.scalar(select(func.count()).where(Message.parcel_id.is_not(None))) == 0
    assert post(coordinator, f"{address}/received").status_code == 303
    db_session.refresh(parcel)
    assert parcel.state == "received"
    trail = db_session.scalars(
        select(AuditEvent).where(AuditEvent.subject_kind == "parcel").order_by(AuditEvent.id)
    )
    assert [event.action for event in trail] == ["parcel.packed", "parcel.shipped", "parcel.received"]


def test_a_courier_that_is_not_listed_is_written_by_hand(
    coordinator: FlaskClient, parcel: Parcel, db_session: DbSession
) -> None:
    address = f"/seller/PKL/parcels/{parcel.id}"
    post(coordinator, f"{address}/packed")
    assert post(coordinator, f"{address}/shipped", {"courier": "other"}).status_code == 422
    form = {"courier": "other", "other_courier": "Kapal Pelni", "tracking": ""}
    assert post(coordinator, f"{address}/shipped", form).status_code == 303
    db_session.refresh(parcel)
    assert (parcel.courier, parcel.tracking) == ("Kapal Pelni", None)


def test_packing_can_be_undone(coordinator: FlaskClient, parcel: Parcel, db_session: DbSession) -> None:
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed")
    assert post(coordinator, f"/seller/PKL/parcels/{parcel.id}/to-pack").status_code == 303
    db_session.refresh(parcel)
    assert parcel.state == "to_pack"


def test_a_second_click_comes_too_late_and_says_so(coordinator: FlaskClient, parcel: Parcel) -> None:
    assert post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed").status_code == 303
    again = post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed")
    assert again.status_code == 409
    assert "sudah berubah" in again.text


def test_what_is_collected_is_laid_ready_never_shipped(
    coordinator: FlaskClient, parcel: Parcel, db_session: DbSession
) -> None:
    values = {"is_pickup": True, "shipping_amount": 0, "method_id": method_id("pickup")}
    db_session.execute(update(Parcel).where(Parcel.id == parcel.id).values(values))
    db_session.commit()
    address = f"/seller/PKL/parcels/{parcel.id}"
    post(coordinator, f"{address}/packed")
    assert post(coordinator, f"{address}/shipped", {"courier": "JNE"}).status_code == 409
    assert post(coordinator, f"{address}/ready").status_code == 303
    db_session.refresh(parcel)
    assert parcel.state == "ready"


def test_the_head_reads_and_changes_nothing(head: FlaskClient, parcel: Parcel, db_session: DbSession) -> None:
    page = head.get(f"/seller/PKL/parcels/{parcel.id}")
    assert page.status_code == 200
    assert "Tandai dikemas" not in page.text
    assert not [word for word in BUYER if word in page.text]
    assert post(head, f"/seller/PKL/parcels/{parcel.id}/packed").status_code == 403
    assert head.get(f"/seller/PKL/parcels/{parcel.id}/label").status_code == 403
    db_session.refresh(parcel)
    assert parcel.state == "to_pack"


def test_the_buyer_stands_on_the_parcel_and_the_label(coordinator: FlaskClient, parcel: Parcel) -> None:
    for address in ("", "/label"):
        page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}{address}").text
        assert [word for word in BUYER if word not in page] == []
        assert "@example.test" not in page


@pytest.mark.parametrize("address", ["parcels", "pick-list", "", "sales", "products"])
def test_no_list_names_a_buyer(coordinator: FlaskClient, parcel: Parcel, address: str) -> None:
    page = coordinator.get(f"/seller/PKL/{address}").text
    assert [word for word in BUYER if word in page] == []


def test_the_packing_slip_carries_order_parcel_and_pieces_only(
    coordinator: FlaskClient, order: Order, parcel: Parcel
) -> None:
    page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}/slip").text
    assert order.number in page
    assert "PKL-BATIK" in page
    assert [word for word in (*BUYER, "200.000", "Madu") if word in page] == []


def test_thirty_days_after_it_was_received_the_buyer_is_masked(
    coordinator: FlaskClient, parcel: Parcel, db_session: DbSession
) -> None:
    past = {name: func.now() - timedelta(days=31) for name in ("packed_at", "shipped_at", "received_at")}
    for state in ("packed", "shipped", "received"):
        db_session.execute(
            update(Parcel).where(Parcel.id == parcel.id).values(state=state, courier="JNE", **past)
        )
    db_session.commit()
    page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}").text
    assert [word for word in BUYER if word in page] == []
    assert "disembunyikan" in page
    assert coordinator.get(f"/seller/PKL/parcels/{parcel.id}/label").status_code == 404


def test_the_list_is_filtered_paged_and_linked(
    coordinator: FlaskClient, shop: Shop, order: Order, parcel: Parcel, db_session: DbSession
) -> None:
    post(coordinator, f"/seller/PKL/parcels/{parcel.id}/packed")
    assert order.number in coordinator.get("/seller/PKL/parcels?state=packed").text
    assert order.number not in coordinator.get("/seller/PKL/parcels?state=to_pack").text
    assert order.number in coordinator.get("/seller/PKL/parcels?state=nonsense").text
    assert coordinator.get("/seller/PKL/parcels?page=99999999999999999999").status_code == 200
    assert coordinator.get("/seller/PKL/parcels?page=-3").status_code == 200


def test_what_was_promised_first_stands_first(
    coordinator: FlaskClient, shop: Shop, order: Order, db_session: DbSession
) -> None:
    late = make_paid_order((shop.batik, 1))
    parcel = db_session.scalars(select(Parcel).where(Parcel.order_id == late.id)).one()
    parcel.ready_by = parcel.ready_by - timedelta(days=9)  # type: ignore[operator]
    db_session.commit()
    page = coordinator.get("/seller/PKL/").text
    assert page.index(late.number) < page.index(order.number)
    assert "Lewat janji" in page


def test_a_text_of_the_buyer_is_text(coordinator: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    contact = Contact("<script>alert(1)</script>{{ 7*7 }}", "x@example.test", "+628123456780")
    order = make_paid_order((shop.batik, 1), contact=contact)
    db_session.commit()
    parcel = db_session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    page = coordinator.get(f"/seller/PKL/parcels/{parcel.id}/label").text
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page


def test_a_longer_list_costs_no_more_queries(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    def queries(address: str) -> int:
        seen: list[str] = []
        engine = db.engine

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            assert coordinator.get(address).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    make_paid_order((shop.batik, 1))
    db_session.commit()
    pages = ("/seller/PKL/", "/seller/PKL/parcels", "/seller/PKL/products", "/seller/PKL/sales")
    few = [queries(page) for page in pages]
    for _ in range(3):
        make_paid_order((shop.batik, 1), (shop.chair, 1))
    db_session.commit()
    assert [queries(page) for page in pages] == few
    assert few[0] <= 23, "what waits costs one query for each room that has something to say"
    assert max(few[1:]) <= 12
