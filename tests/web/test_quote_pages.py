"""From a wish for many pieces to papers, through the pages, as both sides use them."""

from __future__ import annotations

import datetime
import io
import re

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.enquiries.models import Enquiry, EnquiryFile
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.quotes.accept import accept
from storefront.quotes.models import Quote
from storefront.quotes.tokens import quote_token
from tests.clones import Clone
from tests.db.test_quotes import pay
from tests.factories import PDF, make_facility, method_id
from tests.quotes import SARI, Shop, open_shop, sent
from tests.staff import make_account, post, sign_in

FORM = {
    "name": "Sari Dewi", "position": "Kepala Bagian Umum", "institution": "Hotel Melati", "email": "sari@hotel.test",
    "line1": "Jl. Melati 1", "district": "Pekalongan Barat", "city": "Pekalongan", "province": "Jawa Tengah",
    "postal_code": "51111",
}  # fmt: skip


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def key_in(page: str) -> str:
    found = re.search(r'name="request_key" value="([^"]+)"', page)
    assert found
    return found[1]


def staff(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.facility,)))


def opened(client: FlaskClient, quote: Quote) -> str:
    """Open the quote by its link; its clean address."""
    answer = client.get(f"/quotes/{quote.number}?token={quote_token(quote)}")
    assert (answer.status_code, answer.location) == (303, f"/quotes/{quote.number}")
    return f"/quotes/{quote.number}"


def test_a_wish_with_a_drawing_reaches_the_coordinator_and_comes_back_as_a_quote(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    slug = shop.facility.slug
    page = client.get(f"/large-order?facility={slug}")
    wish = {
        "facility": slug, "request_key": key_in(page.text), "email": "sari@hotel.test",
        "body": "Dua puluh kursi kayu tanpa cat, tinggi duduk 45 cm, untuk akhir Januari.",
    }  # fmt: skip
    bad = client.post("/large-order", data=wish | {"email": "", "files": (io.BytesIO(b"MZ"), "a.exe")})
    assert bad.status_code == 422
    assert "Dua puluh kursi" in bad.text
    sent_wish = client.post("/large-order", data=wish | {"files": (io.BytesIO(PDF), "gambar.pdf")})
    assert sent_wish.status_code == 303, sent_wish.text
    assert "pesanan besar" in client.get(sent_wish.location).text
    enquiry = db.session.scalars(select(Enquiry).order_by(Enquiry.id.desc())).first()
    file_id = db.session.scalar(select(EnquiryFile.id))
    assert enquiry
    assert enquiry.kind == "large_order"

    seller = staff(app, shop)
    thread = f"/seller/TGG/questions/{enquiry.id}"
    assert "Tulis penawaran" in seller.get(thread).text
    assert seller.get(f"{thread}/files/{file_id}").data == PDF
    assert "permintaan menunggu penawaran" in seller.get("/seller/TGG/").text
    begun = post(seller, f"{thread}/quote")
    assert begun.status_code == 303
    typed = {
        "valid_until": (today() + datetime.timedelta(days=10)).isoformat(), "method": str(method_id()), "deposit": "30",
        "first_days": "7", "rest_days": "30", "shipping_amount": "250.000", "notes": "Kayu jati, tanpa cat.",
        "sku-1": shop.chair.sku, "quantity-1": "20", "price-1": "90.000", "lead-1": "30",
        "title-3": "Meja rapat jati", "quantity-3": "1", "price-3": "x", "lead-3": "40",
    }  # fmt: skip
    wrong = post(seller, begun.location, typed)
    assert wrong.status_code == 422
    assert all(words in wrong.text for words in ("Pilih bengkel yang membuatnya", "mulai Rp 1", "Meja rapat jati"))
    more = {
        "price-3": "1.250.000", "workshop-3": str(shop.workshop.id), "category-3": str(shop.category.id),
        "material-3": "400.000", "weight-3": "40000", "send": "1",
    }  # fmt: skip
    kept = post(seller, begun.location, typed | more | {"send": "", "more": "1"})
    assert "Baris 14" in seller.get(kept.location).text
    done = post(seller, begun.location, typed | more)
    assert done.status_code == 303, done.text
    shown = seller.get(done.location).text.replace("\u00a0", " ")
    assert all(words in shown for words in ("Menunggu pembeli", "Rp 3.300.000", "Rp 990.000"))
    assert f"TGG-{today().year}-1" in client.get(sent_wish.location).text
    assert f"TGG-{today().year}-1" in seller.get("/seller/TGG/quotes?state=sent").text
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(make_facility(),)))
    assert other.get(done.location).status_code == 404


def test_a_quote_is_read_by_its_link_accepted_twice_and_paid_in_parts(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    quote = sent(shop)
    assert client.get(f"/quotes/{quote.number}").status_code == 404
    assert client.get(f"/quotes/{quote.number}?token=x").status_code == 404
    page = opened(client, quote)
    assert "Meja rapat jati 240 cm" in client.get(page).text
    missing = client.post(f"{page}/accept", data=FORM | {"position": "", "province": "Antah"})
    assert missing.status_code == 422
    assert 'value="Hotel Melati"' in missing.text
    first, again = (client.post(f"{page}/accept", data=FORM) for _ in range(2))
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    order = db_session.scalars(select(Order)).one()
    clean = client.get(first.location.partition("localhost")[2] or first.location)
    shown = client.get(clean.location).text
    assert all(words in shown for words in ("Angsuran 1", "Angsuran 2", "belum dibayar"))
    assert "Bayar Rp\xa02.900.010" in shown or "Bayar Rp 2.900.010" in shown
    assert "sudah Anda setujui" in client.get(page).text
    assert client.post(f"{page}/decline").status_code == 409
    pay(order)
    pay(order)
    assert "dibayar" in client.get(clean.location).text


def test_a_quote_that_has_ended_says_what_to_do_and_makes_no_order(
    app: Flask, client: FlaskClient, shop: Shop, db_session: Session, database: Clone
) -> None:
    first = sent(shop)
    page = opened(client, first)
    second = sent(shop, lines=shop.lines(30))
    for address, words in ((page, "sudah diganti dengan yang baru"), (f"/en{page}", "replaced by a new one")):
        assert words in client.get(address).text
        assert 'id="setuju"' not in client.get(address).text
    refused = client.post(f"{page}/accept", data=FORM)  # a page that was open meanwhile
    assert refused.status_code == 409
    assert "Balas di percakapan Anda" in refused.text
    assert client.post(f"{page}/decline").status_code == 409
    page = opened(client, second)
    with psycopg.connect(database.addresses[SUPERUSER]) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE quotes SET valid_until = current_date - 2 WHERE id = %s", [second.id])
        owner.commit()
    db_session.rollback()
    assert "tidak berlaku lagi" in client.get(page).text  # by its day, before the job has ended it
    refused = client.post(f"{page}/accept", data=FORM)
    assert refused.status_code == 409
    assert "Balas di percakapan Anda" in refused.text
    # The facility goes on from what stood there.
    begun = post(staff(app, shop), f"/seller/TGG/questions/{shop.enquiry.id}/quote")
    assert "Meja rapat jati 240 cm" in client.get(page).text
    assert begun.status_code == 303
    third = sent(shop)
    page = opened(client, third)
    assert client.post(f"{page}/decline").status_code == 303
    assert client.post(f"{page}/accept", data=FORM).status_code == 409
    assert db_session.scalar(select(Order.id)) is None


def test_papers_are_issued_once_each_under_a_number_of_their_own(app: Flask, client: FlaskClient, shop: Shop) -> None:
    quote = sent(shop)
    order = accept(quote.id, SARI)
    db.session.commit()
    seller, page = staff(app, shop), f"/seller/TGG/quotes/{quote.id}"
    assert post(seller, f"{page}/papers/receipt-1").status_code == 409
    pay(order)
    assert seller.get(f"{page}/papers/receipt-1").status_code == 404
    for _ in range(2):
        assert post(seller, f"{page}/papers/receipt-1").status_code == 303
    shown = seller.get(page).text
    year = today().year
    numbers = [f"001/{sign}/TGG/{year}" for sign in ("PNW", "SP", "INV", "KW")] + [f"002/INV/TGG/{year}"]
    assert all(number in shown for number in numbers)
    assert f"002/KW/TGG/{year}" not in shown
    buyer = opened(client, quote)
    for key in ("quote-0", "order_letter-0", "invoice-1", "invoice-2", "receipt-1"):
        assert seller.get(f"{page}/papers/{key}").data.startswith(b"%PDF"), key
        assert client.get(f"{buyer}/papers/{key}").data.startswith(b"%PDF"), key
    assert client.get(f"{buyer}/papers/receipt-2").status_code == 404


def test_who_accepted_is_forgotten_and_the_order_stays(shop: Shop) -> None:
    from storefront.people.personal_data import Subject
    from storefront.quotes.held_data import Acceptances
    from storefront.quotes.models import QuoteAcceptance

    order = accept(sent(shop).id, SARI)
    db.session.commit()
    who = Subject(email="sari@hotel.test")
    assert [row["name"] for row in Acceptances().export(who)] == ["Sari Dewi"]
    assert Acceptances().forget(who, frozenset()) == 1
    kept = db.session.scalars(select(QuoteAcceptance)).one()
    assert (kept.name, kept.order_id) == (None, order.id)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (1_011, "seribu sebelas"),
        (2_900_017, "dua juta sembilan ratus ribu tujuh belas"),
        (100_000, "seratus ribu"),
    ],
)
def test_a_receipt_says_its_amount_in_words(number: int, words: str) -> None:
    from storefront.exports.in_words import in_words

    assert in_words(number) == words


