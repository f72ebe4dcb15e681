"""What an account keeps: addresses that fill checkout, a wish list, and which letters are wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.catalogue import stock_alerts
from storefront.catalogue.models import Product, StockAlert
from storefront.mail.owe import owe
from storefront.orders.messages import _known
from storefront.orders.models import Order, OrderAddress
from storefront.orders.place import Contact
from storefront.people import letter_choices, personal_data
from storefront.people.models import LetterChoice, MailedLink, Person
from storefront.people.personal_data import Subject
from storefront.shoppers import addresses, wishes
from storefront.shoppers.models import SavedAddress, Wish
from tests.after_sale import body, letter, visit
from tests.factories import make_paid_order, make_product, make_variant, make_workshop
from tests.selling import ADDRESS, Shop, open_shop
from tests.staff import SAME, make_account, post, sign_in
from tests.threads import at_once
from tests.web.test_account_links import mailed, press
from tests.web.test_cart_pages import add, hidden

SARI = "sari@contoh.id"
HOME = {"label": "Rumah", "name": "Sari Dewi", "phone": "0812 3456 7890", **ADDRESS}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def sari(client: FlaskClient, shop: Shop) -> Person:
    """Signed in with `client`, an account of her own."""
    person = make_account(email=SARI, name="Sari Dewi", is_demo=False)
    sign_in(client, person)
    return person


def slug_of(shop: Shop) -> str:
    return str(shop.batik.product.slug)


def test_addresses_are_ones_own_and_one_is_preferred(
    app: Flask, client: FlaskClient, db_session: Session, sari: Person
) -> None:
    refused = post(client, "/account/addresses/new", {**HOME, "postal_code": "12", "province": "Atlantis"})
    assert refused.status_code == 422
    assert 'id="f-postal_code-error"' in refused.text
    assert 'value="Jl. Melati 1"' in refused.text
    assert post(client, "/account/addresses/new", HOME).status_code == 303
    assert post(client, "/account/addresses/new", HOME).status_code == 303  # the same once more: one row
    office = {**HOME, "label": "Kantor", "line1": "Jl. Kantor 2", "preferred": "1"}
    assert post(client, "/account/addresses/new", office).status_code == 303
    first, second = addresses.addresses_of(sari.id)
    assert (first.label, first.is_preferred, second.is_preferred) == ("Kantor", True, False)
    assert first.phone == "+6281234567890"
    page = client.get("/account/addresses").text
    assert page.index("Jl. Kantor 2") < page.index("Jl. Melati 1")
    ids = first.id, second.id
    stranger = sign_in(app.test_client(), make_account())
    for path in ("", "/prefer", "/remove"):
        assert post(stranger, f"/account/addresses/{ids[0]}{path}", HOME).status_code == 404
    assert stranger.get(f"/account/addresses/{ids[0]}").status_code == 404
    assert app.test_client().get("/account/addresses").status_code == 302
    assert 'value="Jl. Melati 1"' in client.get(f"/account/addresses/{ids[1]}").text
    assert post(client, f"/account/addresses/{ids[1]}", {**HOME, "line1": "Jl. Mawar 3"}).status_code == 303
    assert post(client, f"/account/addresses/{ids[1]}/prefer").status_code == 303
    assert post(client, f"/account/addresses/{ids[1]}/remove").status_code == 303
    db_session.expire_all()
    (left,) = addresses.addresses_of(sari.id)
    assert (left.id, left.is_preferred) == (ids[0], True)
    for number in range(addresses.MOST - 1):
        addresses.add(sari.id, {**HOME, "line1": f"Jl. Ke-{number}"})
    db_session.commit()
    full = post(client, "/account/addresses/new", {**HOME, "line1": "Jl. Terakhir"})
    assert (full.status_code, "sudah menyimpan 20" in full.text) == (409, True)


def test_two_addresses_made_the_preferred_one_at_once(app: Flask, db_session: Session, shop: Shop) -> None:
    person = make_account(email=SARI, is_demo=False)
    ids = [addresses.add(person.id, {**HOME, "line1": f"Jl. {n}"}).id for n in range(4)]
    person_id = person.id
    db_session.commit()

    def prefer(address_id: int) -> None:
        with app.app_context():
            addresses.prefer(person_id, address_id)
            addresses.db.session.commit()

    assert at_once([partial(prefer, address_id) for address_id in ids]) == [None] * 4
    assert db_session.scalar(select(func.count()).select_from(SavedAddress).where(SavedAddress.is_preferred)) == 1


def test_checkout_offers_addresses_and_fills_in_the_chosen_one(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, sari: Person
) -> None:
    person_id, saved = sari.id, addresses.add(sari.id, HOME).id
    db_session.commit()
    add(client, headers=SAME)
    assert "Ongkos kirim ke Banyumanik, Semarang, Jawa Tengah" in client.get("/cart").text
    page = client.get("/checkout")
    assert "Pilih satu untuk mengisi formulir" in page.text
    assert 'value="Jl. Melati 1"' not in page.text  # never by itself
    typed = {"email": "lain@contoh.id", "note": "Titip di pos satpam.", **hidden(page)}
    filled = client.post("/checkout/address", data={**typed, "use_address": saved}, headers=SAME)
    assert filled.status_code == 200
    for kept in ('value="Jl. Melati 1"', 'value="lain@contoh.id"', "Titip di pos satpam.", 'value="+6281234567890"'):
        assert kept in filled.text
    assert hidden(filled)["expected_total"]  # shipping is reckoned for it
    changed = {**typed, **HOME, **hidden(filled), "line1": "Jl. Baru 9", "save_address": "1"}
    assert client.post("/checkout", data=changed, headers=SAME).status_code == 303
    order = db_session.scalars(select(Order)).one()
    assert db_session.get_one(OrderAddress, order.id).line1 == "Jl. Baru 9"
    assert {one.line1 for one in addresses.addresses_of(person_id)} == {"Jl. Melati 1", "Jl. Baru 9"}
    # The order keeps its own when the saved one goes; guests and others are offered nothing.
    addresses.forget(person_id)
    db_session.commit()
    assert db_session.get_one(OrderAddress, order.id, populate_existing=True).line1 == "Jl. Baru 9"
    guest = app.test_client()
    add(guest)
    assert "Alamat tersimpan" not in guest.get("/checkout").text
    assert guest.post("/checkout/address", data={"use_address": saved}).status_code == 404
    assert client.get("/checkout/address").status_code == 302


def test_an_order_just_placed_is_kept_by_a_link_to_its_address(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order = make_paid_order((shop.batik, 1), contact=Contact("Sari Dewi", SARI, None))
    mute = make_paid_order((shop.batik, 1), contact=Contact("Sari Dewi", None, "+628123456789"))
    number, order_id, mutes = order.number, order.id, mute.number
    db_session.commit()
    visit(client, order)
    visit(client, mute)
    assert "Simpan pesanan ini" in client.get(f"/orders/{number}").text
    assert "Simpan pesanan ini" not in client.get(f"/orders/{mutes}").text
    assert client.post(f"/orders/{mutes}/keep", headers=SAME).headers["Location"] == f"/orders/{mutes}"
    assert app.test_client().post(f"/orders/{number}/keep", headers=SAME).status_code == 404
    kept = client.post(f"/orders/{number}/keep", headers=SAME)
    assert (kept.status_code, kept.headers["Location"]) == (303, "/login/sent")
    # A forwarded link of the order alone makes it nobody's: the letter goes to its address.
    assert db_session.get_one(Order, order_id, populate_existing=True).person_id is None
    assert db_session.scalars(select(MailedLink.email)).all() == [SARI]
    db_session.rollback()
    run_jobs()
    assert press(client, mailed()) == 303
    assert db_session.get_one(Order, order_id, populate_existing=True).person_id is not None
    assert "Simpan pesanan ini" not in client.get(f"/orders/{number}").text


def test_a_wish_list_says_what_changed_and_is_shared_without_it(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, sari: Person
) -> None:
    slug, person_id = slug_of(shop), sari.id
    # A heart without JavaScript, on a page that is the same for everybody.
    product = client.get(f"/products/{slug}")
    assert re.search(rf'<button class="[^"]*heart" type="submit" form="wish" name="slug" value="{slug}"', product.text)
    guest = app.test_client()
    assert guest.get(f"/products/{slug}").data == product.data
    sent = guest.post("/wishlist", data={"slug": slug}, headers=SAME)
    assert sent.headers["Location"] == f"/login?next=/products/{slug}"
    for _ in range(2):
        assert client.post("/wishlist", data={"slug": slug}, headers=SAME).headers["Location"] == "/wishlist"
    assert client.post("/wishlist", data={"slug": "tidak-ada"}, headers=SAME).status_code == 404
    assert client.post("/wishlist", data={"slug": slug}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert f'data-wishes="{slug}"' in client.get("/fragments/me").text
    assert "data-wishes" not in guest.get("/fragments/me").text
    db_session.execute(text("UPDATE wishes SET price_saved = price_saved + 20000"))
    # What the browser kept before signing in joins it, once, with the prices it was saved at.
    chair = shop.chair.product.slug
    db_session.commit()
    for _ in range(2):
        items = f"{slug}~1,{chair}~500000,tidak-ada~5,<script>"
        assert client.post("/wishlist/merge", data={"items": items}, headers=SAME).status_code == 303
    assert guest.post("/wishlist/merge", data={"items": slug}, headers=SAME).status_code == 401
    saved = {row.slug: row.price_saved for row in db_session.execute(select(Product.slug, Wish.price_saved).join(Wish))}
    assert saved == {slug: 120_000, chair: 500_000}
    page = client.get("/wishlist")
    plain = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Turun Rp 20.000 sejak Anda simpan (tadinya Rp 120.000)" in plain
    assert "Turun Rp 15.000" in plain
    assert page.headers["Cache-Control"] == "no-store"
    shared = re.search(r'data-copy="http://localhost(/wishlist\?items=[^"]+)"', page.text)
    assert shared
    theirs = guest.get(shared[1]).text.replace("%2C", ",")
    assert "Daftar yang dibagikan" in theirs
    assert theirs.count('class="panel wish"') == 2
    assert "Turun" not in theirs
    # A guest's own, drawn from what the browser names; what is sold out or gone says so.
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE slug = :slug"), {"slug": chair})
    sold = "UPDATE stock_levels SET reserved = on_hand, shown_state = 'sold_out' WHERE variant_id = :id"
    db_session.execute(text(sold), {"id": shop.batik.id})
    db_session.commit()
    drawn = guest.get(f"/fragments/wishlist?items={slug}~90000,{chair}~500000").text.replace("\N{NO-BREAK SPACE}", " ")
    for said in ("Naik Rp 10.000", "Habis", "kabari saya", "Karya ini tidak dijual lagi."):
        assert said in drawn
    assert "masih kosong" in guest.get("/fragments/wishlist").text
    assert client.post("/wishlist", data={"remove": slug}, headers=SAME).status_code == 303
    assert wishes.slugs_of(person_id) == [chair]
    made = [make_variant(make_product(make_workshop(shop.ambon, f"Bengkel {n}"))) for n in range(3)]
    slugs = [variant.product.slug for variant in made]
    db_session.execute(text("DELETE FROM wishes"))
    db_session.commit()
    old, wishes.MOST = wishes.MOST, 2
    try:
        wishes.merge(person_id, dict.fromkeys(slugs))
        db_session.commit()
        full = client.post("/wishlist", data={"slug": slug}, headers=SAME)
    finally:
        wishes.MOST = old
    assert (full.status_code, "Keluarkan satu" in full.text) == (409, True)
    assert len(wishes.slugs_of(person_id)) == 2


def test_letters_are_ended_by_one_press_and_chosen_in_the_account(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, sari: Person, run_jobs: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from storefront.aftercare.models import MoneyNews

    news = MoneyNews(order_id=0, is_whole=True, shares=[])
    monkeypatch.setitem(_known, "money_news", lambda _message: {"news": news, "shares": []})
    order = make_paid_order((shop.batik, 1), contact=Contact("Sari", SARI, None))
    first_id = order.id
    owe("money_news", order.id)
    db_session.commit()
    run_jobs()
    told = letter(f"order:{first_id}:money_news")
    link = str(told["List-Unsubscribe"]).strip("<>")
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in body(told)
    assert link in body(told, "html")
    assert SARI not in link
    assert letter(f"order:{first_id}:order_paid")["List-Unsubscribe"] is None
    path = link.removeprefix("http://localhost")
    # A mail program: no cookie, no origin. Opening alone changes nothing.
    program = app.test_client()
    assert "Berhenti menerimanya" in program.get(path).text
    assert letter_choices.may_tell(SARI, "money_news")
    db_session.rollback()
    done = program.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, "tidak kami kirim lagi" in done.text) == (200, True)
    assert program.post(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    second = make_paid_order((shop.batik, 1), contact=Contact("Sari", SARI, None))
    second_id = second.id
    owe("money_news", second.id)
    db_session.commit()
    run_jobs()
    assert letter(f"order:{second_id}:order_paid")  # a step of the order always goes out
    with pytest.raises(FileNotFoundError):
        letter(f"order:{second_id}:money_news")
    page = client.get("/account/letters").text
    assert re.search(r'value="money_news"(?! checked)', page)
    assert re.search(r'value="back_in_stock" checked', page)
    assert post(client, "/account/letters", {"kind": "money_news"}).status_code == 303
    db_session.expire_all()
    assert letter_choices.choices(SARI) == {"money_news": True, "back_in_stock": False}
    # Who does not want to hear of stock is not asked; giving one's word later is a new wish.
    gone = make_variant(make_product(make_workshop(shop.ambon, "Tenun")), sku="HABIS", stock=0)
    stock_alerts.ask(gone.sku, SARI, "id")
    db_session.commit()
    run_jobs()
    assert db_session.scalars(select(StockAlert)).all() == []
    letter_choices.choose(SARI, "back_in_stock", True)
    stock_alerts.ask(gone.sku, SARI, "id")
    db_session.commit()
    run_jobs()
    alert = db_session.scalars(select(StockAlert)).one()
    asked = letter(f"alert:{alert.id}:ask")
    assert "/letters/" in str(asked["List-Unsubscribe"])
    program.post(str(asked["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost"))
    stock_alerts.confirm(alert)
    db_session.commit()
    assert letter_choices.may_tell(SARI, "back_in_stock")


def test_what_an_account_keeps_is_shown_and_forgotten(db_session: Session, shop: Shop) -> None:
    person = make_account(email=SARI, is_demo=False)
    addresses.add(person.id, HOME)
    wishes.add(person.id, slug_of(shop))
    letter_choices.choose(SARI, "money_news", False)
    db_session.commit()
    held = personal_data.export(Subject(email=SARI))
    assert held["saved_addresses"][0]["line1"] == "Jl. Melati 1"
    assert held["wishes"][0]["product"] == slug_of(shop)
    assert held["letters"] == [{"letter": "money_news", "wanted": False}]
    personal_data.forget(Subject(email=SARI))
    for model in (SavedAddress, Wish, LetterChoice):
        assert db_session.scalar(select(func.count()).select_from(model)) == 0
