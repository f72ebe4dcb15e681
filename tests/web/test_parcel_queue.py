"""The packing queue: what the address asks for, and one step for many parcels with a verdict for each row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.orders import parcel_steps, ship
from storefront.orders.models import Order, Parcel
from tests.after_sale import kinds
from tests.clones import Clone
from tests.factories import make_paid_order, make_person, method_id
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.threads import while_held


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


def own(order: Order, shop: Shop) -> Parcel:
    query = select(Parcel).where(Parcel.order_id == order.id, Parcel.facility_id == shop.pekalongan.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


@pytest.fixture
def parcels(shop: Shop, db_session: DbSession) -> list[Parcel]:
    """Batik that is late, tempeh to be collected, a chair that was sent."""
    late, collected, sent = (
        own(make_paid_order((variant, 1)), shop) for variant in (shop.batik, shop.tempeh, shop.chair)
    )
    late.ready_by = days.today() - timedelta(days=2)
    collected.is_pickup, collected.shipping_amount, collected.method_id = True, 0, method_id("pickup")
    person = make_person()
    ship.mark_packed(sent.id, person.id)
    ship.mark_shipped(sent.id, "Kapal Pelni", "CGK-77", person.id)
    db_session.commit()
    return [late, collected, sent]


def test_every_filter_stands_in_the_address_and_finds_its_parcels(
    coordinator: FlaskClient, shop: Shop, parcels: list[Parcel]
) -> None:
    numbers = [parcel.order.number for parcel in parcels]
    bengkel = {w.name: w.id for w in shop.pekalongan.workshops}
    plain = numbers[1].replace("-", "")[2:].lower()
    for query, found in {
        "state=shipped": {2}, "due=late": {0}, "due=week": {0, 1}, f"day={days.today() - timedelta(days=2)}": {0},
        "way=pickup": {1}, "way=delivery": {0, 2}, "courier=Kapal+Pelni": {2}, f"workshop={bengkel['Dapur']}": {1},
        f"workshop={bengkel['Batik']}&state=to_pack": {0}, f"q={plain}": {1}, f"q={numbers[0]}/1": {0}, "q=cgk-77": {2},
        f"q={numbers[0]}/2": set(), "q=%25": set(), "q=_": set(), "due=nonsense&workshop=x&day=x&size=7": {0, 1, 2},
        "sort=number": {0, 1, 2}, "sort=newest": {0, 1, 2}, "sort=oldest&size=50": {0, 1, 2},
    }.items():  # fmt: skip
        page = coordinator.get(f"/seller/PKL/parcels?{query}").text
        assert {i for i, number in enumerate(numbers) if f">{number}/1<" in page} == found, query
    page = coordinator.get("/seller/PKL/parcels?sort=oldest").text
    assert page.index(numbers[0]) < page.index(numbers[1]) < page.index(numbers[2])


def test_the_filter_is_kept_on_the_way_there_and_back(coordinator: FlaskClient, parcels: list[Parcel]) -> None:
    queue = coordinator.get("/seller/PKL/parcels?state=to_pack&due=late&sort=oldest").text
    link = f"/seller/PKL/parcels/{parcels[0].id}?state=to_pack&amp;due=late&amp;sort=oldest"
    assert link in queue
    parcel = coordinator.get(link.replace("&amp;", "&")).text
    assert 'href="/seller/PKL/parcels?state=to_pack&amp;due=late&amp;sort=oldest"' in parcel
    done = post(coordinator, f"/seller/PKL/parcels/{parcels[0].id}/packed?due=late&sort=oldest")
    assert done.headers["Location"].endswith("?due=late&sort=oldest")
    many = post(coordinator, "/seller/PKL/parcels/steps?way=pickup", {"parcel": parcels[1].id, "step": "packed"})
    assert 'href="/seller/PKL/parcels?way=pickup"' in many.text
    assert coordinator.get("/seller/PKL/parcels/steps?way=pickup").headers["Location"].endswith("?way=pickup")


def test_each_row_has_its_verdict_and_a_moved_row_stops_no_other(
    app: Flask, coordinator: FlaskClient, shop: Shop, parcels: list[Parcel], db_session: DbSession
) -> None:
    late, collected, sent = parcels
    other = db_session.scalars(
        select(Parcel.id).where(Parcel.order_id == make_paid_order((shop.honey, 1)).id)
    ).one()
    db_session.commit()
    ids = [late.id, collected.id, sent.id, other, "9" * 30, "x"]
    form = {"parcel": ids, "step": "packed"}
    page = post(coordinator, "/seller/PKL/parcels/steps", form)
    assert page.status_code == 200
    assert "2 kiriman berubah. 1 tidak" in page.text
    assert [p.state for p in parcels] == ["packed", "packed", "shipped"]
    assert db_session.get_one(Parcel, other).state == "to_pack"  # another facility's does not exist here
    again = post(coordinator, "/seller/PKL/parcels/steps", form).text
    assert "0 kiriman berubah." in again
    assert again.count("Sudah sebelumnya") == 2
    assert db_session.scalar(select(func.count()).where(AuditEvent.action == "parcel.packed")) == 3
    # Sent: what is collected lies ready, what is carried needs a courier; nothing ticked is lost.
    without = post(coordinator, "/seller/PKL/parcels/steps", {"parcel": [late.id, collected.id], "step": "sent"})
    assert without.status_code == 422
    assert 'id="f-courier-sent-error"' in without.text
    assert without.text.count(" checked>") == 2
    assert post(coordinator, "/seller/PKL/parcels/steps", {"step": "packed"}).status_code == 422
    form = {"parcel": [late.id, collected.id], "step": "sent", "courier": "JNE"}
    assert "2 kiriman berubah." in post(coordinator, "/seller/PKL/parcels/steps", form).text
    db_session.expire_all()
    assert [(p.state, p.courier) for p in parcels] == [("shipped", "JNE"), ("ready", None), ("shipped", "Kapal Pelni")]
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    assert post(head, "/seller/PKL/parcels/steps", form).status_code == 403
    assert 'name="parcel"' not in head.get("/seller/PKL/parcels").text


def test_packing_many_can_be_undone(coordinator: FlaskClient, parcels: list[Parcel]) -> None:
    ids = [parcels[0].id, parcels[1].id]
    for step, state in (("packed", "packed"), ("to_pack", "to_pack")):
        post(coordinator, "/seller/PKL/parcels/steps", {"parcel": ids, "step": step})
        db.session.expire_all()
        assert [parcel.state for parcel in parcels[:2]] == [state, state]


def test_two_people_who_pack_the_same_parcels_pack_each_once(
    app: Flask, shop: Shop, parcels: list[Parcel], database: Clone
) -> None:
    ids, facility, person = [p.id for p in parcels[:2]], shop.pekalongan.id, make_person().id
    db.session.commit()

    def pack(order: Callable[[list[int]], list[int]]) -> Callable[[], list[str]]:
        def call() -> list[str]:
            with app.app_context():
                verdicts = parcel_steps.take(facility, order(ids), "packed", person)
                db.session.commit()
                return [verdict.result for verdict in verdicts]

        return call

    lock = f"SELECT FROM parcels WHERE id = {ids[0]} FOR UPDATE"
    results = while_held(database.addresses[SUPERUSER], lock, [pack(list), pack(lambda found: found[::-1])])
    assert sorted(results, key=str) == [["already", "already"], ["done", "done"]]
    assert db.session.scalar(select(func.count()).where(AuditEvent.action == "parcel.packed")) == 3


def test_one_letter_for_an_order_whose_parcels_are_sent_together(
    coordinator: FlaskClient, shop: Shop, run_jobs: Callable[[], None], db_session: DbSession
) -> None:
    order = make_paid_order((shop.batik, 1))
    parcel = own(order, shop)
    db_session.commit()
    for step in ("packed", "sent", "sent"):
        post(coordinator, "/seller/PKL/parcels/steps", {"parcel": parcel.id, "step": step, "courier": "JNE"})
    run_jobs()
    assert kinds(order.id).count("order_all_sent") == 1
    assert db_session.scalar(select(func.count()).where(Message.kind == "order_on_its_way")) == 0


def test_the_pick_list_sums_articles_over_all_parcels_of_the_filter(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    first, second = make_paid_order((shop.batik, 2), (shop.tempeh, 1)), make_paid_order((shop.batik, 1))
    db_session.commit()
    page = coordinator.get("/seller/PKL/pick-list").text
    batik = page[page.index("PKL-BATIK") :]
    assert "<b>3</b>" in batik[:400]
    assert f"{first.number}/1" in batik
    assert f"{second.number}/1" in batik
    only = coordinator.get(f"/seller/PKL/pick-list?q={second.number}").text
    assert "<b>1</b>" in only
    assert first.number not in only
