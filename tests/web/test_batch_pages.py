"""Batches on pages: written down, named in a parcel, held; the office decides, buyers and readers learn of it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.catalogue.models import ProductFood
from storefront.days import today
from storefront.extensions import db
from storefront.orders.models import Order, Parcel
from storefront.orders.place import Contact
from storefront.stock.models import Batch
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

REASON = "Segelnya kurang rapat; isinya dapat melempem."
NAME, PHONE = "Murniati", "+628123456789"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    shop = open_shop()
    food = ProductFood(
        product_id=shop.honey.product_id, composition="Madu", net_amount=250, net_unit="g", shelf_life_days=300,
        storage="Sejuk",
    )  # fmt: skip
    db_session.add(food)
    db_session.commit()
    return shop


@pytest.fixture
def keeper(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))


@pytest.fixture
def curator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("curator"))


def made(keeper: FlaskClient, **values: str) -> tuple[int, str]:
    """The form of what was made, sent; with `key` the same form once more."""
    page = keeper.get("/seller/NML/batches").text
    key = values.pop("key", "") or re.findall(r'name="form_key" value="([^"]+)"', page)[0]
    said = {
        "form_key": key, "sku": "NML-MADU", "code": "m-1", "made_on": str(today()), "pieces": "4",
        "best_before": str(today().replace(year=today().year + 1, day=1)), **values,
    }  # fmt: skip
    answer = post(keeper, "/seller/NML/batches", said)
    return answer.status_code, answer.text if answer.status_code != 303 else key


def test_from_the_kitchen_to_the_recall(
    app: Flask, shop: Shop, keeper: FlaskClient, curator: FlaskClient, client: FlaskClient
) -> None:
    status, page = made(keeper, code="?", pieces="banyak")
    assert (status, "Tulis dengan angka bulat" in page) == (422, True)
    status, key = made(keeper)
    assert (status, made(keeper, key=key)[0]) == (303, 303)
    assert db.session.scalars(select(Batch.code)).all() == ["M-1"]
    order = make_paid_order((shop.honey, 2), contact=Contact(NAME, "murni@example.test", PHONE))
    db.session.commit()
    parcel = db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    path = f"/seller/NML/parcels/{parcel.id}"
    assert "M-1" in keeper.get(path).text  # proposed
    post(keeper, f"{path}/packed")
    form = keeper.get(f"{path}/batches").text
    (field,) = re.findall(r'name="(pieces:\d+:\d+)"', form)
    too_many = post(keeper, f"{path}/batches", {field: "3"})
    assert (too_many.status_code, "hanya berisi 2 buah" in too_many.text) == (422, True)
    assert post(keeper, f"{path}/batches", {field: "2"}).status_code == 303
    post(keeper, f"{path}/shipped", {"courier": "JNE", "tracking": "X1"})
    batch = db.session.scalars(select(Batch)).one()
    own = f"/seller/NML/batches/{batch.id}"
    short = post(keeper, f"{own}/hold", {"reason": "bau"})
    assert (short.status_code, "10 sampai 300 huruf" in short.text) == (422, True)
    assert post(keeper, f"{own}/hold", {"reason": REASON}).status_code == 303
    assert post(keeper, f"{own}/hold", {"reason": REASON}).status_code == 409
    assert REASON not in client.get("/products/madu").text
    assert REASON in curator.get("/admin/recalls").text
    assert post(curator, f"/admin/recalls/{batch.id}/confirm").status_code == 303
    assert post(curator, f"/admin/recalls/{batch.id}/let-go").status_code == 409
    notice = client.get("/products/madu").text
    assert REASON in notice
    assert NAME not in notice
    page = keeper.get(own).text
    assert order.number in page
    assert NAME not in page
    buyers = keeper.get(f"{own}/buyers").text
    assert NAME in buyers
    assert PHONE in buyers
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.ambon,)))
    assert (head.get(own).status_code, head.get(f"{own}/buyers").status_code) == (200, 403)
    assert NAME not in curator.get("/admin/recalls").text


def test_a_parcels_batches_are_its_own_facilitys_alone(app: Flask, shop: Shop, keeper: FlaskClient) -> None:
    order: Order = make_paid_order((shop.batik, 1))
    db.session.commit()
    parcel = db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    assert keeper.get(f"/seller/NML/parcels/{parcel.id}/batches").status_code == 404
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert "Tidak ada pangan di kiriman ini" in other.get(f"/seller/PKL/parcels/{parcel.id}/batches").text
