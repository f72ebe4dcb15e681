"""A stand at a running fair, its cashier and an open till, for tests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.counter import tills
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.people.models import Membership, Person
from storefront.stock import adjust
from storefront.stock.levels import stand_location_id
from storefront.stock.models import MovementReason
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.fairs import make_fair
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, make_account, sign_in

_keys = itertools.count(1)


@dataclass(frozen=True)
class Stand:
    """Four pieces of batik, three of tempeh and one pot of honey at the stand of a fair that runs."""

    shop: Shop
    fair: Exhibition
    cashier: Person
    client: FlaskClient
    token: str
    slug: str = field(default="pameran-kota")

    def post(self, path: str, json: dict[str, Any], **headers: str) -> TestResponse:
        """JSON as the counter's page sends it."""
        return self.client.post(
            f"/counter/{self.slug}{path}", json=json, headers={"X-CSRFToken": self.token, **headers}
        )

    def sell(self, *wishes: tuple[str, int], key: str = "", **more: Any) -> TestResponse:
        """A sale in cash with a banknote that is large enough."""
        lines = more.pop("lines", [{"sku": sku, "quantity": pieces} for sku, pieces in wishes])
        wish = {"lines": lines, "payment": "cash", "tendered": 1_000_000, **more}
        if wish["payment"] != "cash":
            del wish["tendered"]
        return self.post("/sales", wish, **{"Idempotency-Key": key or f"sale-{next(_keys)}"})

    def state(self) -> dict[str, Any]:
        answer = self.client.get(f"/counter/{self.slug}/state")
        assert answer.status_code == 200, answer.text
        return answer.json

    def open_till(self, name: str = "Kas 1", opening_float: int = 100_000) -> int:
        answer = self.post("/tills", {"till": name, "opening_float": opening_float})
        assert answer.status_code == 201, answer.text
        return answer.json["till"]["id"]

    def close(self, till_id: int, counted: int, **more: Any) -> TestResponse:
        return self.post(f"/tills/{till_id}/close", {"counted": counted, **more})


def make_stand(app: Flask, *, opens: int = -1, ends: int = 9) -> Stand:
    """A shop, a fair with pieces, and a cashier who has signed in; no till is open yet."""
    shop = open_shop()
    fair = make_fair(shop.pekalongan, shop.ambon, opens=opens, ends=ends, slug="pameran-kota")
    for variant, pieces in ((shop.batik, 4), (shop.tempeh, 3), (shop.honey, 1)):
        adjust.move(variant.id, stand_location_id(fair.id), pieces, MovementReason.MADE)
    db.session.commit()
    cashier = make_cashier(fair, name="Kirana")
    client = sign_in(app.test_client(), cashier)
    return Stand(shop, fair, cashier, client, csrf_token(client))


def make_cashier(fair: Exhibition, **values: Any) -> Person:
    """Somebody named for this fair; committed."""
    person = make_account(**values)
    db.session.add(Membership(person_id=person.id, role="cashier", exhibition_id=fair.id))
    db.session.commit()
    return person


def broken() -> list[str]:
    """Which promises do not hold, but for the sandbox's own books: tests pay without it."""
    db.session.rollback()
    connection = db.session.connection().connection.driver_connection
    found = [one.invariant.name for one in check(connection, INVARIANTS) if not one.holds]
    db.session.rollback()
    return [name for name in found if name != "sandbox_agrees"]


def opened(stand: Stand, name: str = "Kas 1", opening_float: int = 100_000) -> int:
    """A till that is open without the page; its session's id."""
    session = tills.open_till(stand.fair, name, opening_float, stand.cashier.id)
    db.session.commit()
    return session.id
