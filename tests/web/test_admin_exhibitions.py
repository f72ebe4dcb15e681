"""The office opens a fair, names who takes part and who sells, sets prices for its days, and counts at its stand."""

from __future__ import annotations

import datetime
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import days
from storefront.exhibitions import send
from storefront.exhibitions.models import Exhibition, ExhibitionFacility, ExhibitionPrice
from storefront.exhibitions.prices import stand_price
from storefront.exhibitions.set_prices import special
from storefront.extensions import db
from storefront.mail.letters import letter_about
from storefront.mail.models import Message
from storefront.people import policy
from storefront.people.models import Invitation, Person
from storefront.stock.levels import stand_location_id
from storefront.stock.models import StockLevel
from tests.factories import make_person
from tests.fairs import make_fair, planned, sold_at_stand
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def admin(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("administrator", name="Ratna"))


def later(days_ahead: int) -> str:
    return (days.today() + datetime.timedelta(days=days_ahead)).isoformat()


def data(**changes: str) -> dict[str, str]:
    return {
        "name": "Pameran Nusantara", "venue": "Balai Kota", "city": "Semarang", "kind": "hall",
        "starts_on": later(3), "ends_on": later(6), **changes,
    }  # fmt: skip


def test_a_fair_is_opened_changed_and_shown(app: Flask, admin: FlaskClient, shop: Shop) -> None:
    refused = post(admin, "/admin/exhibitions/new", {**data(ends_on=later(1)), "slug": "Pameran Kita!"})
    assert refused.status_code == 422
    assert "Pameran Nusantara" in refused.text
    assert "Hari terakhir tidak sebelum" in refused.text
    opened = post(admin, "/admin/exhibitions/new", {**data(), "slug": "nusantara"})
    assert opened.location == "/admin/exhibitions/nusantara"
    assert post(admin, "/admin/exhibitions/new", {**data(), "slug": "nusantara"}).status_code == 422
    post(admin, "/admin/exhibitions/nusantara", data(venue="Alun-Alun"))
    ids = {"facility": [str(shop.pekalongan.id), str(shop.ambon.id)]}
    post(admin, "/admin/exhibitions/nusantara/facilities", ids)
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "brown").save(picture, "JPEG")
    curator = sign_in(app.test_client(), make_account("curator"))
    words = {"theme": "Tanpa batas", "theme_en": "No limits", "hours": "10.00–20.00 WIB", "about": "Mari **datang**."}
    assert post(curator, "/admin/exhibitions/nusantara", data()).status_code == 403
    no_words = {**words, "picture": (io.BytesIO(picture.getvalue()), "a.jpg")}
    assert "Tulis apa yang tampak" in post(curator, "/admin/exhibitions/nusantara/page", no_words).text
    written = {**words, "picture": (io.BytesIO(picture.getvalue()), "a.jpg"), "alt": "Kain batik"}
    assert post(curator, "/admin/exhibitions/nusantara/page", written).status_code == 303
    page = app.test_client().get("/exhibitions/nusantara").text
    for said in ("Alun-Alun", "Tanpa batas", "10.00–20.00 WIB", "<strong>datang", 'alt="Kain batik"', "Namlea"):
        assert said in page, said
    assert "No limits" in app.test_client().get("/en/exhibitions/nusantara").text
    assert 'href="/admin/exhibitions/nusantara"' in admin.get("/admin/exhibitions?when=coming").text


def test_who_has_planned_stays_and_two_people_choose_each_their_own(admin: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan)
    planned(fair, shop.pekalongan, shop.batik.id, 2)
    address, own, other = f"/admin/exhibitions/{fair.slug}/facilities", str(shop.pekalongan.id), str(shop.ambon.id)
    refused = post(admin, address, {"was": [own], "facility": [other]})
    assert refused.status_code == 422
    assert "jadi tetap peserta" in refused.text
    # Seen before the other one came: what somebody else has chosen meanwhile stays.
    post(admin, address, {"was": [own], "facility": [own, other]})
    post(admin, address, {"was": [own], "facility": [own]})
    of_it = select(ExhibitionFacility.facility_id).where(ExhibitionFacility.exhibition_id == fair.id)
    assert set(db.session.scalars(of_it)) == {shop.pekalongan.id, shop.ambon.id}


def test_a_cashier_is_proposed_by_one_and_named_by_another(app: Flask, admin: FlaskClient, shop: Shop) -> None:
    fair, seller = make_fair(shop.pekalongan), make_person(email="penjual@contoh.id")
    later_fair = make_fair(shop.pekalongan, opens=4, ends=5)
    db.session.commit()
    address = f"/admin/exhibitions/{fair.slug}"
    assert "Belum ada akun" in post(admin, f"{address}/cashiers", {"email": "tidak@ada.id"}).text
    assert "alamat surel yang lengkap" in post(admin, f"{address}/cashiers", {"email": "bukan-surel"}).text
    for of in (address, f"/admin/exhibitions/{later_fair.slug}"):
        assert post(admin, f"{of}/cashiers", {"email": " Penjual@contoh.id "}).status_code == 303
    proposal = re.search(r"/cashiers/proposals/(\d+)/reject", admin.get(address).text)
    assert proposal
    approve = f"{address}/cashiers/proposals/{proposal[1]}/approve"
    assert f'action="{approve}"' not in admin.get(address).text
    assert post(admin, approve, {}).status_code == 403
    second = sign_in(app.test_client(), make_account("administrator", name="Bayu"))
    assert "kasir pameran menunggu" in second.get("/admin/").text
    assert post(second, approve, {}).status_code == 303
    elsewhere = re.search(r'action="([^"]+/approve)"', second.get(f"/admin/exhibitions/{later_fair.slug}").text)
    assert elsewhere
    assert post(second, elsewhere[1], {}).status_code == 303
    person = db.session.get_one(Person, seller.id, populate_existing=True)
    assert policy.may_sell_at(person, fair.id)
    assert not policy.may_sell_at(person, later_fair.id), "before its first day"
    page = second.get(address).text
    end = re.search(r'action="([^"]+/cashiers/\d+/end)"', page)
    assert end
    assert "penjual@contoh.id" in page
    post(second, end[1], {})
    assert not policy.may_sell_at(db.session.get_one(Person, seller.id, populate_existing=True), fair.id)


def test_somebody_without_an_account_is_invited_to_sell_at_one_fair(app: Flask, admin: FlaskClient, shop: Shop) -> None:
    """Asked by one administrator, sent by another, and the role begins with the password, at that fair alone."""
    fair, other_fair = make_fair(shop.pekalongan, opens=-1), make_fair(shop.pekalongan, opens=-1)
    db.session.commit()
    address = f"/admin/exhibitions/{fair.slug}"
    wish = {"email": "Kasir@Baru.id", "cashier_name": "Laras"}
    assert post(admin, f"{address}/cashiers", wish).status_code == 303
    assert "sudah diundang" in post(admin, f"/admin/exhibitions/{other_fair.slug}/cashiers", wish).text
    row = db.session.scalars(select(Invitation)).one()
    approve = f"{address}/cashiers/invitations/{row.id}/approve"
    assert f'action="{approve}"' not in admin.get(address).text
    assert post(admin, approve, {}).status_code == 403
    second = sign_in(app.test_client(), make_account("administrator", name="Bayu"))
    assert post(second, approve.replace(fair.slug, other_fair.slug), {}).status_code == 404
    assert fair.name in second.get("/admin/people").text
    assert post(second, approve, {}).status_code == 303
    (message,) = db.session.scalars(select(Message).where(Message.kind == "invitation"))
    told = letter_about(message)
    assert told is not None
    assert f"Kasir pameran, {fair.name}" in " ".join(told.text.split())
    link = re.search(r"/account/invitation/\S+", told.text)
    assert link
    newcomer = app.test_client()
    assert fair.name in newcomer.get(link[0]).text
    answer = post(newcomer, link[0], {"name": "Laras", "password": "empat kata acak di sini"})
    assert answer.status_code == 303
    person = db.session.scalars(select(Person).where(Person.email == "kasir@baru.id")).one()
    assert policy.may_sell_at(person, fair.id)
    assert not policy.may_sell_at(person, other_fair.id)
    assert post(newcomer, link[0], {"name": "Laras", "password": "empat kata acak di sini"}).status_code == 410
    assert "Laras" in admin.get(address).text


def test_prices_of_many_things_on_the_closing_day(admin: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, shop.ambon, opens=-1, ends=3)
    for facility, variant in ((shop.pekalongan, shop.batik), (shop.pekalongan, shop.tempeh), (shop.ambon, shop.honey)):
        planned(fair, facility, variant.id, 2)
    address, last = f"/admin/exhibitions/{fair.slug}/prices", fair.ends_on.isoformat()
    wish = {"facility": "", "skus": "", "how": "percent", "amount": "33", "from_day": last, "to_day": last}
    assert post(admin, address, wish).status_code == 303
    ids = [shop.batik.id, shop.tempeh.id, shop.honey.id]
    found = stand_price(fair.id, ids, fair.ends_on)
    assert [found[id_] for id_ in ids] == [(67_000, fair.ends_on), (10_000, fair.ends_on), (40_200, fair.ends_on)]
    again = post(admin, address, {**wish, "facility": "PKL", "from_day": later(1), "how": "fixed", "amount": "9.000"})
    assert again.status_code == 422
    assert "Sudah ada 2 harga pada hari-hari itu: PKL-BATIK" in again.text
    for wrong in (
        {"amount": "95"}, {"from_day": later(9), "to_day": later(9)}, {"skus": "PKL-KURSI"}, {"amount": "sepuluh"},
        {"from_day": later(-1)},
    ):  # fmt: skip
        assert post(admin, address, {**wish, **wrong}).status_code == 422, wrong
    price = db.session.scalars(select(ExhibitionPrice).where(ExhibitionPrice.variant_id == shop.batik.id)).one()
    post(admin, f"{address}/{price.id}/end", {})
    post(admin, address, {**wish, "skus": "pkl-batik", "how": "fixed", "amount": "50.000", "from_day": later(0)})
    assert stand_price(fair.id, [shop.batik.id], days.today())[shop.batik.id] == (50_000, fair.ends_on)
    page = admin.get(f"{address}?state=now&q=batik").text.replace("\xa0", " ")
    assert "Rp 50.000" in page
    assert "PKL-TEMPE" not in page


def test_a_percentage_never_costs_more_and_never_nothing() -> None:
    for ordinary in (1, 7, 999, 1000, 1050, 15_000, 99_999, 485_000):
        for percent in range(1, 91):
            assert 1 <= special("percent", percent, ordinary) <= max(1, ordinary * (100 - percent) // 100)


def test_what_arrives_is_counted_and_what_is_left_goes_home(app: Flask, admin: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan)
    planned(fair, shop.pekalongan, shop.batik.id, 5)
    send.send(fair, shop.pekalongan.id, {shop.batik.id: 5}, key="kunci-stan-000000001", person_id=make_person().id)
    db.session.commit()
    address = f"/admin/exhibitions/{fair.slug}/stand"
    assert "Hitung yang tiba" in admin.get(address).text
    typed = {"code": "PKL", "number": "1", "what": "sending", "a-PKL-BATIK": "4", "why-PKL-BATIK": ""}
    refused = post(admin, f"{address}/count", typed)
    assert refused.status_code == 409
    assert "Pilih alasannya" in refused.text
    assert post(admin, f"{address}/count", {**typed, "why-PKL-BATIK": "damaged"}).status_code == 303
    assert at_stand(fair, shop) == 4
    page = admin.get(address).text
    assert "4 dari 5" in page
    undo = re.search(r'action="([^"]+/counts/\d+/undo)"', page)
    assert undo
    post(admin, undo[1], {})
    assert at_stand(fair, shop) == 5
    sold_at_stand(fair, shop.batik, 2)
    form = admin.get(f"{address}?facility=PKL").text
    key = re.search(r'name="once" value="([^"]+)"', form)
    assert key
    home = {"code": "PKL", "once": key[1], "r-PKL-BATIK": "4"}
    assert "Di stan hanya 3 yang bebas" in post(admin, f"{address}/return", home).text
    for _twice in range(2):
        assert post(admin, f"{address}/return", {**home, "r-PKL-BATIK": "3"}).status_code in (303, 422)
    assert at_stand(fair, shop) == 0
    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    own = f"/seller/PKL/exhibitions/{fair.slug}"
    assert "Pengembalian nomor 1" in coordinator.get(own).text
    assert "kiriman pulang dari" in coordinator.get("/seller/PKL/").text
    counted = {"number": "1", "a-PKL-BATIK": "2", "why-PKL-BATIK": "missing"}
    assert post(coordinator, f"{own}/arrived", counted).status_code == 303
    assert "2 dari 3" in coordinator.get(own).text
    assert "kiriman pulang dari" not in coordinator.get("/seller/PKL/").text


def at_stand(fair: Exhibition, shop: Shop) -> int:
    db.session.expire_all()
    level = db.session.get(StockLevel, (shop.batik.id, stand_location_id(fair.id)))
    return level.on_hand if level else 0
