"""A cart that lasts: saved for later, taken out and had back, told where it goes, put together, sent on, swept."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.cart import carts
from storefront.cart.merge import merge_into
from storefront.people.personal_data import Subject
from tests.factories import make_person
from tests.places import places  # noqa: F401 - a fixture
from tests.selling import ADDRESS, Shop, open_shop
from tests.staff import make_account, sign_in
from tests.web.test_cart_pages import HTMX, add, hidden, order, plain

Rows = list[tuple]  # type: ignore[type-arg]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def rows(session: Session, table: str = "cart_lines", more: str = "") -> Rows:
    """What lies there: SKU, pieces and whatever else is asked for."""
    session.rollback()
    query = f"SELECT v.sku, l.quantity{more} FROM {table} l JOIN variants v ON v.id = l.variant_id"
    return [tuple(row) for row in session.execute(text(f"{query} ORDER BY 1, l.cart_id"))]


def press(client: FlaskClient, path: str, sku: str, **more: object) -> str:
    """A button of the cart without JavaScript; the page that follows."""
    answer = client.post(path, data={"sku": sku, **more})
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["Location"]).text


def test_saved_for_later_says_what_has_become_of_it_and_outlives_an_order(
    shop: Shop, app: Flask, client: FlaskClient, db_session: Session
) -> None:
    for sku, quantity in (("PKL-BATIK", 2), ("NML-MADU", 3), ("PKL-KURSI", 1), ("PKL-TEMPE", 1)):
        add(client, sku, quantity)
    for sku in ("PKL-BATIK", "NML-MADU", "PKL-TEMPE"):
        page = press(client, "/cart/save", sku)
    assert ("Disimpan untuk nanti" in page, rows(db_session)) == (True, [("PKL-KURSI", 1)])
    press(client, "/cart/save", "PKL-BATIK")  # pressed twice, saved once
    kept = [("NML-MADU", 3), ("PKL-BATIK", 2), ("PKL-TEMPE", 1)]
    assert rows(db_session, "kept_lines") == kept
    db_session.execute(text("UPDATE variants SET price = 90000 WHERE sku = 'PKL-BATIK'"))
    db_session.execute(text("UPDATE variants SET price = 70000 WHERE sku = 'NML-MADU'"))
    db_session.execute(text("UPDATE variants SET is_active = false WHERE sku = 'PKL-TEMPE'"))
    db_session.execute(text("UPDATE stock_levels SET reserved = 3 WHERE on_hand = 3"))
    db_session.commit()
    page = plain(client.get("/cart"))
    assert "murah: dari Rp 100.000 menjadi Rp 90.000" in page
    assert ("mahal: dari Rp 60.000 menjadi Rp 70.000" in page, "Sekarang habis" in page) == (True, True)
    assert ("Sedang tidak dijual." in page, "keranjang: Kain batik" in client.get("/cart").text) == (True, True)
    assert "keranjang: Madu hutan" not in client.get("/cart").text
    # What is saved stands in the way of nothing, and stays when the cart is ordered and a new one begun.
    assert order(client).status_code == 303
    assert "Kain batik" in plain(client.get("/cart"))
    # A new cart takes it along, whichever button makes it.
    page = press(client, "/cart/saved/back", "PKL-BATIK")
    assert (rows(db_session)[0], rows(db_session, "kept_lines")) == (("PKL-BATIK", 2), [kept[0], kept[2]])
    # The price of then counts until the new one is accepted.
    assert "Setuju, Rp" in page
    press(client, "/cart/accept", "PKL-BATIK", price=90000)
    # Somebody who signs in finds it on their other devices too; and in what they ask to see of their data.
    person = make_account()
    token = client.get_cookie("cart").value  # type: ignore[union-attr]
    merge_into(person.id, token)
    db_session.commit()
    elsewhere = sign_in(app.test_client(), person)
    elsewhere.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    assert "Madu hutan" in plain(elsewhere.get("/cart"))
    assert elsewhere.get("/cart").headers["Cache-Control"] == "no-store"
    order(elsewhere)
    assert "Madu hutan" in plain(elsewhere.get("/cart"))
    from storefront.cart.held_data import Carts

    assert {"sku", "saved_for_later"} <= Carts().export(Subject(email=person.email))[0].keys()
    stranger = app.test_client()
    assert stranger.post("/cart/saved/back", data={"sku": "NML-MADU"}).status_code == 404


def test_what_is_taken_out_comes_back_as_it_was(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client, quantity=2)
    add(client, "NML-MADU")
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    db_session.commit()
    before = rows(db_session, more=", unit_price_shown, added_at")
    page = press(client, "/cart/remove", "PKL-BATIK")
    assert ("Kain batik dikeluarkan" in page, 'action="/cart/undo"' in page) == (True, True)
    press(client, "/cart/undo", "PKL-BATIK")
    page = press(client, "/cart/undo", "PKL-BATIK")  # pressed twice it comes back once
    assert rows(db_session, more=", unit_price_shown, added_at") == before
    assert "dikeluarkan" not in client.get("/cart?removed=PKL-BATIK").text
    assert client.get("/cart?removed=%00&x=1").status_code == 200
    # By htmx it is a toast beside the page, which does not jump; the next press takes the toast away.
    fragment = client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 0}, headers=HTMX).text
    toast, page = fragment.split('<div class="stack">', 1)
    assert 'hx-swap-oob="innerHTML:#toasts"' in toast
    assert ("Urungkan" in toast, "Urungkan" in page) == (True, False)
    back = client.post("/cart/undo", data={"sku": "PKL-BATIK"}, headers=HTMX).text
    assert re.search(r'<div hx-swap-oob="innerHTML:#toasts"></div>', back)
    # What was saved is had back too; what was added meanwhile adds up.
    press(client, "/cart/save", "NML-MADU")
    assert "Madu hutan dikeluarkan" in press(client, "/cart/saved/remove", "NML-MADU")
    press(client, "/cart/undo", "NML-MADU")
    assert rows(db_session, "kept_lines", ", shelf") == [("NML-MADU", 1, "saved")]
    press(client, "/cart/remove", "PKL-BATIK")
    add(client, quantity=1)
    press(client, "/cart/undo", "PKL-BATIK")
    assert rows(db_session) == [("PKL-BATIK", 3)]


def test_a_district_gives_each_parcel_its_cost_day_and_way_to_free_shipping(
    shop: Shop, places: object, client: FlaskClient, db_session: Session  # noqa: F811
) -> None:
    db_session.execute(
        text(
            """INSERT INTO free_shipping (facility_id, reach, minimum, valid_from)
            VALUES (:id, 'province', 250000, '2026-01-01')"""
        ),
        {"id": shop.pekalongan.id},
    )
    db_session.commit()
    client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": 2, "place": "50264"})
    add(client, "NML-MADU")
    page = plain(client.get("/cart"))
    assert ("Ongkos kirim ke" in page, "Semarang" in page, "tiba sekitar" in page) == (True, True, True)
    assert ("Rp 50.000 lagi gratis ongkir" in page, "Perkiraan jumlah" in page) == (True, True)
    # The same amounts as the checkout's.
    shipping = int(re.search(r"Ongkos kirim ke [^R]*Rp ([0-9.]+)", page)[1].replace(".", ""))  # type: ignore[index]
    total = int(re.search(r"Perkiraan jumlah Rp ([0-9.]+)", page)[1].replace(".", ""))  # type: ignore[index]
    assert total == 260_000 + shipping > 260_000
    press(client, "/cart/update", "PKL-BATIK", quantity=3)
    assert "Gratis ongkir, ditanggung Lapas Kelas IIA Pekalongan" in plain(client.get("/cart"))
    # What is not delivered there says so at its line, and may still be collected.
    add(client, "PKL-TEMPE")
    page = plain(client.get("/cart"))
    assert "hanya dikirim di dalam kota yang sama dengan lapasnya. Masih dapat diambil di galeri." in page
    # Several places of one name are asked about; what is unknown is said, and the old place stays.
    asked = client.post("/cart/place", data={"to": "Depok"}, headers=HTMX)
    assert ("Yang mana?" in asked.text, asked.text.count('name="to" value="Depok, ') > 1) == (True, True)
    unknown = client.post("/cart/place", data={"to": "Atlantis"})
    assert ("tidak kami temukan" in unknown.text, 'value="Atlantis"' in unknown.text) == (True, True)
    assert (unknown.status_code, "Semarang" in plain(client.get("/cart"))) == (422, True)
    chosen = re.search(r'value="(Depok, [^"]*Sleman[^"]*)"', asked.text)
    assert chosen is not None
    client.post("/cart/place", data={"to": chosen[1]})
    assert "Sleman" in plain(client.get("/cart"))
    client.post("/cart/place", data={"to": ""})
    assert "menurut tempat Anda" in plain(client.get("/cart"))
    # What is typed at the checkout is known in the cart, while none was chosen there.
    client.post("/checkout/shipping", data={**hidden(client.get("/checkout")), **ADDRESS})
    assert "Ongkos kirim ke Banyumanik" in plain(client.get("/cart"))
    # An order has an address of its own: the cart that it came from keeps none.
    client.post("/cart/place", data={"to": "50264"})
    press(client, "/cart/remove", "PKL-TEMPE")
    order(client)
    assert db_session.execute(text("SELECT order_id IS NOT NULL, place FROM carts")).all() == [(True, None)]


def test_signing_in_adds_up_within_stock_and_says_so(shop: Shop, app: Flask, db_session: Session) -> None:
    person = make_account()
    phone = sign_in(app.test_client(), person)
    phone.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    for sku, quantity in (("PKL-BATIK", 2), ("NML-MADU", 2), ("PKL-KURSI", 1)):
        add(phone, sku, quantity)
    press(phone, "/cart/save", "PKL-KURSI")
    guest_phone = app.test_client()
    db_session.execute(text("UPDATE variants SET price = 110000 WHERE sku = 'PKL-BATIK'"))
    db_session.commit()
    for sku, quantity in (("PKL-BATIK", 1), ("NML-MADU", 2), ("PKL-TEMPE", 4)):
        add(guest_phone, sku, quantity)
    sign_in(guest_phone, person)
    merge_into(person.id, guest_phone.get_cookie("cart").value)  # type: ignore[union-attr]  # once more changes nothing
    db_session.commit()
    assert rows(db_session, more=", unit_price_shown") == [
        ("NML-MADU", 3, 60_000), ("PKL-BATIK", 3, 110_000), ("PKL-TEMPE", 4, 15_000),
    ]  # fmt: skip
    assert rows(db_session, "kept_lines") == [("PKL-KURSI", 1)]
    page = plain(phone.get("/cart"))
    for said in ("Kain batik: 1 + 2 menjadi 3.", "Madu hutan: 2 + 2, tetapi yang ada hanya 3."):
        assert said in page
    assert "Forest honey: 2 + 2, but" in plain(phone.get("/en/cart"))
    assert "Setuju" not in page  # the newer price is the one that was seen
    assert "menjadi 3." not in press(phone, "/cart/understood", "")


def test_a_link_brings_the_cart_to_another_device_for_a_day(
    shop: Shop, app: Flask, client: FlaskClient, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/cart/send").headers["Location"] == "/cart"
    add(client, quantity=2)
    add(client, "NML-MADU")
    page = client.get("/cart/send")
    address = re.search(r'class="cart__link" href="[^"]*(/cart/link/[^"]+)"', page.text)[1]  # type: ignore[index]
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert ("<svg" in page.text, "wa.me" in page.text) == (True, True)
    assert client.get(address).headers["Location"] == "/cart"  # it is this one
    other = app.test_client()
    add(other, quantity=1)
    shown = other.get(address)
    assert ("2 × Rp 100.000" in plain(shown), shown.headers["Cache-Control"]) == (True, "no-store")
    for _ in range(2):
        assert other.post(address).headers["Location"] == "/cart"
    assert rows(db_session) == [("NML-MADU", 1), ("NML-MADU", 1), ("PKL-BATIK", 2), ("PKL-BATIK", 2)]
    assert "Kain batik: dari 1 menjadi 2." in plain(other.get("/cart"))
    third = app.test_client()
    assert "cart=" in third.post(address).headers["Set-Cookie"]
    # Changed by a letter, ordered, or a day old, it opens nothing.
    assert third.get(address[:-9] + ("A" if address[-9] != "A" else "B") + address[-8:]).status_code == 404
    with monkeypatch.context() as patch:
        patch.setattr("storefront.cart.sending.VALID", datetime.timedelta(seconds=-1))
        ended = third.get(address)
        assert (ended.status_code, "sudah berakhir" in ended.text, third.post(address).status_code) == (404, True, 404)
    order(client)
    assert (third.get(address).status_code, third.post(address).status_code) == (404, 404)


def test_carts_are_kept_as_long_as_the_setting_of_the_day_says(
    shop: Shop, app: Flask, client: FlaskClient, db_session: Session
) -> None:
    first = add(client).headers["Set-Cookie"]
    assert "Max-Age=7776000" in first
    # From a day on it is shorter; the cookie of a cart that is used lives on from now.
    db_session.execute(
        text("INSERT INTO cart_keeping VALUES (current_date - 1, 30, 'Aturan uji yang lebih pendek'), "
             "(current_date + 2, 1, 'Aturan uji di hari depan')")
    )  # fmt: skip
    db_session.commit()
    again = client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 2}).headers["Set-Cookie"]
    assert ("Max-Age=2592000" in again, again.split(";")[0] == first.split(";")[0]) == (True, True)
    press(client, "/cart/save", "PKL-BATIK")
    add(client, "NML-MADU")
    order(client)
    used = app.test_client()
    add(used, quantity=1)
    press(used, "/cart/remove", "PKL-BATIK")
    db_session.execute(text("UPDATE carts SET updated_at = now() - interval '31 days' WHERE order_id IS NOT NULL"))
    make_person()
    assert carts.forget_old() == 0  # an ordered cart stays, what was saved beside it goes
    assert rows(db_session, "kept_lines", ", shelf") != []
    db_session.execute(text("UPDATE carts SET updated_at = now() - interval '31 days'"))
    db_session.execute(text("UPDATE kept_lines SET kept_at = now() - interval '2 days' WHERE shelf = 'removed'"))
    assert carts.forget_old() == 1
    db_session.commit()
    assert (rows(db_session, "kept_lines"), db_session.scalar(text("SELECT count(*) FROM carts"))) == ([], 1)
