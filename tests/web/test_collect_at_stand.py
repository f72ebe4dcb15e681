"""Order now, collect at the stand: from the choice at checkout to the hand of whoever comes with the code."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.catalogue.short_codes import short_code
from storefront.display import format_date, format_day
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.mail.models import Message
from storefront.orders import at_stand
from storefront.orders.models import Order, Parcel
from storefront.orders.pickups import remind_waiting
from storefront.shipping import stand_offers
from storefront.stock.levels import store_location_id
from tests.after_sale import body, letter, parcels_of
from tests.clones import Clone
from tests.fairs import make_fair
from tests.selling import Shop, check_out, new_cart, open_shop, pay
from tests.staff import make_account, post, sign_in
from tests.stand import broken, make_cashier
from tests.threads import while_held
from tests.web.test_cart_pages import BUYER, hidden

WHO = {name: BUYER[name] for name in ("name", "email", "phone")}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def choices(page: str, code: str) -> list[str]:
    """What may be chosen for a facility's parcel on the checkout's page."""
    return re.findall(rf'name="shipping-{code}" value="([^"]+)"', page)


def test_each_facility_at_the_fair_offers_its_stand_beside_the_gallery(shop: Shop, client: FlaskClient) -> None:
    fair = make_fair(shop.pekalongan, opens=2, ends=40, slug="pameran-besar")
    make_fair(shop.pekalongan, opens=-30, ends=-1, slug="sudah-lewat")
    campaign = make_fair(shop.pekalongan, opens=2, ends=40, slug="kampanye")
    campaign.kind = "campaign"
    fair.hours = "10.00–20.00 WIB"
    db.session.commit()
    client.post("/cart/add", data={"sku": "PKL-TEMPE", "quantity": 1})
    client.post("/cart/add", data={"sku": "NML-MADU", "quantity": 1})
    form = {**BUYER, **hidden(client.get("/checkout"))}
    page = client.post("/checkout/shipping", data={**form, "province": "Maluku", "city": "Ambon"}).text
    # Tempeh is not sent to Maluku; it is collected anywhere.
    assert choices(page, "PKL") == ["pickup", "stand-pameran-besar"]
    assert "stand-pameran-besar" not in choices(page, "NML")
    assert f"Ambil di stan {fair.name}" in page
    assert "Balai Kota, Semarang" in page
    assert "10.00–20.00 WIB" in page
    english = client.post("/en/checkout/shipping", data=form).text
    assert f"Collect at the stand of {fair.name}" in english


def test_collected_alone_it_needs_no_address_and_its_pieces_come_from_the_store(
    shop: Shop, client: FlaskClient, db_session: Session
) -> None:
    fair = make_fair(shop.pekalongan, opens=2, ends=40, slug="pameran-besar")
    client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": 2})
    form = {**hidden(client.get("/checkout")), **WHO, "shipping-PKL": "stand-pameran-besar"}
    form |= hidden(client.post("/checkout/shipping", data=form))
    assert form["expected_total"] == "200000"
    placed = client.post("/checkout", data={**form, **WHO, "shipping-PKL": "stand-pameran-besar"})
    assert placed.status_code == 303, placed.text
    order = db_session.query(Order).one()
    assert (order.channel, order.exhibition_id, order.shipping_total, order.address) == ("online", None, 0, None)
    (parcel,) = parcels_of(order.id)
    assert (parcel.exhibition_id, parcel.is_pickup) == (fair.id, True)
    level = "SELECT on_hand, reserved FROM stock_levels WHERE variant_id = :variant AND location_id = :place"
    values = {"variant": shop.batik.id, "place": store_location_id(shop.pekalongan.id)}
    assert db_session.execute(text(level), values).one() == (5, 2)
    db_session.rollback()
    page = client.get(f"/orders/{order.number}").text
    assert "Balai Kota, Semarang" in page
    assert "class=\"collect\"" not in page
    pay(db_session.execute(text("SELECT id FROM payments")).scalar_one())
    page = client.get(f"/orders/{order.number}").text
    assert "<svg" in page.split('class="collect"')[1].split("</figure>")[0]
    assert db_session.execute(text(level), values).one() == (3, 0)


def test_a_mixed_order_is_sent_and_collected(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    fair = make_fair(shop.pekalongan, opens=2, ends=40, slug="pameran-besar")
    token = new_cart(client, ("PKL-BATIK", 1), ("NML-MADU", 1))
    where = {"province": "Jawa Tengah", "city": "Semarang", "district": "Banyumanik"}
    quoted = client.get(f"/api/v1/carts/{token}/shipping", query_string=where).json["parcels"]
    offered = quoted[0]["options"][-1]
    assert (offered["method"], offered["pickup"], offered["amount"]) == ("stand-pameran-besar", True, 0)
    assert offered["name"].startswith(f"Ambil di stan {fair.name}, Balai Kota, Semarang, ")
    assert [option["method"] for option in quoted[1]["options"]][-1] == "pickup"
    # Not at the fair: the other facility's goods are not collected there.
    refused = check_out(client, token, shipping={"NML": "stand-pameran-besar"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["shipping.NML"])
    answer = check_out(client, token, key="k2", shipping={"PKL": "stand-pameran-besar"})
    assert answer.status_code == 201, answer.text
    assert [(p["facility"], p["shipping"]["method"]) for p in answer.json["order"]["parcels"]] == [
        ("PKL", "stand"),
        ("NML", "regular"),
    ]
    order = db_session.query(Order).one()
    assert order.address is not None
    assert [parcel.exhibition_id for parcel in parcels_of(order.id)] == [fair.id, None]


@pytest.mark.parametrize(("sku", "lead"), [("PKL-BATIK", None), ("PKL-KURSI", 14)])
def test_the_last_day_to_order_is_the_last_on_which_the_goods_can_be_there(
    shop: Shop, client: FlaskClient, db_session: Session, sku: str, lead: int | None
) -> None:
    fair = make_fair(shop.pekalongan, opens=2, ends=60, slug="pameran-besar")
    today = days.today()
    leaves = ready_on(today, lead, calendar_of(shop.pekalongan.id, today))
    token = new_cart(client, (sku, 1))
    there = leaves + datetime.timedelta(stand_offers.FAR)
    for ends, status in ((there - datetime.timedelta(1), 422), (there, 201)):
        fair.starts_on, fair.ends_on = min(fair.starts_on, ends), ends
        db_session.commit()
        answer = check_out(client, token, key=f"k{status}", shipping={"PKL": "stand-pameran-besar"}, address=None)
        assert answer.status_code == status, answer.text


@dataclass(frozen=True)
class Bought:
    """A paid order with one parcel for the stand, and whoever has to do with it."""

    fair: Exhibition
    number: str
    order_id: int
    parcel_id: int
    buyer: FlaskClient
    coordinator: FlaskClient
    cashier: FlaskClient

    @property
    def parcel(self) -> Parcel:
        return parcels_of(self.order_id)[0]


@pytest.fixture
def bought(app: Flask, shop: Shop, client: FlaskClient, db_session: Session) -> Bought:
    """One piece of batik to collect at a fair that runs to the thirtieth day from today."""
    fair = make_fair(shop.pekalongan, shop.ambon, opens=-1, ends=30, slug="pameran-besar")
    fair.hours = "10.00–20.00 WIB"
    db_session.commit()
    token = new_cart(client, ("PKL-BATIK", 1))
    answer = check_out(client, token, shipping={"PKL": "stand-pameran-besar"}, address=None)
    pay(answer.json["payment"]["id"])
    order = db_session.query(Order).one()
    client.get(f"/orders/{order.number}", query_string={"token": answer.json["order"]["token"]})
    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    cashier = sign_in(app.test_client(), make_cashier(fair))
    return Bought(fair, order.number, order.id, parcels_of(order.id)[0].id, client, coordinator, cashier)


def taken(bought: Bought, *steps: str) -> None:
    """Steps that the coordinator takes, by their buttons."""
    for step in steps:
        answer = post(bought.coordinator, f"/seller/PKL/parcels/{bought.parcel_id}/{step}")
        assert answer.status_code == 303, answer.text


def test_from_the_packing_queue_to_the_hand_of_its_buyer(
    bought: Bought, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    until = format_day(bought.fair.ends_on)
    queue = bought.coordinator.get("/seller/PKL/parcels").text
    assert f"Ambil di stan {bought.fair.name} · sampai {until}" in queue
    listed = bought.coordinator.get("/seller/PKL/exhibitions/pameran-besar").text
    assert f"{bought.number}/1" in listed
    assert "Pesanan yang diambil di stan" in listed
    paper = bought.coordinator.get("/seller/PKL/exhibitions/pameran-besar/packing-list.pdf")
    assert paper.mimetype == "application/pdf"
    taken(bought, "packed", "left", "left")
    assert (bought.parcel.state, bought.parcel.left_at is not None) == ("packed", True)
    assert "Dalam perjalanan ke stan pameran" in bought.buyer.get(f"/orders/{bought.number}").text
    page = bought.cashier.get("/counter/pameran-besar/orders").text
    assert bought.number in page
    assert "Sari" in page
    assert "Lunas" in page
    assert "0812" not in page
    assert "812" not in page.replace(bought.number, "")
    assert "Melati" not in page
    assert "Serahkan<" not in page
    arrived = f"/counter/pameran-besar/orders/{bought.parcel_id}/arrived"
    for _twice in range(2):
        assert post(bought.cashier, arrived).status_code == 303
    run_jobs()
    told = body(letter(f"order:{bought.order_id}:order_all_sent"))
    assert f"siap diambil di stan {bought.fair.name}, Balai Kota, Semarang" in told
    assert "10.00–20.00 WIB" in told
    assert 'bgcolor="#000000"' in body(letter(f"order:{bought.order_id}:order_paid"), "html")
    shown = bought.buyer.get(f"/orders/{bought.number}").text
    assert "Tunjukkan kode QR" in shown
    assert f"Terakhir diambil {until}" in shown
    # The hand scanner types the number; a part of it finds it too, three letters do not.
    label = f"https://toko.test/p/{short_code('parcel', bought.parcel_id)}"
    db_session.commit()
    part = bought.number[3:7].lower()
    for typed, found in ((label, True), (bought.number, True), (part, True), (bought.number[:2], False)):
        page = bought.cashier.get("/counter/pameran-besar/orders", query_string={"q": typed}).text
        assert ("Serahkan<" in page) is found
    over = f"/counter/pameran-besar/orders/{bought.parcel_id}/handed-over"
    assert "Diserahkan." in post(bought.cashier, over, follow_redirects=True).text
    assert "sudah diserahkan sebelumnya" in post(bought.cashier, over, follow_redirects=True).text
    assert bought.parcel.state == "received"
    acts = db_session.scalars(select(AuditEvent.action).where(AuditEvent.subject_kind == "parcel")).all()
    assert acts.count("parcel.received") == acts.count("parcel.ready") == acts.count("parcel.left") == 1
    assert broken() == []


def test_a_cashier_of_another_fair_finds_nothing(bought: Bought, shop: Shop, app: Flask) -> None:
    other = make_fair(shop.pekalongan, slug="pameran-lain")
    cashier = sign_in(app.test_client(), make_cashier(other))
    assert cashier.get("/counter/pameran-besar/orders").status_code == 404
    assert bought.number not in cashier.get("/counter/pameran-lain/orders").text
    taken(bought, "packed", "ready")
    for step in ("arrived", "handed-over"):
        assert post(cashier, f"/counter/pameran-lain/orders/{bought.parcel_id}/{step}").status_code == 404
    assert bought.parcel.state == "ready"


def test_two_cashiers_hand_it_over_once(app: Flask, bought: Bought, db_session: Session, database: Clone) -> None:
    taken(bought, "packed", "ready")
    people = [make_cashier(bought.fair).id for _two in range(2)]
    fair_id, parcel_id = bought.fair.id, bought.parcel_id
    db_session.commit()

    def hand_over(who: int) -> Callable[[], bool]:
        def call() -> bool:
            with app.app_context():
                done = at_stand.hand_out(fair_id, parcel_id, who)
                db.session.commit()
                return done

        return call

    held = f"SELECT FROM parcels WHERE id = {parcel_id} FOR UPDATE"
    assert sorted(map(str, while_held(database.addresses["postgres"], held, [hand_over(who) for who in people]))) == [
        "False",
        "True",
    ]
    received = select(func.count()).where(AuditEvent.action == "parcel.received")
    assert db_session.scalar(received) == 1


def test_nobody_comes_reminded_then_given_up_after_the_last_day(
    bought: Bought, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    taken(bought, "packed", "ready")
    run_jobs()
    shipped = "UPDATE parcels SET shipped_at = now() - interval '3 days'"
    db_session.execute(text(shipped))
    db_session.commit()
    assert remind_waiting() == 0  # the fair goes on for weeks
    last = days.today() + datetime.timedelta(days=1)
    db_session.execute(text("UPDATE exhibitions SET ends_on = :last"), {"last": last})
    db_session.commit()
    assert (remind_waiting(), remind_waiting()) == (1, 0)
    run_jobs()
    told = body(letter(f"parcel:{bought.parcel_id}:pickup_waiting"))
    assert format_date(last) in told
    assert "Balai Kota, Semarang" in told
    address = f"/seller/PKL/parcels/{bought.parcel_id}"
    assert "Tidak diambil</a>" not in bought.coordinator.get(address).text
    line = bought.parcel.lines[0].order_line_id
    form = {f"restock-{line}": "1", f"write_off-{line}": "0", "note": "", "request_key": "k" * 20}
    assert post(bought.coordinator, f"{address}/not-collected", form).status_code == 409
    over = "UPDATE exhibitions SET starts_on = starts_on - 9, ends_on = :day"
    db_session.execute(text(over), {"day": last - datetime.timedelta(days=2)})
    db_session.commit()
    assert "kiriman tidak diambil di stan pameran" in bought.coordinator.get("/seller/PKL/").text
    assert "Tidak diambil</a>" in bought.coordinator.get(address).text
    assert post(bought.coordinator, f"{address}/not-collected", form).status_code == 303
    assert bought.parcel.state == "returned"
    level = "SELECT on_hand FROM stock_levels s JOIN variants v ON v.id = s.variant_id WHERE v.sku = 'PKL-BATIK'"
    assert db_session.execute(text(level)).scalar_one() == 5
    assert db_session.execute(text("SELECT reason, state FROM refunds")).one() == ("not_collected", "proposed")


def test_the_fair_may_move_and_not_leave_its_buyers_behind(
    bought: Bought, shop: Shop, app: Flask, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    admin = sign_in(app.test_client(), make_account("administrator"))
    fair = bought.fair
    data = {"name": fair.name, "venue": fair.venue, "city": fair.city, "kind": "hall",
            "starts_on": fair.starts_on.isoformat(), "ends_on": fair.ends_on.isoformat()}  # fmt: skip
    address = "/admin/exhibitions/pameran-besar"
    for change in ({"kind": "campaign"}, {"ends_on": fair.starts_on.isoformat()}):
        refused = post(admin, address, {**data, **change})
        assert refused.status_code == 422
        assert bought.number in refused.text
    db_session.execute(text("UPDATE parcels SET ready_by = current_date + 20"))
    db_session.commit()
    sooner = {"ends_on": (days.today() + datetime.timedelta(days=10)).isoformat()}
    refused = post(admin, address, {**data, **sooner})
    assert refused.status_code == 422
    assert "tidak sempat diambil" in refused.text
    ids = {"was": [str(shop.pekalongan.id), str(shop.ambon.id)], "facility": [str(shop.ambon.id)]}
    refused = post(admin, f"{address}/facilities", ids)
    assert refused.status_code == 422
    assert bought.number in refused.text
    moved = post(admin, address, {**data, "venue": "Gedung Serbaguna"})
    assert moved.status_code == 303
    run_jobs()
    keys = db_session.scalars(select(Message.key).where(Message.kind == "stand_moved")).all()
    assert len(keys) == 1
    assert "Gedung Serbaguna" in body(letter(keys[0]))


def test_the_database_keeps_a_parcel_and_its_fair_together(
    bought: Bought, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("DELETE FROM exhibition_facilities WHERE facility_id <> (SELECT facility_id FROM parcels)")
    for statement in (
        "UPDATE parcels SET exhibition_id = NULL",
        "UPDATE parcels SET method_id = (SELECT id FROM shipping_methods WHERE code = 'pickup')",
        "UPDATE parcels SET is_pickup = false",
        "UPDATE parcels SET facility_id = (SELECT id FROM facilities WHERE code = 'NML')",
        "DELETE FROM exhibition_facilities WHERE facility_id = (SELECT facility_id FROM parcels)",
        "UPDATE exhibitions SET kind = 'campaign' WHERE slug = 'pameran-besar'",
        "DELETE FROM exhibitions WHERE slug = 'pameran-besar'",
    ):
        with pytest.raises(psycopg.Error), owner_connection.transaction():
            owner_connection.execute(statement)
