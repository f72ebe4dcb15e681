"""A facility names its couriers and what it bears of shipping; each change is in the trail."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.shipping import offers
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, make_account, sign_in
from tests.threads import at_once


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def send(shop: Shop, client: FlaskClient) -> Callable[..., object]:
    """Sends a form of the coordinator's."""
    sign_in(client, make_account("coordinator", facilities=(shop.pekalongan,)))
    token = csrf_token(client)

    def post(path: str, **data: object) -> object:
        return client.post(f"/seller/PKL/shipping/{path}", data={"csrf_token": token, **data})

    return post


def test_couriers_are_chosen_and_named(shop: Shop, send: Callable, client: FlaskClient, db_session: Session) -> None:
    page = client.get("/seller/PKL/shipping").text
    assert page.count('type="checkbox" name="methods"') == 3
    assert page.count(" checked") == 2  # nothing named: every default method
    names = {"courier-regular": " Pos  Indonesia ", "courier-cargo": "x"}
    done = send("couriers", methods=["regular", "express"], **names)
    assert done.status_code == 303
    query = "SELECT m.code, c.courier FROM facility_couriers c JOIN shipping_methods m ON m.id = c.method_id ORDER BY 1"
    rows = db_session.execute(text(query)).all()
    assert [tuple(row) for row in rows] == [("express", ""), ("regular", "Pos Indonesia")]
    refused = send("couriers", methods=["regular"], **{"courier-regular": "x" * 61})
    assert (refused.status_code, 'id="f-courier-regular-error"' in refused.text) == (422, True)
    assert "x" * 61 in refused.text
    assert send("couriers").status_code == 422
    trail = db_session.execute(text("SELECT action, details FROM audit_events WHERE subject_kind = 'shipping'")).all()
    assert [row.action for row in trail] == ["shipping.couriers_set"]
    assert trail[0].details["after"] == {"regular": "Pos Indonesia", "express": ""}


def test_what_the_facility_bears_begins_and_ends(
    shop: Shop, send: Callable, client: FlaskClient, db_session: Session
) -> None:
    good = {"reach": "province", "minimum": "Rp 250.000", "valid_from": today().isoformat(), "valid_to": ""}
    assert send("free", **good).status_code == 303
    assert "250.000" in client.get("/seller/PKL/shipping").text
    again = send("free", **good)
    assert (again.status_code, 'id="f-valid_from-error"' in again.text) == (422, True)
    for field, wrong in (("reach", "moon"), ("minimum", "-5"), ("minimum", "0"), ("valid_from", "2020-01-01"),
                         ("valid_from", "besok"), ("valid_to", "2020-01-01")):  # fmt: skip
        refused = send("free", **{**good, "reach": "nationwide", field: wrong})
        assert refused.status_code == 422
        assert f'id="f-{field}-error"' in refused.text
        assert (wrong in refused.text) or field == "reach"
    offer = db_session.scalar(text("SELECT id FROM free_shipping"))
    db_session.execute(text("UPDATE free_shipping SET valid_from = valid_from - 3"))
    db_session.commit()
    assert send(f"free/{offer}/end").status_code == 303
    assert db_session.scalar(text("SELECT valid_to FROM free_shipping")) == today() - datetime.timedelta(days=1)
    assert send(f"free/{offer}/end").status_code == 404
    assert send("free", **good).status_code == 303
    actions = db_session.scalars(text("SELECT action FROM audit_events WHERE subject_kind = 'shipping' ORDER BY id"))
    assert actions.all() == ["shipping.free_set", "shipping.free_ended", "shipping.free_set"]


def test_two_who_name_an_amount_at_once_leave_one(shop: Shop, app: Flask) -> None:
    facility_id = shop.pekalongan.id

    def bear() -> str:
        with app.app_context():
            try:
                offers.bear(facility_id, "nationwide", 100_000, today(), None, person_id=None)
                db.session.commit()
            except Invalid:
                return "refused"
            return "set"

    assert sorted(at_once([bear] * 4)) == ["refused", "refused", "refused", "set"]
