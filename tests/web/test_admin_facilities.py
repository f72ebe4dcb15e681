"""The office admits facilities, changes what is known of them, suspends them and takes them back."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from storefront.admission import suspend
from storefront.audit.models import AuditEvent
from storefront.catalogue import shown_state
from storefront.errors import ListingUnavailable
from storefront.extensions import db
from storefront.facilities.models import Facility, Suspension
from storefront.mail.letters import letter_about
from storefront.mail.models import Message
from storefront.orders.extend import HoldNotExtended, extend_hold, hold_of
from storefront.orders.models import Order, Parcel
from storefront.shipping.models import Province
from tests.factories import make_paid_order
from tests.selling import Shop, cart_with, check_out, new_cart, open_shop, order_of, pay
from tests.staff import make_account, post, sign_in
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_account("administrator", name="Ani Pusat"))


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    found = open_shop()
    shown_state.refresh_shown_state(None)
    db_session.commit()
    return found


def data(**changes: str) -> dict[str, str]:
    province = db.session.scalars(select(Province.id).where(Province.name == "Bali")).one()
    return {
        "code": "kry", "slug": "lapas-karangasem", "name": "Lapas Kelas IIB Karangasem", "kind": "lapas",
        "class_": "IIB", "regional_office": "Bali", "province": str(province), "city": "Karangasem",
        "address": "Jl. Gunung Agung 1", "postal_code": "80811", "time_zone": "Asia/Makassar", "legal_basis": "",
        **changes,
    }  # fmt: skip


def acts() -> list[str]:
    query = select(AuditEvent.action).where(AuditEvent.action.like("facility.%")).order_by(AuditEvent.id)
    return list(db.session.scalars(query))


def test_a_facility_is_admitted_and_changed_with_its_history(admin: FlaskClient, client: FlaskClient) -> None:
    for wrong, sentence in (
        ({"code": "K-1"}, "Dua sampai delapan huruf besar"),
        ({"slug": "Lapas Karangasem!"}, "Huruf kecil, angka"),
        ({"kind": "hotel"}, "Pilih jenisnya."),
        ({"province": "999999"}, "Pilih provinsinya."),
        ({"postal_code": "8081"}, "lima angka"),
        ({"time_zone": "Europe/Rome"}, "Pilih zona waktunya."),
        ({"name": "L"}, "Isi antara 3 dan 120 huruf."),
        ({"kind": "lpka"}, "dasar hukum"),
    ):
        refused = post(admin, "/admin/facilities/new", data(**wrong))
        assert refused.status_code == 422
        assert sentence in refused.text
        assert "Jl. Gunung Agung 1" in refused.text
    assert post(admin, "/admin/facilities/new", data()).headers["Location"] == "/admin/facilities/KRY"
    again = post(admin, "/admin/facilities/new", data())
    assert "sudah dipakai UPT lain" in again.text
    assert "Karangasem" in client.get("/facilities").text
    for query in ("q=kry", "region=Bali", "kind=lapas", "state=active"):
        assert "/admin/facilities/KRY" in admin.get(f"/admin/facilities?{query}").text
    assert "/admin/facilities/KRY" not in admin.get("/admin/facilities?state=suspended&q=%25").text
    seen = {f"seen_{name}": value for name, value in data().items()}
    renamed = data(name="Lapas Kelas IIB Karangasem Bali") | seen
    assert post(admin, "/admin/facilities/KRY", renamed).status_code == 303
    late = post(admin, "/admin/facilities/KRY", data(city="Amlapura") | seen)
    assert "Orang lain baru saja mengubah" in late.text
    assert "Amlapura" in late.text
    children = post(admin, "/admin/facilities/KRY", data(name="Lapas Kelas IIB Karangasem Bali", kind="lpka") | seen)
    assert children.status_code == 422
    change = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "facility.changed")).one()
    assert change.details["before"] == {"name": "Lapas Kelas IIB Karangasem"}
    assert acts() == ["facility.admitted", "facility.changed"]


def test_a_facility_for_children_needs_a_second_person(app: Flask, admin: FlaskClient) -> None:
    form = data(code="LPA", slug="lpka-bali", kind="lpka", legal_basis="Keputusan Menteri M.01 Tahun 2026")
    assert post(admin, "/admin/facilities/new", form).status_code == 303
    assert post(admin, "/admin/facilities/LPA/approve").status_code == 403
    assert app.test_client().get("/facilities/lpka-bali").status_code == 404
    alone = "UPDATE facilities SET status = 'active', approved_by = admitted_by WHERE code = 'LPA'"
    with pytest.raises(IntegrityError):
        db.session.execute(text(alone))
    db.session.rollback()
    other = sign_in(app.test_client(), make_account("administrator"))
    assert "LPKA menunggu administrator kedua" in other.get("/admin/").text
    assert "Ani Pusat mengajukan" in other.get("/admin/facilities/LPA").text
    assert post(other, "/admin/facilities/LPA/take-back", {"why": "sudah boleh"}).status_code == 409
    assert post(other, "/admin/facilities/LPA/approve").status_code == 303
    assert post(other, "/admin/facilities/LPA/approve").status_code == 409
    assert db.session.scalars(select(Facility.status).where(Facility.code == "LPA")).one() == "active"
    assert post(other, "/admin/facilities/LPA/suspend", {"reason": "Dasar hukumnya ditinjau"}).status_code == 303
    assert post(admin, "/admin/facilities/LPA/take-back", {"why": "Sudah ditinjau"}).status_code == 303


def test_suspended_it_says_so_and_sells_nothing_but_what_is_paid_goes_on(
    app: Flask, admin: FlaskClient, shop: Shop
) -> None:
    coordinator = make_account("coordinator", facilities=(shop.pekalongan,), name="Budi", email="budi@lapas.test")
    make_account("coordinator", facilities=(shop.ambon,))
    parcel = make_paid_order((shop.batik, 1)).parcels[0].id
    shopper = app.test_client()
    db.session.commit()
    token = new_cart(shopper, ("PKL-BATIK", 1), ("NML-MADU", 1))
    unpaid = check_out(shopper, new_cart(shopper, ("PKL-BATIK", 1)), "key-0").json
    late = check_out(shopper, new_cart(shopper, ("PKL-KURSI", 1)), "key-2", email="lain@contoh.id").json
    before = admin.get("/admin/facilities/PKL/suspend").text
    for count in ("Karya yang terbit", "Pesanan yang belum dibayar", "Rp 585.000"):
        assert count in before.replace("\xa0", " ")
    short = post(admin, "/admin/facilities/PKL/suspend", {"reason": "xx"})
    assert (short.status_code, "Tulis alasannya" in short.text) == (422, True)
    assert post(admin, "/admin/facilities/PKL/suspend", {"reason": "Bengkel tidak aman, diperiksa."}).status_code == 303
    assert post(admin, "/admin/facilities/PKL/suspend", {"reason": "sekali lagi"}).status_code == 409
    for path in ("/products/kain-batik", "/facilities/lapas-pkl", "/facilities/lapas-pkl/declarations"):
        gone = shopper.get(path)
        assert (gone.status_code, "Lapas Kelas IIA Pekalongan sedang tidak berjualan" in gone.text) == (404, True), path
    for path in ("/products", "/sitemap.xml", "/feeds/products.xml", "/api/v1/products", "/facilities"):
        found = shopper.get(path).text
        assert "kain-batik" not in found, path
        assert "lapas-pkl" not in found, path
    more = shopper.post(f"/api/v1/carts/{token}/lines", json={"sku": "PKL-BATIK", "quantity": 1})
    assert more.status_code == 404
    refused = check_out(shopper, token)
    assert (refused.status_code, refused.json["code"]) == (409, "listing_unavailable")
    assert [line["sku"] for line in refused.json["lines"]] == ["PKL-BATIK"]
    # What was ordered before may be paid until its time is over, and no longer.
    order = db.session.scalars(select(Order).where(Order.number == unpaid["order"]["number"])).one()
    assert hold_of(order).extension is None
    with pytest.raises(HoldNotExtended):
        extend_hold(order)
    pay(unpaid["payment"]["id"])
    assert db.session.get_one(Order, order.id).state == "paid"
    other = db.session.scalars(select(Order).where(Order.number == late["order"]["number"])).one()
    other.state, other.closed_at = "expired", datetime.datetime.now(datetime.UTC)
    db.session.execute(text("UPDATE payments SET state = 'expired' WHERE order_id = :id"), {"id": other.id})
    db.session.commit()
    pay(late["payment"]["id"])
    assert db.session.get_one(Order, other.id).state == "expired"
    assert db.session.scalar(text("SELECT amount FROM refunds WHERE order_id = :id"), {"id": other.id}) is not None
    # Its own people pack on, and know.
    seller = sign_in(app.test_client(), coordinator)
    assert "sedang tidak berjualan atas keputusan kantor pusat" in seller.get("/seller/PKL/").text
    assert post(seller, f"/seller/PKL/parcels/{parcel}/packed").status_code == 303
    assert db.session.get_one(Parcel, parcel).state == "packed"
    (message,) = db.session.scalars(select(Message).where(Message.kind == "facility_suspended"))
    told = letter_about(message)
    assert told is not None
    assert told.to == "budi@lapas.test"
    assert "Bengkel tidak aman" in told.text
    # And back.
    assert post(admin, "/admin/facilities/PKL/take-back", {"why": ""}).status_code == 422
    assert post(admin, "/admin/facilities/PKL/take-back", {"why": "Alat sudah diganti."}).status_code == 303
    assert post(admin, "/admin/facilities/PKL/take-back", {"why": "Alat sudah diganti."}).status_code == 409
    assert shopper.get("/products/kain-batik").status_code == 200
    assert check_out(shopper, token, "key-9", email="baru@contoh.id").status_code == 201
    assert "Alat sudah diganti." in admin.get("/admin/facilities/PKL").text
    assert acts() == ["facility.suspended", "facility.taken_back"]


def test_at_once_with_a_suspension_an_order_stands_before_it_or_not_at_all(app: Flask, shop: Shop) -> None:
    me = make_account("administrator").id
    carts = [cart_with(("PKL-TEMPE", 1)) for _ in range(4)]
    db.session.commit()

    def stop() -> int:
        with app.app_context():
            row = suspend.suspend("PKL", "Bengkel tidak aman.", me)
            seen = suspend.effects(db.session.get_one(Facility, row.facility_id)).unpaid
            db.session.commit()
            return seen

    # The address is in another city than tempeh goes to: batik instead.
    db.session.execute(text("UPDATE products SET delivery_scope = 'nationwide'"))
    db.session.commit()
    *orders, seen = at_once([*(order_of(app, cart, f"k-{cart}") for cart in carts), stop])
    placed = [one for one in orders if not isinstance(one, Exception)]
    assert all(isinstance(one, ListingUnavailable) for one in orders if isinstance(one, Exception)), orders
    assert seen == len(placed), "whoever suspends sees every order that stands"
    assert db.session.scalar(select(func.count()).select_from(Suspension)) == 1


def test_auditors_read_facilities_and_change_none(client: FlaskClient, shop: Shop) -> None:
    auditor = sign_in(client, make_account("auditor"))
    page = auditor.get("/admin/facilities/PKL").text
    assert "Lapas Kelas IIA Pekalongan" in page
    assert "<button class=\"btn\" type=\"submit\">Simpan" not in page
    assert post(auditor, "/admin/facilities/PKL/suspend", {"reason": "apa saja"}).status_code == 403
    assert auditor.get("/admin/facilities/XXX").status_code == 404
    bound = sign_in(client.application.test_client(), make_account("auditor", facilities=(shop.ambon,)))
    assert "/admin/facilities/PKL" not in bound.get("/admin/facilities").text
    assert "/admin/facilities/NML" in bound.get("/admin/facilities").text
    assert bound.get("/admin/facilities/PKL").status_code == 404
