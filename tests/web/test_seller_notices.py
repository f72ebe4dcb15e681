"""Today, saved views, ready answers, certificates and choices, as a coordinator uses them, without JavaScript."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.enquiries.models import CannedReply, Enquiry
from storefront.exports.certificates import by_code
from storefront.exports.models import SaleCertificate
from storefront.extensions import db
from storefront.notices.models import NoticeChoice, PushDevice, SavedView
from storefront.orders.models import Order, Parcel
from storefront.orders.place import Contact
from tests.after_sale import visit
from tests.factories import make_paid_order
from tests.notices import kept_reply
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.voices import asked

BUYER = Contact("Murniati", "murniati@example.test", "+628123456789")
#: Keys as browsers make them, for nobody.
KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


def paid(shop: Shop) -> Order:
    order = make_paid_order((shop.batik, 2), contact=BUYER)
    db.session.commit()
    return order


def key_in(page: str) -> str:
    found = re.search(r'name="request_key" value="([^"]+)"', page)
    assert found
    return found[1]


def title(page: str) -> str:
    found = re.search(r"<title>([^<]*)</title>", page)
    assert found
    return found[1]


def test_the_tab_counts_what_is_to_do_and_each_thing_has_its_one_button(coordinator: FlaskClient, shop: Shop) -> None:
    page = coordinator.get("/seller/PKL/").text
    assert title(page).startswith("Hari ini · ")
    assert "Tidak ada yang menunggu" in page
    paid(shop)
    late = db.session.scalars(select(Parcel).where(Parcel.facility_id == shop.pekalongan.id)).one()
    late.ready_by = days.today() - datetime.timedelta(days=3)
    db.session.commit()
    asked(shop.batik)
    for address in ("/seller/PKL/", "/seller/PKL/waiting"):
        page = coordinator.get(address).text
        assert title(page).startswith("(2) Hari ini · ")
        items = re.findall(r'<li class="task.*?</li>', page, re.S)
        assert [re.findall(r'<a [^>]*href="([^"]+)"', item) for item in items[:2]] == [
            ["/seller/PKL/parcels?state=to_pack"], ["/seller/PKL/questions?state=open"],
        ]  # fmt: skip
        assert "task--late" in items[0]
    assert title(coordinator.get("/en/seller/PKL/").text).startswith("(2) Today · ")


def test_a_list_is_kept_as_a_view_renamed_deleted_and_had_back(coordinator: FlaskClient, db_session: Session) -> None:
    listed = "/seller/PKL/parcels?state=to_pack"
    page = coordinator.get(listed).text
    assert 'name="query" value="state=to_pack"' in page
    form = {"list": "seller.parcels", "query": "state=to_pack&page=3"}
    refused = post(coordinator, "/seller/PKL/views", {**form, "name": " "})
    assert refused.status_code == 422
    assert "Beri nama tampilan ini." in refused.text
    assert 'value="state=to_pack&amp;page=3"' in refused.text, "nothing typed is lost"
    saved = post(coordinator, "/seller/PKL/views", {**form, "name": "Untuk dikemas", "default": "1"})
    assert (saved.status_code, saved.location) == (303, listed)
    view = db_session.scalars(select(SavedView)).one()
    chip = f'class="chip chip--on" href="{listed}"'
    assert chip in coordinator.get(listed).text
    # The list opens with it, but its own link to everything is followed.
    opened = coordinator.get("/seller/PKL/parcels")
    assert (opened.status_code, opened.location) == (302, listed)
    here = {"Referer": f"http://localhost{listed}"}
    assert coordinator.get("/seller/PKL/parcels", headers=here).status_code == 200
    address = f"/seller/PKL/views/{view.id}"
    assert post(coordinator, f"{address}/rename", {"name": "Kemas dulu"}).status_code == 303
    assert "Kemas dulu" in coordinator.get("/seller/PKL/views").text
    gone = post(coordinator, f"{address}/delete")
    page = coordinator.get(gone.location).text
    assert f'action="{address}/restore"' in page
    assert coordinator.get("/seller/PKL/parcels").status_code == 200
    assert post(coordinator, f"{address}/restore").status_code == 303
    assert "Kemas dulu" in coordinator.get("/seller/PKL/parcels").text
    assert post(coordinator, "/seller/PKL/views", {**form, "list": "seller.today", "name": "x"}).status_code == 404
    wanted = select(AuditEvent.action).where(AuditEvent.subject_kind == "saved_view").order_by(AuditEvent.id)
    trail = db_session.scalars(wanted)
    assert list(trail) == ["view.saved", "view.rename", "view.delete", "view.restore"]


def test_a_view_is_ones_own(app: Flask, coordinator: FlaskClient, shop: Shop, db_session: Session) -> None:
    form = {"list": "seller.products", "query": "stock=sold_out", "name": "Habis"}
    post(coordinator, "/seller/PKL/views", form)
    view = db_session.scalars(select(SavedView)).one()
    other = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    assert "Habis</a>" not in other.get("/seller/PKL/products").text
    for step in ("rename", "default", "plain", "delete", "restore"):
        assert post(other, f"/seller/PKL/views/{view.id}/{step}", {"name": "Milik saya"}).status_code == 404


def test_a_ready_answer_goes_below_what_was_typed_in_the_askers_language(
    coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    form = {"name": "Lama", "body": "Dua minggu, lalu dikirim.", "body_en": "Two weeks, then it is sent."}
    assert post(coordinator, "/seller/PKL/replies", {**form, "body": ""}).status_code == 422
    assert post(coordinator, "/seller/PKL/replies", form).status_code == 303
    twice = post(coordinator, "/seller/PKL/replies", {**form, "name": "lama"})
    assert "Sudah ada jawaban dengan nama ini" in twice.text
    reply = db_session.scalars(select(CannedReply)).one()
    english = asked(shop.batik, "How long does it take?", locale="en")
    address = f"/seller/PKL/questions/{english.id}"
    typed = {"body": "Hello!", "request_key": key_in(coordinator.get(address).text), "insert": "1"}
    assert "Pilih dulu jawabannya." in post(coordinator, address, typed).text
    filled = post(coordinator, address, {**typed, "canned": str(reply.id)})
    assert filled.status_code == 200
    assert ">Hello!\n\nTwo weeks, then it is sent.</textarea>" in filled.text
    assert db_session.scalar(text("SELECT count(*) FROM enquiry_messages WHERE author = 'facility'")) == 0
    sent = {"body": "Hello!\n\nTwo weeks, then it is sent.", "request_key": key_in(filled.text)}
    assert post(coordinator, address, sent).status_code == 303
    foreign = kept_reply(shop.ambon)
    db_session.commit()
    assert post(coordinator, address, {**typed, "canned": str(foreign)}).status_code == 404
    gone = post(coordinator, f"/seller/PKL/replies/{reply.id}/delete")
    assert f"/replies/{reply.id}/restore" in coordinator.get(gone.location).text
    assert 'name="canned"' not in coordinator.get(address).text
    post(coordinator, f"/seller/PKL/replies/{reply.id}/restore")
    assert 'name="canned"' in coordinator.get(address).text


def test_who_bought_asks_about_a_parcel_in_private(
    app: Flask, client: FlaskClient, coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    order = paid(shop)
    visit(client, order)
    address = f"/orders/{order.number}/parcels/1/ask"
    assert address in client.get(f"/orders/{order.number}").text
    page = client.get(address).text
    assert "visibility" not in page
    same = {"Sec-Fetch-Site": "same-origin"}
    form = {"body": "Bisa dititipkan ke tetangga?", "visibility": "public", "request_key": key_in(page)}
    assert client.post(address, data={**form, "body": "Hm"}, headers=same).status_code == 422
    asked_it = client.post(address, data=form, headers=same)
    assert asked_it.status_code == 303
    thread = client.get(asked_it.location).text
    assert f"kiriman {order.number}/1" in thread
    assert client.get(f"/orders/{order.number}/parcels/9/ask").status_code == 404
    enquiry = db_session.scalars(select(Enquiry)).one()
    assert (enquiry.is_public, enquiry.is_buyer, enquiry.product_id) == (False, True, None)
    listed = coordinator.get("/seller/PKL/questions").text
    assert f"kiriman {order.number}/1" in listed
    page = coordinator.get(f"/seller/PKL/questions/{enquiry.id}").text
    assert "Bisa dititipkan" in page
    assert f"/seller/PKL/parcels/{enquiry.parcel_id}" in page
    for secret in ("Murniati", "murniati@", "812345"):
        assert secret not in page + listed
    unsigned = app.test_client().get(f"/seller/PKL/questions/{enquiry.id}")
    assert unsigned.location == f"/login?next=/seller/PKL/questions/{enquiry.id}", "the letter's link, after signing in"
    stranger = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert stranger.get(f"/seller/NML/questions/{enquiry.id}").status_code == 404


def test_questions_are_filtered_sorted_and_linked(coordinator: FlaskClient, shop: Shop) -> None:
    public = asked(shop.batik, "Apakah ada warna lain?")
    private = asked(shop.tempeh, "Berapa lama tempenya tahan?", is_public=False)

    def found(query: str) -> set[int]:
        page = coordinator.get(f"/seller/PKL/questions?{query}").text
        return {int(number) for number in re.findall(r"/seller/PKL/questions/(\d+)", page)}

    both = {public.id, private.id}
    assert found("") == found("state=open") == found("state=all") == both
    assert found("state=answered") == set()
    assert found("state=all&readers=private") == {private.id}
    assert found(f"state=all&product={shop.batik.product_id}") == {public.id}
    assert found("q=TEMPENYA") == {private.id}
    assert found("q=100%25") == set(), "signs of the database's own are letters here"
    page = coordinator.get("/seller/PKL/questions?state=all&q=warna&sort=newest").text
    assert "state=answered&amp;q=warna&amp;sort=newest" in page, "filters are kept from list to list"


def test_a_certificate_is_numbered_says_the_rule_and_names_no_buyer(
    app: Flask, client: FlaskClient, coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    order = paid(shop)
    paid(shop)
    today = days.today().isoformat()
    page = coordinator.get("/seller/PKL/certificates").text
    form = {"from": today, "to": today, "order": "", "request_key": key_in(page)}
    wrong = post(coordinator, "/seller/PKL/certificates", {**form, "from": "2026-13-45"})
    assert wrong.status_code == 422
    nothing = post(coordinator, "/seller/PKL/certificates", {**form, "from": "2020-01-01", "to": "2020-01-31"})
    assert "Tidak ada penjualan pada pilihan ini" in nothing.text
    assert post(coordinator, "/seller/PKL/certificates", form).status_code == 303
    assert post(coordinator, "/seller/PKL/certificates", form).status_code == 303, "sent twice, it is issued once"
    page = coordinator.get("/seller/PKL/certificates").text
    year = days.today().year
    assert page.count(f"SKP-PKL-{year}-0001</span></th>") == 1
    one_sale = {**form, "order": order.number, "request_key": key_in(page)}
    assert post(coordinator, "/seller/PKL/certificates", one_sale).status_code == 303
    foreign = make_paid_order((shop.honey, 1))
    db_session.commit()
    refused = {**one_sale, "order": foreign.number, "request_key": "k" * 20}
    assert "Tidak ada penjualan UPT ini" in post(coordinator, "/seller/PKL/certificates", refused).text
    whole, single = db_session.scalars(select(SaleCertificate).order_by(SaleCertificate.id)).all()
    assert (whole.number, single.number) == (1, 2)
    assert whole.net_amount == 2 * single.net_amount == 400_000
    sums = whole.content["sums"]
    assert sum(sums[name] for name in ("premium", "working_capital", "state_revenue", "other")) == whole.net_amount
    assert whole.content["rules"][0]["legal_basis"]
    for secret in ("Murniati", "murniati", "812345", "Melati"):
        assert secret not in str(whole.content) + str(single.content)
    paper = coordinator.get(f"/seller/PKL/certificates/{whole.id}/pdf")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    assert coordinator.get(f"/seller/PKL/certificates/{whole.id}/pdf").data == paper.data, "the same for ever"
    confirmed = client.get(f"/certificates/{whole.code}")
    assert f"SKP-PKL-{year}-0001" in confirmed.text
    assert "Rp\u00a0400.000" in confirmed.text
    assert by_code(whole.code.lower()).id == whole.id
    assert client.get("/certificates/AAAABBBBCCCC").status_code == 404
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    assert "Terbitkan</button>" not in head.get("/seller/PKL/certificates").text
    assert post(head, "/seller/PKL/certificates", form).status_code == 403


def test_each_chooses_for_themselves_what_they_are_told(
    app: Flask, coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    page = coordinator.get("/seller/PKL/notices").text
    assert len(re.findall(r'name="email" value="\w+" checked', page)) == 8
    assert len(re.findall(r'name="push" value="\w+" checked', page)) == 7
    assert post(coordinator, "/seller/PKL/notices", {"email": ["digest"], "push": ["parcel"]}).status_code == 303
    page = coordinator.get("/seller/PKL/notices").text
    assert re.findall(r'name="email" value="(\w+)" checked', page) == ["digest"]
    assert re.findall(r'name="push" value="(\w+)" checked', page) == ["parcel"]
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    page = head.get("/seller/PKL/notices").text
    assert re.findall(r'name="email" value="(\w+)"', page) == ["training", "digest"], "a head is told of these alone"
    post(head, "/seller/PKL/notices", {"push": ["parcel"]})
    own = db_session.scalars(select(NoticeChoice.kind).order_by(NoticeChoice.person_id.desc())).all()
    assert set(own[:2]) == {"training", "digest"}


def test_a_device_is_added_and_stopped_and_only_ones_own(
    app: Flask, coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    form = {"endpoint": "https://fcm.googleapis.com/fcm/send/abc", **KEYS}
    for wrong in ({"endpoint": "https://intern.test/x"}, {"auth": "A"}, {"p256dh": "é" * 87}):
        assert post(coordinator, "/seller/PKL/devices", {**form, **wrong}).status_code == 422
    assert post(coordinator, "/seller/PKL/devices", form).status_code == 303
    assert post(coordinator, "/seller/PKL/devices", form).status_code == 303, "the same browser, once"
    device = db_session.scalars(select(PushDevice)).one()
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert post(other, f"/seller/PKL/devices/{device.id}/remove").status_code == 404
    assert post(coordinator, f"/seller/PKL/devices/{device.id}/remove").status_code == 303
    assert db_session.scalar(text("SELECT count(*) FROM push_devices")) == 0


def test_without_a_key_push_is_said_to_be_off(make_app, app: Flask, shop: Shop) -> None:  # type: ignore[no-untyped-def]
    person = make_account("coordinator", facilities=(shop.pekalongan,))
    off = sign_in(make_app(SERVICE_WORKER="off").test_client(), person)
    page = off.get("/seller/PKL/notices").text
    assert "belum dinyalakan di toko ini" in page
    assert "data-push=" not in page
