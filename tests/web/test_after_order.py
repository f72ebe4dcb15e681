"""An order after it is paid: its page tells the truth parcel by parcel, and one letter goes out for each step."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.catalogue.models import Product
from storefront.content import operator
from storefront.days import accounting_day
from storefront.display import format_date
from storefront.exports.receipt_pdf import document
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.orders import progress, receive, ship
from storefront.orders.models import Order
from storefront.orders.place import Contact
from storefront.orders.report_window import Windows
from storefront.orders.views import order_view
from storefront.refunds.cancel import cancel_parcels
from tests.after_sale import arrive, body, kinds, letter, parcels_of, send, visit
from tests.factories import (
    make_facility,
    make_order,
    make_paid_order,
    make_product,
    make_variant,
    make_workshop,
)
from tests.selling import Shop, open_shop
from tests.staff import SAME


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def order(db_session: Session, shop: Shop) -> Order:
    """Two facilities, paid."""
    made = make_paid_order((shop.batik, 2), (shop.honey, 1))
    db_session.commit()
    return made


def test_five_facilities_send_one_letter_for_each_step(
    db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    goods = [
        make_variant(make_product(make_workshop(make_facility(f"F{n}0"))), stock=3, sku=f"LIMA-{n}")
        for n in range(1, 6)
    ]
    order_id = make_paid_order(*((variant, 1) for variant in goods)).id
    db_session.commit()
    for parcel in parcels_of(order_id)[:4]:
        send(parcel)
        run_jobs()
    # Gathered for half an hour: nothing yet, and one look is queued for later.
    assert kinds(order_id) == ["order_placed", "order_paid"]
    later = "SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo'"
    assert db_session.execute(text(later), {"lock": f"progress:{order_id}"}).scalar_one() == 1
    assert progress.tell_progress(order_id, gathered=True) == "order_on_its_way"
    assert progress.tell_progress(order_id, gathered=True) is None
    db_session.commit()
    run_jobs()
    send(parcels_of(order_id)[4])
    run_jobs()
    for parcel in parcels_of(order_id):
        ship.mark_received(parcel.id, None)
        db_session.commit()
        run_jobs()
    steps = ["order_placed", "order_paid", "order_on_its_way", "order_all_sent", "order_received"]
    assert kinds(order_id) == steps
    told = body(letter(f"order:{order_id}:order_on_its_way"))
    assert "4 dari 5" in told
    assert all(f"Lapas F{n}0: dalam perjalanan, JNE, resi CGK123456" in told for n in range(1, 5))
    assert "Lapas F50: sedang disiapkan" in told
    for kind in steps:  # each as text and as HTML
        html = body(letter(f"order:{order_id}:{kind}"), "html")
        assert f'/orders/{db_session.get_one(Order, order_id).number}?token=' in html
        assert "<script" not in html


def test_one_parcel_is_told_at_once_and_two_together_once(
    db_session: Session, shop: Shop, order: Order, run_jobs: Callable[[], None]
) -> None:
    single = make_paid_order((shop.batik, 1), locale="en").id
    db_session.commit()
    send(parcels_of(single)[0])
    for parcel in parcels_of(order.id):
        send(parcel)
    run_jobs()
    assert kinds(single)[2:] == kinds(order.id)[2:] == ["order_all_sent"]
    message = letter(f"order:{single}:order_all_sent")
    assert "is on its way" in str(message["Subject"])
    # Half an hour later nothing is left to tell.
    assert progress.tell_progress(order.id, gathered=True) is None


def test_a_letter_owed_before_the_steps_were_told_still_goes_out(
    db_session: Session, order: Order, run_jobs: Callable[[], None]
) -> None:
    parcel = parcels_of(order.id)[0]
    owe("parcel_shipped", order.id, parcel_id=parcel.id)
    db_session.commit()
    parcel_id = parcel.id
    run_jobs()
    assert "Sebagian pesanan" in str(letter(f"parcel:{parcel_id}:parcel_shipped")["Subject"])


def test_without_an_address_the_page_offers_to_keep_the_link(
    db_session: Session, client: FlaskClient, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order = make_paid_order((shop.batik, 1), contact=Contact("Sari", None, "+628123456789"))
    db_session.commit()
    run_jobs()
    paid = db_session.scalars(select(Message).where(Message.kind == "order_paid")).one()
    assert (paid.last_error, paid.sent_at is not None) == ("no address", True)
    page = visit(client, order).get(f"/orders/{order.number}").text
    found = re.search(r'href="(https://wa\.me/628123456789\?text=[^"]+)"', page)
    assert found
    assert f"%2Forders%2F{order.number}%3Ftoken%3D" in found[1]
    assert "Anda tidak memberi surel" in page


def test_the_page_says_where_each_parcel_is_and_what_comes_next(
    client: FlaskClient, db_session: Session, order: Order
) -> None:
    first, _second = parcels_of(order.id)
    page = visit(client, order).get(f"/orders/{order.number}").text
    assert page.count("Lapas sedang menyiapkannya") == 2
    assert "0 dari" not in page
    send(first, "J&T Express", "JP1234567890")
    page = client.get(f"/orders/{order.number}").text
    assert "1 dari 2 kiriman" in page
    assert 'href="https://jet.co.id/track?awb=JP1234567890" rel="noopener noreferrer"' in page
    first = parcels_of(order.id)[0]
    assert first.shipped_at is not None
    from_day, until = (
        format_date(first.shipped_at.astimezone(datetime.UTC) + datetime.timedelta(days=days))
        for days in (first.days_min, first.days_max)
    )
    with client.application.app_context():
        assert f"perkiraan {from_day} sampai {until}" in page
    by_itself = Windows.load().counts_as_received_on(first.shipped_at, first.days_max)
    assert f"sampai {format_date(by_itself)}, kami anggap sudah diterima" in page
    assert "Batas lapor dihitung sejak diterima" in page
    received = client.post(f"/orders/{order.number}/parcels/1/received", headers=SAME)
    assert received.status_code == 303
    first = parcels_of(order.id)[0]
    assert first.received_at is not None
    assert f"Batas lapor: {format_date(Windows.load().report_until(first.received_at))}" in client.get(
        f"/orders/{order.number}"
    ).text
    # Once more, from a page that was open: a sentence, not an error.
    again = client.post(f"/orders/{order.number}/parcels/1/received", headers=SAME)
    assert again.status_code == 409
    assert "sudah berubah sejak halaman dibuka" in again.text


def test_a_split_parcel_shows_its_own_pieces(
    client: FlaskClient, db_session: Session, order: Order, owner_connection: psycopg.Connection
) -> None:
    first = parcels_of(order.id)[0]
    line, number, id = first.lines[0].order_line_id, order.number, first.id
    visit(client, order)
    db_session.rollback()
    (new,) = owner_connection.execute(
        """INSERT INTO parcels (order_id, facility_id, position, method_id, is_pickup, shipping_amount, state, ready_by,
                  days_min, days_max)
           SELECT order_id, facility_id, 3, method_id, false, 0, state, ready_by, days_min, days_max
             FROM parcels WHERE id = %s RETURNING id""",
        [id],
    ).fetchone()  # type: ignore[misc]
    owner_connection.execute("UPDATE parcel_lines SET quantity = 1 WHERE parcel_id = %s", [id])
    owner_connection.execute("INSERT INTO parcel_lines VALUES (%s, %s, 1)", [new, line])
    owner_connection.commit()
    page = client.get(f"/orders/{number}").text
    assert page.count("1 × Rp\u00a0100.000") == 2
    assert "Kiriman 3: Lapas Kelas IIA Pekalongan" in page


def test_silence_counts_as_received_after_its_time(db_session: Session, order: Order) -> None:
    for parcel in parcels_of(order.id):
        send(parcel)
    first, _second = parcels_of(order.id)
    due = Windows.load().counts_as_received_on(first.shipped_at, first.days_max)  # type: ignore[arg-type]
    day_before = datetime.datetime.combine(due, datetime.time(), datetime.UTC) - datetime.timedelta(hours=20)
    assert receive.receive_silent(day_before) == 0
    assert receive.receive_silent(day_before + datetime.timedelta(days=1)) == 2
    first = parcels_of(order.id)[0]
    assert (first.state, first.received_by_itself) == ("received", True)
    assert receive.receive_silent(day_before + datetime.timedelta(days=9)) == 0


def test_a_receipt_only_once_it_is_paid(app: Flask, client: FlaskClient, db_session: Session, shop: Shop) -> None:
    unpaid = make_order((shop.batik, 1))
    db_session.commit()
    visit(client, unpaid)
    for path in ("receipt", "receipt.pdf"):
        assert client.get(f"/orders/{unpaid.number}/{path}").status_code == 404
        assert app.test_client().get(f"/orders/{unpaid.number}/{path}").status_code == 404
    assert "Kuitansi" not in client.get(f"/orders/{unpaid.number}").text
    paid = make_paid_order((shop.batik, 2))
    db_session.commit()
    visit(client, paid)
    # It names who ran the shop on the day of payment, not who does today.
    set_by = """INSERT INTO operators (valid_from, name, address) VALUES (:day, :name, 'Jalan Baru 1')"""
    paid_on = accounting_day(paid.paid_at)
    for day, name in ((paid_on, "Badan Hari Itu"), (paid_on + datetime.timedelta(days=1), "Badan Sesudahnya")):
        db_session.execute(text(set_by), {"day": day, "name": name})
    db_session.commit()
    operator.forget()
    page = client.get(f"/orders/{paid.number}/receipt").text
    view = order_view(paid, locale="id")
    assert ["", "Jalan Baru 1"] in document(view)["about"]
    assert "Badan Hari Itu<br>Jalan Baru 1" in page
    for told in (paid.number, "Dibayar pada", "Rp\u00a0210.000", "Ke mana uang Anda", "Rp\u00a0100.000"):
        assert told in page
    answer = client.get(f"/en/orders/{paid.number}/receipt.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in answer.data or b"/MarkInfo" in answer.data
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{paid.number}.pdf"'


def test_buying_again_says_line_by_line_what_is_not_there(
    client: FlaskClient, db_session: Session, shop: Shop
) -> None:
    order = make_paid_order((shop.batik, 3), (shop.honey, 1), (shop.chair, 1))
    db_session.commit()
    visit(client, order)
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    honey = db_session.get_one(Product, shop.honey.product_id)
    honey.status, honey.archived_at = "archived", None
    db_session.commit()
    page = client.post(f"/orders/{order.number}/again", headers=SAME)
    assert page.status_code == 200
    assert "Tinggal 2 dari 3 buah" in page.text
    assert "Harganya sekarang Rp\u00a0120.000; dulu Rp\u00a0100.000" in page.text
    assert "Tidak dijual lagi" in page.text
    assert "1 buah di keranjang" in page.text
    # Pressed twice is pressed once, and the cart asks for today's price.
    client.post(f"/orders/{order.number}/again", headers=SAME)
    cart = client.get("/cart").text
    assert "Rp\u00a0240.000" in cart
    assert client.get(f"/orders/{order.number}/again").status_code == 302


def test_where_is_my_order_answers_alike_and_mails_only_its_owner(
    client: FlaskClient,
    db_session: Session,
    order: Order,
    run_jobs: Callable[[], None],
    statements: Callable[[], list[str]],
) -> None:
    contact_of = text("SELECT email FROM order_contacts WHERE order_id = :id")
    address = db_session.execute(contact_of, {"id": order.id}).scalar_one()
    answers, work = [], []
    for number, contact in (
        (order.number.lower().replace("-", " "), address.upper()),
        (order.number, "orang@lain.id"),
        ("KB-0000-0000", address),
        (order.number, "0812 3456 789"),
    ):
        statements()
        answer = client.post("/orders", data={"number": number, "contact": contact}, headers=SAME)
        answers.append((answer.status_code, answer.headers["Location"], len(answer.data)))
        work.append(len(statements()))
    assert len(set(answers)) == len(set(work)) == 1
    assert "Bila ada pesanan" in client.get("/orders?sent=1").text
    stored = db_session.scalars(text("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'orders.send_link'"))
    assert not any(address in args for args in stored)
    run_jobs()
    # Twice asked by its owner, by e-mail and by phone: both go to the e-mail of the order.
    assert kinds(order.id).count("order_link") == 2
    mailed = letter(f"order:{order.id}:order_link:1")
    assert mailed["To"] == address
    assert f"/orders/{order.number}?token=" in body(mailed)
    wrong = client.post("/orders", data={"number": "123", "contact": "?"}, headers=SAME)
    assert wrong.status_code == 422
    assert "Tulis nomor pesanan" in wrong.text
    assert 'value="123"' in wrong.text


def test_where_is_my_order_is_limited(client: FlaskClient, db_session: Session, order: Order) -> None:
    codes = [
        client.post("/orders", data={"number": order.number, "contact": "a@b.id"}, headers=SAME).status_code
        for _ in range(7)
    ]
    assert codes == [303] * 5 + [429] * 2
    assert "Terlalu banyak percobaan" in client.post(
        "/orders", data={"number": order.number, "contact": "a@b.id"}, headers=SAME
    ).text


def test_pages_of_an_order_are_its_owners_alone(app: Flask, order: Order) -> None:
    stranger = app.test_client()
    for path in ("", "/receipt", "/receipt.pdf", "/cancel", "/parcels/1/problem", "/problems/1/photos/1", "/my-data"):
        assert stranger.get(f"/orders/{order.number}{path}").status_code in (302, 404), path
    for path in ("/cancel", "/again", "/news", "/thanks", "/my-data", "/parcels/1/problem"):
        assert stranger.post(f"/orders/{order.number}{path}", data={}, headers=SAME).status_code == 404, path


def test_all_is_told_when_the_rest_is_called_off(
    db_session: Session, order: Order, run_jobs: Callable[[], None]
) -> None:
    arrive(parcels_of(order.id)[0])
    run_jobs()
    assert "order_received" not in kinds(order.id)
    cancel_parcels(order.id, [2])
    db_session.commit()
    run_jobs()
    assert {"order_received", "parcels_cancelled"} < set(kinds(order.id))
