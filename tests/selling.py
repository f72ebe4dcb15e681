"""A small shop to buy from in tests: two facilities, a few goods, and what a program would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.cart import carts, checkout, lines
from storefront.cart.request import read_request
from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.mark_paid import record_payment
from storefront.payments.models import Payment
from tests.factories import make_facility, make_product, make_rule, make_variant, make_workshop
from tests.replay import replayed

ADDRESS = {
    "line1": "Jl. Melati 1",
    "district": "Banyumanik",
    "city": "Semarang",
    "province": "Jawa Tengah",
    "postal_code": "50264",
}


@dataclass(frozen=True)
class Shop:
    """What `open_shop` has made; SKUs are fixed so that tests can name them."""

    pekalongan: Facility
    ambon: Facility
    #: 100,000 rupiah, 500 g, 5 pieces.
    batik: Variant
    #: 485,000 rupiah, 8 kg, made to order in 14 days.
    chair: Variant
    #: 15,000 rupiah, 300 g, 9 pieces, delivered within its city only.
    tempeh: Variant
    #: 60,000 rupiah, 400 g, 3 pieces, of the other facility.
    honey: Variant


@replayed
def open_shop() -> Shop:
    """Two facilities with goods on sale, committed."""
    make_rule()
    pekalongan = make_facility("PKL", name="Lapas Kelas IIA Pekalongan", city="Pekalongan")
    ambon = make_facility("NML", name="Lapas Kelas III Namlea", city="Buru", province="Maluku")
    batik_shop, kitchen = make_workshop(pekalongan, "Batik"), make_workshop(pekalongan, "Dapur")

    def product(workshop: Any, slug: str, title: str, **more: Any) -> Any:
        return make_product(workshop, slug=slug, title=title, title_en=more.pop("title_en", ""), **more)

    shop = Shop(
        pekalongan,
        ambon,
        make_variant(
            product(batik_shop, "kain-batik", "Kain batik", title_en="Batik cloth"), sku="PKL-BATIK", stock=5
        ),
        make_variant(
            product(batik_shop, "kursi-teras", "Kursi teras", title_en="Porch chair"),
            sku="PKL-KURSI", price=485_000, weight_g=8_000, made_to_order=True, lead_time_days=14,
        ),
        make_variant(
            product(kitchen, "tempe", "Tempe segar", title_en="Fresh tempeh", delivery_scope="same_city"),
            sku="PKL-TEMPE", price=15_000, weight_g=300, stock=9,
        ),
        make_variant(
            product(make_workshop(ambon, "Kebun"), "madu", "Madu hutan", title_en="Forest honey"),
            sku="NML-MADU", price=60_000, weight_g=400, stock=3,
        ),
    )  # fmt: skip
    db.session.commit()
    return shop


def body(**changes: Any) -> dict[str, Any]:
    """What a program sends to order."""
    return {"name": "Sari", "email": "sari@contoh.id", "phone": "0812 3456 7890", "address": dict(ADDRESS), **changes}


def new_cart(client: FlaskClient, *wishes: tuple[str, int]) -> str:
    """The id of a cart with `(sku, quantity)` in it."""
    answer = client.post("/api/v1/carts")
    assert answer.status_code == 201, answer.text
    token: str = answer.json["id"]
    for sku, quantity in wishes:
        line = client.post(f"/api/v1/carts/{token}/lines", json={"sku": sku, "quantity": quantity})
        assert line.status_code == 201, line.text
    return token


def check_out(client: FlaskClient, token: str, key: str = "key-1", **changes: Any) -> TestResponse:
    """The API's checkout call."""
    return client.post(f"/api/v1/carts/{token}/checkout", json=body(**changes), headers={"Idempotency-Key": key})


def pay(payment_id: str) -> None:
    """The provider has said that this payment is paid."""
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    record_payment(payment.id, reference=payment.id, amount=payment.amount)
    db.session.commit()


def cart_with(*wishes: tuple[str, int]) -> int:
    """A committed cart with goods; its id."""
    cart, _token = carts.create()
    for sku, quantity in wishes:
        lines.add(cart.id, sku, quantity)
    db.session.commit()
    return cart.id


def order_of(app: Flask, cart_id: int, key: str, *, limit_unpaid: bool = False) -> Callable[[], tuple[str, str]]:
    """A call that checks the cart out and commits; gives order number and payment id."""

    def call() -> tuple[str, str]:
        with app.app_context():
            wish = read_request(body())
            result = checkout.check_out(cart_id, wish, key, locale="id", limit_unpaid=limit_unpaid)
            answer = result.order.number, result.payment.id
            db.session.commit()
            return answer

    return call
