"""A facility rests: nothing of it can be ordered, promised days move, buyers are told once; it ends by its day."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.cart import lines, view
from storefront.catalogue import selling_ends, shown_state
from storefront.catalogue.models import Listing
from storefront.catalogue.product_page import product_page
from storefront.days import today
from storefront.errors import Invalid, ListingUnavailable, NotFound
from storefront.extensions import db
from storefront.facilities import rest
from storefront.facilities.models import Pause
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.mail.models import Message
from storefront.orders import making, promised
from storefront.orders.models import OrderLine, Parcel
from tests.factories import make_order, make_paid_order, make_person
from tests.selling import Shop, cart_with, check_out, new_cart, open_shop, order_of
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
DAY = datetime.timedelta(days=1)
WHY = "Bengkel ditata ulang.", "The workshop is being rearranged."


@pytest.fixture
def shop(db_session: Session) -> Shop:
    found = open_shop()
    shown_state.refresh_shown_state(None)
    db_session.commit()
    return found


@pytest.fixture
def person(shop: Shop, db_session: Session) -> int:
    found = make_person().id
    db_session.commit()
    return found


def paused(shop: Shop, person: int, first: int = 0, last: int = 6) -> Pause:
    row = promised.pause(shop.pekalongan.id, today() + first * DAY, today() + last * DAY, *WHY, person)
    return row


def state(session: Session, product_id: int) -> tuple[str, datetime.date | None]:
    row = session.execute(select(Listing.state, Listing.paused_until).where(Listing.product_id == product_id)).one()
    return row.state, row.paused_until


def test_while_it_rests_listings_say_so_and_nothing_can_be_ordered(
    shop: Shop, person: int, db_session: Session, client: FlaskClient
) -> None:
    cart_id, token = cart_with(("PKL-BATIK", 1), ("NML-MADU", 1)), new_cart(client, ("PKL-KURSI", 1))
    version = text("SELECT version FROM catalogue_version")
    before = db_session.scalar(version)
    until = paused(shop, person).last_day
    db_session.commit()
    assert db_session.scalar(version) > before, "pages that are kept say it at once"
    assert state(db_session, shop.batik.product_id) == ("sold_out", until)
    assert state(db_session, shop.honey.product_id) == ("few_left", None), "another facility goes on"

    page = product_page("kain-batik", "en")
    assert page is not None
    assert page.rests
    assert page.rest.reason == WHY[1]
    assert not any(variant.can_be_bought for variant in page.variants)
    seen = view.load(cart_id)
    assert [(problem.code, problem.sku) for problem in seen.problems] == [("listing_unavailable", "PKL-BATIK")]
    assert not seen.may_be_ordered
    with pytest.raises(ListingUnavailable):
        lines.add(cart_id, "PKL-BATIK", 1)
    db_session.rollback()
    listed = {item["slug"]: item["paused_until"] for item in client.get("/api/v1/products").json["items"]}
    assert listed["kain-batik"] == str(until)
    assert listed["madu"] is None
    feed = client.get("/feeds/products.xml?lang=id").text
    assert feed.count("out_of_stock") == 3
    answer = check_out(client, token)
    assert (answer.status_code, answer.json["code"]) == (409, "listing_unavailable")
    # What was agreed elsewhere is handed over whatever the calendar says.
    assert make_order((shop.batik, 1), channel="quote").id
    db_session.rollback()
    html = client.get("/products/kain-batik").text
    assert "Sedang istirahat sampai" in html
    assert 'id="beli"' not in html
    assert "Istirahat sampai" in client.get("/products").text


def test_it_ends_by_its_day_or_when_it_is_ended(
    shop: Shop, person: int, db_session: Session, owner_connection: Any
) -> None:
    until = paused(shop, person).last_day
    db_session.commit()
    # A week later, as the clock sees it: nobody has touched anything.
    for statement in (
        "ALTER TABLE pauses DISABLE TRIGGER paused_listings",
        "UPDATE pauses SET first_day = first_day - 20, last_day = last_day - 20",
        "ALTER TABLE pauses ENABLE TRIGGER paused_listings",
    ):
        owner_connection.execute(statement)
    owner_connection.commit()
    assert state(db_session, shop.batik.product_id) == ("sold_out", until)
    db_session.rollback()
    assert selling_ends.refresh_paused() == 3
    db_session.commit()
    assert selling_ends.refresh_paused() == 0
    assert state(db_session, shop.batik.product_id) == ("ready", None)
    row = paused(shop, person)
    db_session.commit()
    promised.end_pause(shop.pekalongan.id, row.id, person)
    db_session.commit()
    assert state(db_session, shop.batik.product_id) == ("ready", None)
    with pytest.raises(rest.Ended):
        promised.end_pause(shop.pekalongan.id, row.id, person)


def test_an_announced_one_moves_promised_days_and_tells_each_buyer_once(
    shop: Shop, person: int, db_session: Session, client: FlaskClient
) -> None:
    order = make_paid_order((shop.batik, 1), (shop.chair, 1))
    parcel = db_session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    other = make_paid_order((shop.honey, 1))
    db_session.commit()
    before = parcel.ready_by
    row = paused(shop, person, 3, 30)
    db_session.commit()
    db_session.refresh(parcel)
    assert parcel.ready_by > before
    assert parcel.ready_by > row.last_day
    # The chair takes fourteen days of work, and the pause takes none of them away.
    assert parcel.ready_by == ready_on(today(), 14, calendar_of(shop.pekalongan.id, today()))
    assert (parcel.ready_by - before).days in range(26, 33)
    told = select(Message.order_id).where(Message.kind == "parcel_later")
    assert db_session.scalars(told).all() == [order.id]
    assert db_session.scalars(select(Parcel.ready_by).where(Parcel.order_id == other.id)).one()

    # Sent twice over a bad line it is one pause, and one letter.
    assert paused(shop, person, 3, 30).id == row.id
    promised.move(shop.pekalongan.id, f"pause:{row.id}")
    db_session.commit()
    assert len(db_session.scalars(told).all()) == 1
    assert state(db_session, shop.batik.product_id)[1] is None, "it has not begun"
    html = client.get("/products/kain-batik").text
    assert WHY[0] in html
    assert 'id="beli"' in html

    promised.end_pause(shop.pekalongan.id, row.id, person)
    db_session.commit()
    db_session.refresh(parcel)
    assert parcel.ready_by == before
    assert len(db_session.scalars(told).all()) == 1, "an earlier day needs no letter"


def test_own_days_off_and_packing_days_move_every_promise(shop: Shop, person: int, db_session: Session) -> None:
    facility_id = shop.pekalongan.id

    def promise() -> datetime.date:
        offer = product_page("kain-batik", "id").shown  # type: ignore[union-attr]
        goods = view.load(cart_id).parcels[0]
        own = calendar_of(facility_id, today())
        assert goods.leaves_on(today(), own) == offer.ready_on  # type: ignore[union-attr]
        return offer.ready_on  # type: ignore[union-attr]

    cart_id = cart_with(("PKL-BATIK", 1))
    before = promise()
    row = promised.take_off(facility_id, before, before, "Upacara", person)
    assert promised.take_off(facility_id, before, before, "Upacara", person).id == row.id
    db_session.commit()
    assert promise() > before
    order = make_paid_order((shop.batik, 1))
    parcel = db_session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    assert parcel.ready_by > before
    promised.put_back(facility_id, row.id, person)
    promised.put_back(facility_id, row.id, person)
    db_session.commit()
    assert promise() == before
    only = (before + DAY).isoweekday()
    promised.pack_on(facility_id, [only], person)
    db_session.commit()
    assert promise().isoweekday() == only
    with pytest.raises(Invalid):
        promised.pack_on(facility_id, [], person)
    with pytest.raises(NotFound):
        promised.put_back(shop.ambon.id, row.id, person)


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [
        (-1, 3, WHY[0], "first_day"),
        (3, 2, WHY[0], "last_day"),
        (0, 200, WHY[0], "last_day"),
        (400, 401, WHY[0], "first_day"),
        (0, 3, "x", "reason"),
        (0, 3, "Hubungi 0812 3456 7890 saja", "reason"),
    ],
)
def test_bad_input_is_said_beside_its_field(
    shop: Shop, person: int, first: int, last: int, reason: str, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        rest.pause(shop.pekalongan.id, today() + first * DAY, today() + last * DAY, reason, WHY[1], person)
    assert list(refusal.value.errors) == [field]


def test_of_two_pauses_at_once_one_is_kept(app: Flask, shop: Shop, person: int, db_session: Session) -> None:
    facility_id = shop.pekalongan.id

    def call(last: int) -> Any:
        def act() -> int:
            with app.app_context():
                row = promised.pause(facility_id, today(), today() + last * DAY, *WHY, person)
                found = row.id
                db.session.commit()
                return found

        return act

    results = at_once([call(last) for last in (2, 4, 6)])
    assert sum(isinstance(result, int) for result in results) == 1, results
    assert all(isinstance(result, (int, Invalid)) for result in results), results
    assert len(db_session.scalars(select(Pause)).all()) == 1


def test_made_to_order_pieces_wait_for_the_week_they_are_made_in(
    app: Flask, shop: Shop, db_session: Session, client: FlaskClient
) -> None:
    shop.chair.weekly_capacity = 2
    db_session.commit()
    carts = [cart_with(("PKL-KURSI", 1)) for _ in range(4)]
    results = at_once([order_of(app, cart_id, f"key-{cart_id}") for cart_id in carts])
    assert not [result for result in results if isinstance(result, Exception)], results
    leads = sorted(db_session.scalars(select(OrderLine.lead_time_days)))
    assert leads == [14, 14, 21, 21], "two chairs a week, whoever came first"
    version = db_session.scalar(text("SELECT version FROM catalogue_version"))
    assert making.refresh_queues() == 1
    db_session.commit()
    assert db_session.scalar(text("SELECT version FROM catalogue_version")) > version
    assert product_page("kursi-teras", "id").shown.lead_time_days == 28  # type: ignore[union-attr]
    assert view.load(cart_with(("PKL-KURSI", 1))).lines[0].lead_time_days == 28
    assert view.load(cart_with(("PKL-KURSI", 3))).lines[0].lead_time_days == 35, "the last of three is a week later"
    # What is packed or was never paid makes room.
    db_session.execute(text("UPDATE parcels SET state = 'cancelled'"))
    assert making.refresh_queues() == 1
    db_session.commit()
    assert product_page("kursi-teras", "id").shown.lead_time_days == 14  # type: ignore[union-attr]
