"""An address is filled in from its postal code, advised about and never held up; shipping is told before the cart."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.shipping.load_places import Counts
from tests.selling import Shop, open_shop, pay
from tests.staff import make_account, post, sign_in
from tests.web.test_cart_pages import BUYER, HTMX, add, hidden, number_of, plain

WHO = {name: BUYER[name] for name in ("name", "phone", "email", "line1")}


@pytest.fixture
def shop(places: Counts, db_session: Session) -> Shop:
    found = open_shop()
    db_session.execute(text("UPDATE facilities SET postal_code = '51139' WHERE code = 'PKL'"))
    db_session.commit()
    return found


def value(page: str, name: str) -> str:
    """What stands in a field of a page."""
    if name == "province":
        return re.search(r'<option value="([^"]+)" selected', page)[1]  # type: ignore[index]
    return re.search(rf'id="f-{name}"[^>]* value="([^"]*)"', page)[1]  # type: ignore[index]


def advised(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(advised)" value="([^"]+)"', page))


def test_a_postal_code_alone_is_enough_without_javascript(shop: Shop, client: FlaskClient) -> None:
    add(client)
    form = {**WHO, **hidden(client.get("/checkout")), "postal_code": "50263"}
    first = client.post("/checkout", data=form)
    assert (first.status_code, "Ongkos kirim sudah dihitung" in first.text) == (200, True)
    where = {name: value(first.text, name) for name in ("province", "city", "district")}
    assert where == {"province": "Jawa Tengah", "city": "Kota Semarang", "district": "Banyumanik"}
    assert "tiba sekitar" in plain(first)
    assert client.post("/checkout", data={**form, **where, **hidden(first)}).status_code == 303


def test_a_code_of_several_districts_gives_a_choice(shop: Shop, client: FlaskClient) -> None:
    add(client)
    form = {**WHO, **hidden(client.get("/checkout")), "postal_code": "50211"}  # Mijen and Ngaliyan
    asked = client.post("/checkout", data=form)
    assert asked.status_code == 422
    choices = dict(re.findall(r'<option value="(33[.0-9]+)">([^<]+)', asked.text))
    assert list(choices.values()) == ["Mijen, Kota Semarang, Jawa Tengah", "Ngaliyan, Kota Semarang, Jawa Tengah"]
    assert value(asked.text, "city") == "Kota Semarang"
    chosen = client.post("/checkout/shipping", data={**form, "place": list(choices)[1]})
    assert value(chosen.text, "district") == "Ngaliyan"
    # Narrowed lists stand beside the fields for who types.
    assert '<option value="Kabupaten Semarang"></option>' in chosen.text
    assert '<option value="Gunungpati"></option>' in chosen.text
    assert '<option value="50181"></option>' in chosen.text


def test_a_saved_address_is_filled_in_alike(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    sign_in(client, make_account())
    new, who = "/account/addresses/new", {name: WHO[name] for name in ("name", "line1")}
    asked = post(client, new, {**who, "postal_code": "50211"})  # Mijen and Ngaliyan
    assert (asked.status_code, value(asked.text, "city")) == (422, "Kota Semarang")
    choices = re.findall(r'<option value="(33[.0-9]+)">', asked.text)
    assert post(client, new, {**who, "postal_code": "50211", "place": choices[1]}).status_code == 303
    assert post(client, new, {**who, "postal_code": "50263"}).status_code == 303
    saved = db_session.execute(text("SELECT province, city, district FROM saved_addresses ORDER BY id")).all()
    assert saved == [("Jawa Tengah", "Kota Semarang", name) for name in ("Ngaliyan", "Banyumanik")]
    page = client.get(new).text
    assert 'data-places="/places"' in page
    assert "js/place." in page


def test_what_does_not_fit_is_said_once_and_then_ordered(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout")), "postal_code": "80363"}
    # As if the browser had seen the total of another address.
    stopped = client.post("/checkout", data={**form, "expected_total": "112000"})
    assert stopped.status_code == 200
    assert "Kode pos 80363 milik Kuta Utara, Kabupaten Badung, Bali." in stopped.text
    assert "tekan tombol pesan sekali lagi" in stopped.text
    assert value(stopped.text, "postal_code") == "80363"
    assert db_session.scalar(text("SELECT count(*) FROM orders")) == 0
    insists = client.post("/checkout", data={**form, **hidden(stopped), **advised(stopped.text)})
    assert insists.status_code == 303
    kept = db_session.execute(text("SELECT city, postal_code FROM order_addresses")).one()
    assert tuple(kept) == ("Semarang", "80363")


def test_advice_comes_with_the_reckoned_shipping(shop: Shop, client: FlaskClient) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout")), "district": "Entah"}
    fragment = client.post("/checkout/shipping", data=form, headers=HTMX)
    assert 'id="f-district-advice"' in fragment.text
    assert "tidak ada di daftar kami" in fragment.text
    done = client.post("/checkout", data={**form, **hidden(fragment), **advised(fragment.text)})
    assert done.status_code == 303


def test_a_province_that_is_none_is_refused(shop: Shop, client: FlaskClient) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout")), "province": "Atlantis", "expected_total": "1"}
    refused = client.post("/checkout", data=form)
    assert refused.status_code == 422
    assert "tidak kami kenal" in refused.text


def test_a_name_that_two_share_is_charged_as_what_is_meant(shop: Shop, client: FlaskClient) -> None:
    add(client, "PKL-TEMPE")  # goes no further than its city, Kota Pekalongan
    form = {**BUYER, **hidden(client.get("/checkout")), "city": "PEKALONGAN", "postal_code": "51111"}
    own = client.post("/checkout/shipping", data={**form, "district": "pekalongan barat"}, headers=HTMX)
    assert hidden(own)["expected_total"] == "24000"
    kajen = {**form, "district": "Kajen", "postal_code": "51161"}
    regency = client.post("/checkout/shipping", data=kajen, headers=HTMX)
    assert "hanya dikirim di dalam kota yang sama" in regency.text


def test_places_are_told_to_a_form(places: Counts, client: FlaskClient) -> None:
    answer = client.get("/places?postal_code=50263")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    told = answer.json
    assert told["fill"] == {"province": "Jawa Tengah", "city": "Kota Semarang", "district": "Banyumanik"}  # type: ignore[index]
    assert (told["choices"], told["advice"]) == ([], {})  # type: ignore[index]
    assert "Tembalang" in told["lists"]["district"]  # type: ignore[index]
    several = client.get("/places?postal_code=50211").json["choices"]  # type: ignore[index]
    assert [place["district"] for place in several] == ["Mijen", "Ngaliyan"]
    english = client.get("/en/places?postal_code=80363&province=Jawa+Tengah").json
    assert "is that of Kuta Utara" in english["advice"]["postal_code"]  # type: ignore[index]
    for odd in ("?postal_code=%00", "?province=" + "x" * 5000, "?city=%F0%9F%A4%96", ""):
        assert client.get(f"/places{odd}").status_code == 200


def test_shipping_is_told_before_the_cart(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    db_session.execute(
        text("INSERT INTO free_shipping (facility_id, reach, minimum, valid_from) VALUES (:f, 'province', 200000, :d)"),
        {"f": shop.pekalongan.id, "d": "2020-01-01"},
    )
    db_session.commit()
    product = client.get("/products/kain-batik")
    assert 'action="/products/kain-batik/shipping"' in product.text
    page = client.get("/products/kain-batik/shipping?to=50263")
    assert "<html" in page.text
    assert 'value="50263"' in page.text
    told = plain(page)
    assert "Banyumanik, Kota Semarang, Jawa Tengah" in told
    assert "Reguler tiba sekitar" in told
    assert "Rp 12.000" in told
    assert "Gratis ongkir ke sana mulai Rp 200.000" in told
    two = client.get("/products/kain-batik/shipping?to=Banyumanik&quantity=2&sku=PKL-BATIK", headers=HTMX)
    assert "<html" not in two.text
    assert "biasanya Rp 12.000 Rp 0" in plain(two)
    assert "HX-Request" in two.headers["Vary"]
    # The same code as checkout's: the same sum.
    assert "Set-Cookie" not in two.headers


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("Depok", "Depok, Kabupaten Sleman, DI Yogyakarta"),
        ("Kajen", "hanya dikirim di dalam kota yang sama"),
        ("Pekalongan Barat", "Rp 9.000"),
        ("99999", "Tempat ini tidak kami temukan"),
        ("<script>", "Tempat ini tidak kami temukan"),
        ("", "Ambil"),
    ],
)
def test_a_place_that_is_doubtful_or_out_of_reach_is_explained(
    shop: Shop, client: FlaskClient, to: str, says: str
) -> None:
    page = client.get("/products/tempe/shipping", query_string={"to": to}, headers=HTMX)
    assert page.status_code == 200
    assert says in plain(page) or not to
    assert client.get("/products/tidak-ada/shipping?to=50263").status_code == 404


def test_notes_are_shown_to_their_buyer_and_to_the_office(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    add(client)
    form = {**BUYER, **hidden(client.get("/checkout")), "gift_note": "Selamat <b>ulang</b> tahun", "note": "y" * 301}
    form |= hidden(client.post("/checkout/shipping", data=form))
    refused = client.post("/checkout", data=form)
    assert (refused.status_code, 'id="f-note-error"' in refused.text) == (422, True)
    assert "Selamat &lt;b&gt;ulang&lt;/b&gt; tahun</textarea>" in refused.text
    assert client.post("/checkout", data={**form, "note": "Pagar hijau"}).status_code == 303
    order = client.get(f"/orders/{number_of(client)}").text
    assert "Selamat &lt;b&gt;ulang" in order
    assert "Pagar hijau" in order
    pay(db_session.scalar(text("SELECT id FROM payments")))  # type: ignore[arg-type]
    parcel = db_session.scalar(text("SELECT id FROM parcels"))
    sign_in(client, make_account("coordinator", facilities=(shop.pekalongan,)))
    label = client.get(f"/seller/PKL/parcels/{parcel}/label").text
    assert "Selamat &lt;b&gt;ulang" in label
    assert "Pagar hijau" in label
    for part in (f"/seller/PKL/parcels/{parcel}/slip", "/seller/PKL/pick-list"):
        seen = client.get(part).text
        assert "ulang" not in seen
        assert "Pagar" not in seen


def test_coming_back_from_the_payment_page_leads_to_the_order(shop: Shop, client: FlaskClient) -> None:
    add(client)
    empty = client.get("/checkout")
    # The form may be kept by the browser, for going back; the order's page may not.
    assert empty.headers["Cache-Control"] == "private, no-cache"
    form = {**BUYER, **hidden(empty)}
    form |= hidden(client.post("/checkout/shipping", data=form))
    refused = client.post("/checkout", data={**form, "name": ""})
    assert (refused.status_code, refused.headers["Cache-Control"]) == (422, "private, no-cache")
    client.post("/checkout", data=form)
    assert client.get("/checkout").headers["Location"] == f"/orders/{number_of(client)}"
    client.post(f"/orders/{number_of(client)}/cancel")
    assert client.get("/checkout").headers["Location"] == "/cart"
