"""A fair's papers hold pieces and SKUs; the cashier counts at the stand of their own fair alone."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.exhibitions import send
from storefront.extensions import db
from storefront.people.models import Membership
from tests.factories import make_person
from tests.fairs import make_fair, planned
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.web.test_parcel_papers import set_with  # noqa: F401 - a fixture


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def read(answer: TestResponse, data: list[str]) -> dict[str, object]:
    """All that a paper says, by the data that it was set with."""
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    said: dict[str, object] = json.loads(data.pop())
    return said


def test_packing_list_and_labels_name_each_piece(app: Flask, shop: Shop, set_with: list[str]) -> None:  # noqa: F811
    fair = make_fair(shop.pekalongan)
    planned(fair, shop.pekalongan, shop.batik.id, 5)
    send.send(fair, shop.pekalongan.id, {shop.batik.id: 3}, key="kunci-kertas-0000001", person_id=make_person().id)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    address = f"/seller/PKL/exhibitions/{fair.slug}"
    for query, pieces in (("", "2"), ("?number=1", "3")):
        said = read(client.get(f"{address}/packing-list.pdf{query}"), set_with)
        assert said["workshops"] == [{"name": "Batik", "rows": [["PKL-BATIK", "Kain batik", pieces]]}]
    for size in ("58", "a4"):
        labels = read(client.get(f"{address}/labels.pdf?number=1&size={size}"), set_with)["labels"]
        assert isinstance(labels, list)
        assert [one[0] for one in labels] == ["PKL-BATIK"] * 3
        assert labels[0][3].startswith("<?xml"), "a QR code"
    assert client.get(f"{address}/labels.pdf?number=2").status_code == 404


def test_a_cashier_counts_at_the_own_stand_and_sends_home(app: Flask, shop: Shop) -> None:
    fair, other = make_fair(shop.pekalongan), make_fair(shop.pekalongan)
    planned(fair, shop.pekalongan, shop.batik.id, 5)
    send.send(fair, shop.pekalongan.id, {shop.batik.id: 5}, key="kunci-kertas-0000002", person_id=make_person().id)
    person = make_account()
    db.session.add(Membership(person_id=person.id, role="cashier", exhibition_id=fair.id))
    db.session.commit()
    client = sign_in(app.test_client(), person)
    address = f"/counter/{fair.slug}/stand"
    assert client.get(f"/counter/{other.slug}/stand").status_code == 404
    assert "Hitung yang tiba" in client.get(address).text
    counted = {"code": "PKL", "number": "1", "a-PKL-BATIK": "5"}
    assert post(client, f"{address}/count", counted).status_code == 303
    assert "cocok" in client.get(address).text
    home = {"code": "PKL", "once": "kunci-kertas-0000003", "r-PKL-BATIK": "5"}
    assert post(client, f"{address}/return", home).status_code == 303
    assert post(client, f"{address}/return", home).status_code in (303, 422)
    page = client.get(address).text
    assert "Pengembalian nomor 1" in page
    assert "Pengembalian nomor 2" not in page
    assert post(client, f"{address}/returns/PKL/1/undo", {}).status_code == 303
    assert "Kirim pulang" in client.get(f"{address}?facility=PKL").text
