"""Asking, answering, reviewing and moderating through the pages, as people do it."""

from __future__ import annotations

import email
import email.policy
import html
import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.enquiries.models import Enquiry
from storefront.enquiries.tokens import thread_token
from storefront.extensions import db
from storefront.mail.transport import mail_folder
from storefront.orders.tokens import order_token
from storefront.reviews.models import Review, ReviewPhoto
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.voices import answered, asked, item_of, picture_with_place, receive, received_line, reviewed


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def key_in(page: str) -> str:
    found = re.search(r'name="request_key" value="([^"]+)"', page)
    assert found
    return found[1]


def ask(client: FlaskClient, body: str = "Apakah ada warna lain?", **more: str) -> str:
    """Ask about the batik cloth from its page; where the answer leads."""
    page = client.get("/products/kain-batik/ask")
    assert page.status_code == 200
    form = {"body": body, "city": "Pekalongan", "visibility": "public", "request_key": key_in(page.text), **more}
    sent = client.post("/products/kain-batik/ask", data=form)
    assert sent.status_code == 303, sent.text
    return str(sent.location)


def test_a_question_is_asked_without_an_account_answered_by_the_coordinator_and_read_by_all(
    app: Flask, client: FlaskClient, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    thread = ask(client, email="Sari@contoh.id")
    assert "Simpan alamat halaman ini" in client.get(thread).text
    assert "Apakah ada warna lain?" not in client.get("/products/kain-batik").text, "nobody has answered yet"
    seller = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert "<b>1</b> pertanyaan menunggu jawaban" in seller.get("/seller/PKL/").text
    listed = seller.get("/seller/PKL/questions").text
    (path,) = set(re.findall(r"/seller/PKL/questions/\d+", listed))
    page = seller.get(path).text
    assert "Calon pembeli di Pekalongan" in page
    assert "sari@contoh.id" not in page.lower(), "the address is the office's alone"
    wrong = post(seller, path, {"body": "Ada", "request_key": key_in(page)})
    assert wrong.status_code == 422
    assert "sedikit lebih panjang" in wrong.text
    form = {"body": "Ada, merah dan biru.", "request_key": key_in(page)}
    assert post(seller, path, form).status_code == 303
    assert post(seller, path, form).status_code == 303, "sent twice, it is said once"
    public = client.get("/products/kain-batik").text
    assert public.count("Ada, merah dan biru.") == 1
    assert "Calon pembeli di Pekalongan" in public
    assert "Prospective buyer in Pekalongan" in client.get("/en/products/kain-batik").text
    db.session.rollback()
    run_jobs()
    (file,) = mail_folder().glob("enquiry_message.*.question_answered.eml")
    letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    file.unlink()
    assert (letter["To"], letter["Subject"]) == ("sari@contoh.id", "Pertanyaan Anda tentang Kain batik sudah dijawab")
    plain, html = (str(letter.get_body((form,)).get_content()) for form in ("plain", "html"))  # type: ignore[union-attr]
    link = re.search(r"https?://\S+(/questions/\S+)", plain)
    assert link
    assert f'{link[1]}"' in html
    assert "Baca dan balas" in html
    page = client.get(link[1])
    assert "Ada, merah dan biru." in page.text
    assert page.headers["Cache-Control"] == "no-store"
    again = client.post(link[1], data={"body": "Yang biru masih ada dua?", "request_key": key_in(page.text)})
    assert again.status_code == 303
    assert "Yang biru masih ada dua?" in client.get("/products/kain-batik").text
    assert client.get("/products/kain-batik/questions").text.count("Ada, merah dan biru.") == 1


def test_what_is_wrong_in_a_question_stands_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, shop: Shop
) -> None:
    key = key_in(client.get("/products/kain-batik/ask").text)
    form = {"body": "Warna?", "city": "B0", "email": "sari", "visibility": "private", "request_key": key}
    answer = client.post("/products/kain-batik/ask", data=form)
    assert answer.status_code == 422
    for name in ("body", "city", "email"):
        assert f'id="f-{name}-error"' in answer.text
    assert ">Warna?</textarea>" in answer.text
    assert 'value="sari"' in answer.text
    assert re.search(r'value="private" checked', answer.text)
    assert client.get("/products/tidak-ada/ask").status_code == 404


def test_machines_fall_into_the_trap_and_one_network_may_not_ask_for_ever(
    client: FlaskClient, make_app: Callable[..., Flask], shop: Shop
) -> None:
    assert ask(client, website="https://beli.test") == "/products/kain-batik#tanya"
    assert db.session.query(Enquiry).count() == 0
    limited = make_app(RATE_LIMITS="on").test_client()
    ask(limited)
    with limited.application.app_context():
        db.session.execute(
            text(
                "INSERT INTO login_attempts (kind, subject, network, succeeded) SELECT kind, subject, network, false"
                " FROM login_attempts, generate_series(1, 30) WHERE kind = 'question'"
            )
        )
        db.session.commit()
    key = key_in(limited.get("/products/kain-batik/ask").text)
    refused = limited.post(
        "/products/kain-batik/ask", data={"body": "Masih bisa bertanya?", "request_key": key}
    )
    assert refused.status_code == 429
    assert "Tunggu satu jam" in refused.text


def test_a_private_question_is_read_by_the_two_alone(app: Flask, client: FlaskClient, shop: Shop) -> None:
    enquiry = asked(shop.batik, "Bisakah dibuat lebih lebar untuk kami?", is_public=False)
    answered(enquiry, "Bisa, sebutkan ukurannya di sini.")
    assert "lebih lebar" not in client.get("/products/kain-batik").text
    assert "sebutkan ukurannya" in client.get(f"/questions/{thread_token(enquiry)}").text
    other = asked(shop.batik)
    wrong = thread_token(other).replace(f"{other.id}-", f"{enquiry.id}-", 1)
    assert client.get(f"/questions/{wrong}").status_code == 404
    stranger = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert stranger.get(f"/seller/NML/questions/{enquiry.id}").status_code == 404
    assert stranger.get(f"/seller/PKL/questions/{enquiry.id}").status_code == 404


def test_a_held_question_reaches_nobody_until_the_curator_decides(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    thread = ask(client, "Hubungi 0812 3456 7890 <b>ya</b>")
    assert "Menunggu kurator membacanya" in client.get(thread).text
    seller = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert "0812" not in seller.get("/seller/PKL/questions?state=all").text
    curator = sign_in(app.test_client(), make_account("curator", name="Kurator Satu"))
    assert "<b>1</b><span>tulisan atau foto menunggu" in curator.get("/admin/").text
    page = curator.get("/admin/moderation").text
    assert "<mark>0812 3456 7890</mark>" in page
    assert "&lt;b&gt;ya&lt;/b&gt;" in page
    assert "nomor telepon" in page
    assert re.findall(r'data-key="(\w)"', page) == ["a", "h", "t"]
    (item_id,) = set(re.findall(r"/admin/moderation/(\d+)/approve", page))
    version = re.search(r'name="version" value="(\d+)"', page)[1]  # type: ignore[index]
    refused = post(curator, f"/en/admin/moderation/{item_id}/refuse", {"version": version, "reason": "outside"})
    assert refused.status_code == 303
    assert "Tidak diteruskan" in client.get(thread).text
    # In the writer's language, whatever the curator's.
    assert "ajakan membayar di luar toko" in client.get(thread).text
    late = sign_in(app.test_client(), make_account("curator"))
    told = post(late, f"/admin/moderation/{item_id}/approve", {"version": version})
    assert told.status_code == 409
    assert "Kurator lain baru saja memutuskan ini" in told.text
    assert "oleh Kurator Satu" in told.text
    page = curator.get("/admin/moderation").text
    assert 'data-key="u"' in page
    version = re.search(r'undo".*?name="version" value="(\d+)"', page, re.S)[1]  # type: ignore[index]
    assert post(curator, f"/admin/moderation/{item_id}/undo", {"version": version}).status_code == 303
    history = curator.get(f"/admin/moderation/{item_id}").text
    below = history.partition("Keputusan selama ini")[2]
    assert 0 < below.index("diurungkan") < below.index("ajakan membayar di luar toko")


def test_one_is_passed_over_by_a_key_and_work_goes_on_after_it(app: Flask, client: FlaskClient, shop: Shop) -> None:
    for number in (1, 2, 3):
        ask(client, f"Nomor {number}: hubungi 0812 3456 7890")
    curator = sign_in(app.test_client(), make_account("curator"))
    shown = curator.get("/admin/moderation").text
    link = re.search(r'data-key="l" href="([^"]+)"', shown)
    assert link
    second = curator.get(html.unescape(link[1])).text
    first_id, second_id = (re.findall(r"/admin/moderation/(\d+)/approve", page)[0] for page in (shown, second))
    assert int(second_id) > int(first_id)
    assert f'href="/admin/moderation/{first_id}"' in second  # it is not lost
    version = re.search(r'name="version" value="(\d+)"', second)[1]  # type: ignore[index]
    form = {"version": version, "after": first_id, "list": "waiting"}
    done = post(curator, f"/admin/moderation/{second_id}/hold", form)
    third = curator.get(done.headers["Location"]).text
    assert f"/admin/moderation/{int(second_id) + 1}/approve" in third
    last = curator.get(f"/admin/moderation?after={int(second_id) + 1}").text
    assert f"/admin/moderation/{first_id}/approve" in last  # from the end back to the first


def test_a_review_is_written_from_the_order_with_a_photo_and_shown_once_a_curator_has_seen_both(
    app: Flask, client: FlaskClient, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order = make_paid_order((shop.batik, 1))
    db.session.commit()
    number, token = order.number, order_token(order)
    assert client.get(f"/orders/{number}?token={token}").status_code == 303
    assert client.get(f"/orders/{number}").text.count("Tulis ulasan") == 0
    early = client.post(f"/orders/{number}/reviews/1", data={"stars": "5"})
    assert early.status_code == 409
    assert "setelah kirimannya diterima" in unescape(early.text)
    receive(order)
    assert "Tulis ulasan" in client.get(f"/orders/{number}").text
    path = f"/orders/{number}/reviews/1"
    wrong = client.post(
        path, data={"body": "Halus sekali.", "photo-1": (io.BytesIO(b"<svg/>"), "foto.jpg")}
    )
    assert wrong.status_code == 422
    assert ">Halus sekali.</textarea>" in wrong.text
    assert 'id="f-photo-1-error"' in wrong.text
    sent = client.post(
        path,
        data={"stars": "4", "body": "Halus <i>sekali</i>.", "alt-1": "Kain di meja",
              "photo-1": (io.BytesIO(picture_with_place()), "foto.jpg")},
    )  # fmt: skip
    assert sent.status_code == 303
    assert "Ulasan menunggu kurator" in client.get(f"/orders/{number}").text
    db.session.rollback()
    run_jobs()
    assert "Halus" not in client.get("/products/kain-batik").text
    curator = sign_in(app.test_client(), make_account("curator"))
    (photo,) = db.session.scalars(select(ReviewPhoto)).all()
    address = f"/admin/moderation/photos/{photo.id}"
    assert client.get(address).status_code in (302, 404)
    assert curator.get(address).mimetype == "image/webp"
    assert client.get(f"/media/{photo.key}-400.webp").status_code == 404
    for kind, subject in (("review", photo.review_id), ("photo", photo.id)):
        item = item_of(kind, subject)
        data = {"version": str(item.version)}
        assert post(curator, f"/admin/moderation/{item.id}/approve", data).status_code == 303
    page = client.get("/products/kain-batik").text
    assert "Halus &lt;i&gt;sekali&lt;/i&gt;." in page
    assert "Pembeli di Pekalongan" in page
    assert "Sari" not in page
    assert 'alt="Kain di meja"' in page
    assert "<b class=\"nums\">4,0</b>" in page
    assert client.get(f"/media/{photo.key}-400.webp").status_code == 200
    assert "4 of 5 stars" in client.get("/en/products/kain-batik/reviews").text
    past_the_end = client.get("/en/products/kain-batik/reviews?page=9").text
    assert "4 of 5 stars" in past_the_end
    assert "No reviews yet" not in past_the_end


def test_a_facility_replies_to_a_review_and_a_bank_account_in_it_waits(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    review = reviewed(shop.batik, 3)
    seller = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    path = f"/seller/PKL/reviews/{review.id}"
    assert post(seller, path, {"body": "Rekening BCA 1234567890"}).status_code == 303
    assert "Menunggu kurator" in seller.get("/seller/PKL/reviews").text
    assert "1234567890" not in client.get("/products/kain-batik").text
    assert post(seller, path, {"body": "Terima kasih, kami perbaiki."}).status_code == 303
    assert "kami perbaiki" in client.get("/products/kain-batik").text
    assert post(seller, path, {"body": ""}).status_code == 422
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert post(other, f"/seller/NML/reviews/{review.id}", {"body": "Bukan milik kami"}).status_code == 404


def test_the_order_page_asks_as_a_buyer_and_orders_of_others_stay_closed(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    line = received_line(shop.batik)
    order = line.order
    number, token = order.number, order_token(order)
    db.session.commit()
    for path in ("ask/1", "reviews/1"):
        assert client.get(f"/orders/{number}/{path}").status_code == 404
        assert client.post(f"/orders/{number}/{path}", data={"stars": "1"}).status_code == 404
    client.get(f"/orders/{number}?token={token}")
    assert client.get(f"/orders/{number}/ask/9").status_code == 404
    page = client.get(f"/orders/{number}/ask/1").text
    form = {"body": "Bagaimana cara mencucinya?", "visibility": "public", "request_key": key_in(page)}
    assert client.post(f"/orders/{number}/ask/1", data=form).status_code == 303
    enquiry = db.session.scalars(select(Enquiry)).one()
    assert (enquiry.is_buyer, enquiry.city, enquiry.order_id) == (True, "Pekalongan", order.id)
    assert client.post(f"/orders/{number}/reviews/1", data={"stars": "9"}).status_code == 422
    assert client.post(f"/orders/{number}/reviews/1", data={"stars": "5"}).status_code == 303
    assert db.session.scalars(select(Review)).one().is_shown
