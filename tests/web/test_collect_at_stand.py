"""Order now, collect at the stand: from the choice at checkout to the hand of whoever comes with the code."""

from __future__ import annotations

import datetime
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import days
from storefront.extensions import db
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.orders.models import Order
from storefront.shipping import stands
from storefront.stock.levels import store_location_id
from tests.after_sale import parcels_of
from tests.fairs import make_fair
from tests.selling import Shop, check_out, new_cart, open_shop, pay
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
    assert "Balai Kota, Semarang" in page and "10.00–20.00 WIB" in page
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
    assert "Balai Kota, Semarang" in page and "class=\"collect\"" not in page  # nothing to show before it is paid
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
    for ends, status in ((leaves + datetime.timedelta(stands.FAR - 1), 422), (leaves + datetime.timedelta(stands.FAR), 201)):
        fair.starts_on, fair.ends_on = min(fair.starts_on, ends), ends
        db_session.commit()
        answer = check_out(client, token, key=f"k{status}", shipping={"PKL": "stand-pameran-besar"}, address=None)
        assert answer.status_code == status, answer.text
