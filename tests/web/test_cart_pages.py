"""From the cart to a paid order, as a browser without JavaScript does it, and with htmx where it differs."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.cart import carts
from storefront.cart.merge import merge_into
from storefront.payments.gateway import GatewayUnavailable
from storefront.payments.sandbox import SandboxGateway
from tests.factories import make_person
from tests.selling import ADDRESS, Shop, new_cart, open_shop, pay
from tests.staff import make_account, sign_in

HTMX = {"HX-Request": "true"}
BUYER = {"name": "Sari", "phone": "0812 3456 7890", "email": "sari@contoh.id", **ADDRESS}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def add(client: FlaskClient, sku: str = "PKL-BATIK", quantity: Any = 1, **more: Any) -> TestResponse:
    return client.post("/cart/add", data={"sku": sku, "quantity": quantity}, **more)


def plain(answer: TestResponse) -> str:
    """The text of a page, amounts with ordinary spaces."""
    words = html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(words.split())


def hidden(answer: TestResponse) -> dict[str, str]:
    """The hidden fields and chosen radio buttons of the checkout's form."""
    fields = dict(re.findall(r'type="hidden" name="(key|cart|expected_total)" value="([^"]*)"', answer.text))
    for tag in re.findall(r"<input[^>]*type=\"radio\"[^>]*>", answer.text):
        if " checked" in tag:
            fields[re.search(r'name="([^"]+)"', tag)[1]] = re.search(r'value="([^"]+)"', tag)[1]  # type: ignore[index]
    return fields


def order(client: FlaskClient, **changes: Any) -> TestResponse:
    """Fill in the form, let shipping be reckoned, order."""
    form = {**BUYER, **hidden(client.get("/checkout"))}
    form |= hidden(client.post("/checkout/shipping", data=form))
    return client.post("/checkout", data={**form, **changes})


def number_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("orders")
    assert cookie is not None
    return cookie.value.split(".")[0]


def test_an_empty_cart_says_where_to_go(shop: Shop, client: FlaskClient) -> None:
    page = client.get("/cart")
    assert "Keranjang masih kosong" in page.text
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert client.get("/cart", headers=HTMX).headers["Cache-Control"] == "no-store"
    assert client.get("/checkout").headers["Location"] == "/cart"


def test_the_first_piece_makes_the_cart_and_its_cookie(shop: Shop, client: FlaskClient) -> None:
    answer = add(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cart")
    cookie = answer.headers["Set-Cookie"]
    assert re.match(r"cart=[A-Za-z0-9_-]{32};", cookie)
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=7776000"))
    assert add(client).headers["Set-Cookie"].split(";")[0] == cookie.split(";")[0]  # kept for as long again
    assert "Rp 200.000" in plain(client.get("/cart"))


def test_the_cart_is_grouped_by_facility_and_says_where_the_money_goes(shop: Shop, client: FlaskClient) -> None:
    add(client, quantity=2)
    add(client, "NML-MADU")
    page = plain(client.get("/cart"))
    assert page.index("Lapas Kelas IIA Pekalongan") < page.index("Kain batik") < page.index("Madu hutan")
    assert "Rp 260.000 akan dibagi begini" in page
    assert "Rp 130.000" in page
    assert "Ongkos kirim mulai Rp 9.000" in page
    assert "Batik cloth" in client.get("/en/cart").text


@pytest.mark.parametrize(
    ("sku", "quantity", "status", "says"),
    [
        ("PKL-BATIK", 6, 409, "Stok tidak cukup"),
        ("NOPE", 1, 404, "tidak kami kenal"),
        ("PKL-BATIK", "dua", 422, "bilangan bulat"),
        ("PKL-BATIK", "-1", 422, "bilangan bulat"),
        ("PKL-BATIK", "0", 422, "bilangan bulat"),
    ],
)
def test_what_cannot_be_added_is_explained(
    shop: Shop, client: FlaskClient, sku: str, quantity: Any, status: int, says: str
) -> None:
    answer = add(client, sku, quantity)
    assert answer.status_code == status
    assert says in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_line_is_changed_taken_out_and_put_back(shop: Shop, client: FlaskClient) -> None:
    add(client, quantity=2)
    assert client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 3}).status_code == 303
    assert "Rp 300.000" in plain(client.get("/cart"))
    refused = client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 6})
    assert (refused.status_code, "Rp 300.000" in plain(refused)) == (409, True)
    fragment = client.post("/cart/remove", data={"sku": "PKL-BATIK"}, headers=HTMX)
    assert (fragment.status_code, fragment.headers["HX-Trigger"]) == (200, "cart-changed")
    assert "<html" not in fragment.text
    assert "Kain batik dikeluarkan" in plain(fragment)
    assert "Urungkan" in fragment.text
    add(client, quantity=3)
    client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 0})
    assert "Keranjang masih kosong" in client.get("/cart").text


def test_what_changed_since_is_said_at_its_line(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client, quantity=5)
    add(client, "NML-MADU")
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    db_session.execute(text("UPDATE stock_levels SET reserved = 2 WHERE on_hand = 5"))
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = 'madu'"))
    db_session.commit()
    page = plain(client.get("/cart"))
    assert "naik dari Rp 100.000 menjadi Rp 120.000" in page
    assert "Tinggal 3. Kurangi jumlahnya." in page
    assert "Tidak dijual lagi" in page
    assert "/checkout" not in client.get("/cart").text
    assert client.get("/checkout").status_code == 302


def test_a_cart_is_changed_from_our_own_pages_only(shop: Shop, client: FlaskClient) -> None:
    assert add(client, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert add(client, headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_a_guest_orders_on_one_page(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client, quantity=2)
    add(client, "NML-MADU")
    empty = client.get("/checkout")
    page = plain(empty)
    assert page.index("Cara membayar") < page.index("Jalan dan nomor rumah")
    assert "karya ditahan 60 menit" in page
    form = {**BUYER, **hidden(empty)}
    reckoned = client.post("/checkout/shipping", data=form)
    assert "Rp 344.000" in plain(reckoned)
    assert 'value="Jl. Melati 1"' in reckoned.text
    form |= hidden(reckoned)
    assert (form["shipping-PKL"], form["shipping-NML"], form["expected_total"]) == ("regular", "regular", "344000")
    done = client.post("/checkout", data=form)
    assert done.status_code == 303
    assert "/sandbox/payments/pay_" in done.headers["Location"]
    assert "Keranjang masih kosong" in client.get("/cart").text
    seen = plain(client.get(f"/orders/{number_of(client)}"))
    assert "Menunggu pembayaran" in seen
    assert "Jl. Melati 1" in seen
    assert "Rp 260.000 akan dibagi begini" in seen


def test_without_a_total_seen_nothing_is_ordered_yet(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    first = client.post("/checkout", data={**BUYER, **hidden(client.get("/checkout"))})
    assert first.status_code == 200
    assert "Ongkos kirim sudah dihitung" in first.text
    assert db_session.scalar(text("SELECT count(*) FROM orders")) == 0
    assert client.post("/checkout", data={**BUYER, **hidden(first)}).status_code == 303


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(shop: Shop, client: FlaskClient) -> None:
    add(client)
    refused = order(client, postal_code="12", name="", phone="", email="", line1='<b>"Jl"')
    assert refused.status_code == 422
    for field in ("postal_code", "name", "email"):
        assert f'id="f-{field}-error"' in refused.text
        assert f'href="#f-{field}"' in refused.text
    assert "Kode pos terdiri dari lima angka" in refused.text
    assert 'value="&lt;b&gt;&#34;Jl&#34;"' in refused.text
    assert 'value="Semarang"' in refused.text


def test_a_changed_price_is_shown_with_both_and_ordered_on_a_second_press(
    shop: Shop, client: FlaskClient, db_session: Session
) -> None:
    add(client, quantity=2)
    form = {**BUYER, **hidden(client.get("/checkout"))}
    form |= hidden(client.post("/checkout/shipping", data=form))
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    db_session.commit()
    refused = client.post("/checkout", data=form)
    assert refused.status_code == 409
    assert "Tadi Rp 212.000, sekarang Rp 252.000." in plain(refused)
    again = client.post("/checkout", data={**form, **hidden(refused)})
    assert again.status_code == 303
    assert db_session.scalar(text("SELECT total FROM orders")) == 252_000


def test_pressing_twice_makes_one_order(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout"))}
    form |= hidden(client.post("/checkout/shipping", data=form))
    first, again = client.post("/checkout", data=form), client.post("/checkout", data=form)
    assert first.headers["Location"] == again.headers["Location"]
    # Back, something else typed, sent again: the order that there is.
    other = client.post("/checkout", data={**form, "name": "Dewi"})
    assert other.headers["Location"] == f"/orders/{number_of(client)}"
    assert db_session.scalar(text("SELECT count(*) FROM orders")) == 1


def test_tempeh_is_offered_for_pickup_and_the_rest_is_not_guessed(shop: Shop, client: FlaskClient) -> None:
    add(client, "PKL-TEMPE")
    form = {**BUYER, **hidden(client.get("/checkout"))}
    page = client.post("/checkout/shipping", data=form)
    assert "hanya dikirim di dalam kota yang sama" in page.text
    assert not {"shipping-PKL", "expected_total"} & hidden(page).keys()
    refused = client.post("/checkout", data={**form, "expected_total": "1"})
    assert refused.status_code == 409
    assert "tidak dapat dikirim ke alamat itu" in refused.text
    chosen = client.post("/checkout/shipping", data={**form, "shipping-PKL": "pickup"})
    assert client.post("/checkout", data={**form, **hidden(chosen)}).status_code == 303


def test_who_collects_everything_need_not_give_an_address(shop: Shop, client: FlaskClient) -> None:
    add(client, "PKL-TEMPE")
    form = {**hidden(client.get("/checkout")), "name": "Sari", "phone": "081234567890", "shipping-PKL": "pickup"}
    reckoned = client.post("/checkout/shipping", data=form, headers=HTMX)
    assert "<html" not in reckoned.text
    assert "Rp 15.000" in plain(reckoned)
    assert client.post("/checkout", data={**form, **hidden(reckoned)}).status_code == 303


def test_a_strangers_cart_cannot_be_ordered(shop: Shop, client: FlaskClient) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout"))}
    client.delete_cookie("cart")
    assert client.post("/checkout", data=form).status_code == 404
    assert client.post("/checkout/shipping", data=form).status_code == 404


def test_a_link_with_its_token_becomes_a_clean_address(shop: Shop, client: FlaskClient) -> None:
    add(client)
    order(client)
    number, _, token = client.get_cookie("orders").value.partition(".")  # type: ignore[union-attr]
    client.delete_cookie("orders")
    assert client.get(f"/orders/{number}").status_code == 404
    assert client.get(f"/orders/{number}?token={token}x").status_code == 404
    link = client.get(f"/en/orders/{number}?token={token}")
    assert (link.status_code, link.headers["Location"]) == (303, f"/en/orders/{number}")
    page = client.get(f"/en/orders/{number}")
    assert page.status_code == 200
    # It stands there once: in the message that somebody may send to themselves.
    assert page.text.count(token) == 1
    assert re.search(rf'href="https://wa\.me/[0-9]*\?text=[^"]*{token}" rel="noopener noreferrer"', page.text)
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_cookie_keeps_the_last_few_orders(shop: Shop, client: FlaskClient) -> None:
    numbers = []
    for _ in range(6):
        add(client, "PKL-KURSI")
        order(client)
        numbers.append(number_of(client))
    assert [client.get(f"/orders/{number}").status_code for number in numbers] == [404] + [200] * 5


def test_an_order_is_cancelled_by_its_owner(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client, quantity=5)
    order(client)
    number = number_of(client)
    # Asking is for what is paid; here there is nothing to ask.
    assert client.get(f"/orders/{number}/cancel").headers["Location"].endswith(f"/orders/{number}")
    assert client.post(f"/orders/{number}/cancel").status_code == 303
    assert "Dibatalkan" in client.get(f"/orders/{number}").text
    assert db_session.scalar(text("SELECT sum(reserved) FROM stock_levels")) == 0
    assert client.post(f"/orders/{number}/pay").status_code == 409


def test_what_is_unpaid_can_be_paid_later(
    shop: Shop, client: FlaskClient, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(self: SandboxGateway, request: Any) -> Any:
        raise GatewayUnavailable("no answer")

    add(client)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", down)
        placed = order(client)
        number = number_of(client)
        assert placed.headers["Location"] == f"/orders/{number}"
        later = client.post(f"/orders/{number}/pay", follow_redirects=True)
        assert "Halaman pembayaran belum dapat dibuka" in later.text
    assert "/sandbox/payments/" in client.post(f"/orders/{number}/pay").headers["Location"]
    assert db_session.scalar(text("SELECT count(*) FROM payments")) == 1


def test_the_waiting_page_learns_that_it_is_paid(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    order(client)
    watch = f"/orders/{number_of(client)}/status?shown=awaiting_payment"
    assert client.get(watch).status_code == 204
    pay(db_session.scalar(text("SELECT id FROM payments")))  # type: ignore[arg-type]
    assert client.get(watch).headers["HX-Refresh"] == "true"
    assert "Sudah dibayar" in client.get(f"/orders/{number_of(client)}").text


def test_a_shopper_says_that_a_parcel_arrived(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    order(client)
    number = number_of(client)
    received = f"/orders/{number}/parcels/1/received"
    assert client.post(received).status_code == 409
    pay(db_session.scalar(text("SELECT id FROM payments")))  # type: ignore[arg-type]
    db_session.execute(text("UPDATE parcels SET state = 'packed', packed_at = now()"))
    db_session.execute(
        text("UPDATE parcels SET state = 'shipped', courier = 'JNE', tracking = 'J1', shipped_at = now()")
    )
    db_session.commit()
    page = plain(client.get(f"/orders/{number}"))
    assert "JNE" in page
    assert "Sudah saya terima" in page
    assert client.post(f"/orders/{number}/parcels/2/received").status_code == 404
    assert client.post(received).status_code == 303
    assert "Selesai" in client.get(f"/orders/{number}").text


def test_a_carts_secret_is_not_logged(
    shop: Shop, client: FlaskClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    assert token not in caplog.text + "".join(capsys.readouterr())


def test_carts_left_alone_are_forgotten_and_ordered_ones_kept(
    shop: Shop, client: FlaskClient, db_session: Session
) -> None:
    add(client)
    order(client)
    client.delete_cookie("cart")
    add(client)
    client.delete_cookie("cart")
    add(client, "NML-MADU")
    long_ago = "UPDATE carts SET updated_at = now() - interval '91 days' WHERE id < (SELECT max(id) FROM carts)"
    db_session.execute(text(long_ago))
    assert carts.forget_old() == 1
    assert db_session.scalar(text("SELECT count(*) FROM carts")) == 2


def test_who_is_signed_in_opens_their_orders_without_a_token(
    shop: Shop, client: FlaskClient, app: Flask, db_session: Session
) -> None:
    person, other = make_account(), make_account()
    sign_in(client, person)
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    add(client)
    order(client)
    number = number_of(client)
    elsewhere, stranger = sign_in(app.test_client(), person), sign_in(app.test_client(), other)
    assert f'href="/orders/{number}"' in elsewhere.get("/account").text  # a link with a token ends one day
    assert elsewhere.get(f"/orders/{number}").status_code == 200
    assert stranger.get(f"/orders/{number}").status_code == 404
    assert app.test_client().get(f"/orders/{number}").status_code == 404


def test_signing_in_takes_the_guests_cart_along(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    person = make_person()
    db_session.commit()
    add(client, quantity=2)
    add(client, "NML-MADU")
    first = client.get_cookie("cart").value  # type: ignore[union-attr]
    merge_into(person.id, first)
    db_session.commit()
    assert "Keranjang masih kosong" in client.get("/cart").text  # signed out, it is the person's alone
    client.delete_cookie("cart")
    add(client, quantity=1)
    add(client, "PKL-TEMPE", 3)
    merge_into(person.id, client.get_cookie("cart").value)  # type: ignore[union-attr]
    merge_into(person.id, client.get_cookie("cart").value)  # type: ignore[union-attr]
    db_session.commit()
    rows = db_session.execute(
        text("SELECT v.sku, l.quantity FROM cart_lines l JOIN variants v ON v.id = l.variant_id ORDER BY 1")
    )
    assert [tuple(row) for row in rows] == [("NML-MADU", 1), ("PKL-BATIK", 3), ("PKL-TEMPE", 3)]


def test_each_problem_has_its_button_and_orders_wait_for_it(
    shop: Shop, client: FlaskClient, db_session: Session
) -> None:
    add(client, quantity=5)
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    db_session.execute(text("UPDATE stock_levels SET reserved = 2 WHERE on_hand = 5"))
    db_session.commit()
    page = client.get("/cart")
    assert ("Ubah menjadi 3" in plain(page), "Setuju, Rp 120.000" in plain(page)) == (True, True)
    assert ('href="#line-PKL-BATIK"' in page.text, "putuskan dahulu" in page.text) == (True, True)
    fewer = client.post("/cart/update", data={"sku": "PKL-BATIK", "quantity": 3}, headers=HTMX)
    # Fewer pieces is no word about the price.
    assert ("Setuju, Rp 120.000" in plain(fewer), 'href="/checkout"' in fewer.text) == (True, False)
    assert client.get("/checkout").headers["Location"] == "/cart"
    # A price that moved again meanwhile is asked again.
    for price in ("110000", "-1", "x", ""):
        again = client.post("/cart/accept", data={"sku": "PKL-BATIK", "price": price}, headers=HTMX)
        assert "Setuju, Rp 120.000" in plain(again)
    agreed = client.post("/cart/accept", data={"sku": "PKL-BATIK", "price": "120000"}, headers=HTMX)
    assert ("Setuju" in plain(agreed), 'href="/checkout"' in agreed.text) == (False, True)
    assert client.get("/checkout").status_code == 200
