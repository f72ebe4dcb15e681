"""What is held about somebody is shown to them and forgotten when they wish, over all rooms, as soon as it may be."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.aftercare.models import Problem, ThankYou
from storefront.bank.models import BankReturn, ReturnAccount
from storefront.mail.transport import mail_folder
from storefront.media.storage import private_files
from storefront.orders.models import Order, OrderAddress, OrderContact
from storefront.orders.place import Contact
from storefront.people import data_requests, personal_data
from storefront.people.models import DataRequest, Person
from storefront.people.personal_data import KEPT, Subject
from tests.after_sale import arrive, body, letter, make_problem, parcels_of, visit
from tests.factories import make_order, make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import SAME, make_account

SARI = "sari@contoh.id"
#: A column with one of these in its name may name somebody or reach them.
SUSPECT = re.compile(
    r"(^|_)(name|e?mail|phone|address|line1|district|city|postal_code|holder|password_hash|network|words|user_agent|"
    r"tax_number|treasurer|recipient|author|nickname|whatsapp|contact)(_|$)"
)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def ordered(shop: Shop, email: str | None = SARI, **values: object) -> Order:
    return make_paid_order((shop.batik, 1), contact=Contact("Sari Dewi", email, "+628123456789"), **values)


def test_every_column_that_may_name_somebody_is_answered_for(app: Flask, db_session: Session) -> None:
    rows = db_session.execute(
        text("""SELECT table_name, column_name FROM information_schema.columns c
                 WHERE table_schema = 'public' AND table_name NOT LIKE 'procrastinate%'
                   AND EXISTS (SELECT FROM information_schema.tables t WHERE t.table_schema = 'public'
                                  AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE')""")
    )
    columns = {f"{table}.{column}" for table, column in rows}
    covered: set[str] = set().union(*(room.covers for room in personal_data.HOLDERS.values()))
    suspects = {column for column in columns if SUSPECT.search(column.partition(".")[2])}
    kept = {column for column in columns if column in KEPT or f"{column.partition('.')[0]}.*" in KEPT}
    assert suspects - covered - kept == set(), "register it with its room, or say in KEPT why it stays"
    assert covered - columns == set(), "a room answers for a column that is not there"
    assert covered & kept == set()
    tables = {f"{column.partition('.')[0]}.*" for column in columns}
    assert set(KEPT) <= columns | tables, "a reason for something that is not there"


def test_the_link_goes_to_the_address_alone_and_opens_everything(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order = ordered(shop)
    other = ordered(shop, "lain@contoh.id")
    arrive(parcels_of(order.id)[0])
    problem_id = make_problem(parcels_of(order.id)[0], words="Sobek, kata Sari.").id
    db_session.commit()
    number, others = order.number, other.number
    for address in (SARI.upper(), "tidak@ada.id"):
        answer = client.post("/my-data", data={"email": address}, headers=SAME)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/my-data?sent=1")
    run_jobs()
    # Nothing is kept of a question about nothing.
    assert db_session.scalars(select(DataRequest.email)).all() == [SARI]
    request_id = db_session.scalars(select(DataRequest.id)).one()
    assert not list(mail_folder().glob(f"my_data.{request_id + 1}*"))
    told = body(letter(f"my_data:{request_id}"))
    link = re.search(r"http://localhost(/my-data/\d+\?token=[\w-]+)", told)
    assert link
    assert app.test_client().get(f"/my-data/{request_id}").status_code == 404
    assert client.get(f"/my-data/{request_id}?token={'x' * 43}").status_code == 404
    opened = client.get(link[1])
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/my-data/{request_id}")
    page = client.get(f"/my-data/{request_id}").text
    assert SARI in page
    file = zipfile.ZipFile(io.BytesIO(client.get(f"/my-data/{request_id}/file").data))
    assert set(file.namelist()) == {"data.json", "data.html", f"photos/problem-{problem_id}-1.jpg"}
    held = json.loads(file.read("data.json"))["data"]
    assert [one["number"] for one in held["orders"]] == [number]
    assert held["orders"][0]["address"]["line1"] == "Jl. Melati 1"
    assert held["problems"][0]["words"] == "Sobek, kata Sari."
    readable = file.read("data.html").decode()
    assert number in readable
    assert others not in readable
    db_session.execute(text("UPDATE data_requests SET expires_at = now() - interval '1 minute'"))
    db_session.commit()
    assert client.get(f"/my-data/{request_id}").status_code == 404
    data_requests.erase_remembered()
    assert db_session.scalars(select(DataRequest.id)).all() == []


def test_asking_is_limited_and_says_what_is_wrong(client: FlaskClient, shop: Shop) -> None:
    wrong = client.post("/my-data", data={"email": "sari"}, headers=SAME)
    assert (wrong.status_code, "belum lengkap" in wrong.text, 'value="sari"' in wrong.text) == (422, True, True)
    codes = [client.post("/my-data", data={"email": SARI}, headers=SAME).status_code for _ in range(5)]
    assert codes == [303] * 3 + [429] * 2


def test_erasing_forgets_the_person_and_keeps_the_sums(
    client: FlaskClient, db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order = ordered(shop)
    person = make_account(email=SARI, name="Sari Dewi", is_demo=False)
    order.person_id = person.id
    arrive(parcels_of(order.id)[0])
    problem = make_problem(parcels_of(order.id)[0], state="refused", answer="Tidak rusak.", answered_by=person.id,
                           answered_at=order.paid_at)  # fmt: skip
    db_session.add(ThankYou(order_id=order.id, words="Terima kasih dari Sari", city="Pekalongan", locale="id"))
    db_session.commit()
    run_jobs()
    key, total, order_id, person_id = problem.photos[0].key, order.total, order.id, person.id
    data_requests.ask(SARI, locale="id", address=None)
    request = db_session.scalars(select(DataRequest)).one()
    path = f"/my-data/{request.id}"
    client.get(f"{path}?token={data_requests.token(request)}")
    asked = client.get(f"{path}/erase").text
    assert "Yang tetap" in asked
    assert "Ya, hapus data saya" in asked
    assert db_session.get_one(OrderContact, order_id).name == "Sari Dewi"  # asking erases nothing
    done = client.post(f"{path}/erase", headers=SAME)
    assert (done.status_code, "Data Anda sudah dihapus" in done.text) == (200, True)
    contact = db_session.get_one(OrderContact, order_id, populate_existing=True)
    assert (contact.name, contact.email, contact.phone, contact.network) == (None,) * 4
    assert db_session.get_one(OrderAddress, order_id, populate_existing=True).line1 is None
    erased = db_session.get_one(Order, order_id, populate_existing=True)
    assert (erased.total, erased.person_id, erased.state) == (total, None, "paid")
    account = db_session.get_one(Person, person_id, populate_existing=True)
    assert (account.is_active, "sari" in account.email, account.name) == (False, False, "–")
    assert db_session.scalars(select(Problem.words)).all() == [None]
    assert not private_files().exists(key)
    assert db_session.scalars(select(ThankYou.words)).all() == [None]
    # Nowhere in the database is the name, the address or the number left.
    tables = db_session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    left = [
        table
        for table in tables
        if db_session.scalar(
            text(f"SELECT count(*) FROM {table} t WHERE t::text ~* 'sari@contoh|Sari Dewi|8123456789|dari Sari'")
        )
    ]
    assert left == []
    assert client.get(path).status_code == 404  # the request itself is over
    assert data_requests.erase_remembered() == 0


def test_what_a_parcel_still_needs_waits_and_is_erased_afterwards(
    client: FlaskClient, db_session: Session, shop: Shop
) -> None:
    old, under_way = ordered(shop), ordered(shop)
    unpaid = make_order((shop.honey, 1), contact=Contact("Sari Dewi", SARI, None))
    arrive(parcels_of(old.id)[0])
    ids = old.id, under_way.id, unpaid.id
    data_requests.ask(SARI, locale="id", address=None)
    request = db_session.scalars(select(DataRequest)).one()
    client.get(f"/my-data/{request.id}?token={data_requests.token(request)}")
    done = client.post(f"/my-data/{request.id}/erase", headers=SAME).text
    assert "Sebagian data Anda dihapus" in done
    assert f"Pesanan {under_way.number} masih dikirim" in done
    assert "Dihapus paling lambat setelah" in done
    assert f"Pesanan {unpaid.number} menunggu pembayaran" in done

    def names() -> list[str | None]:
        db_session.expire_all()
        return [db_session.get_one(OrderContact, order_id).name for order_id in ids]

    assert names() == [None, "Sari Dewi", "Sari Dewi"]
    arrive(parcels_of(under_way.id)[0])
    ended = text("UPDATE orders SET state = 'cancelled', closed_at = now() WHERE id = :id")
    db_session.execute(ended, {"id": unpaid.id})
    db_session.commit()
    assert data_requests.erase_remembered() == 1
    assert names() == [None, None, None]
    assert db_session.scalars(select(DataRequest.email)).all() == [None]


def test_money_on_its_way_back_keeps_its_account(db_session: Session, shop: Shop) -> None:
    order = ordered(shop)
    arrive(parcels_of(order.id)[0])
    payment = db_session.scalar(text("SELECT id FROM payments WHERE order_id = :id"), {"id": order.id})
    refund = db_session.execute(
        text("""INSERT INTO refunds (payment_id, order_id, amount, reason, state)
                VALUES (:payment, :id, 110000, 'paid_twice', 'requested') RETURNING id"""),
        {"payment": payment, "id": order.id},
    ).scalar_one()
    back = BankReturn(order_id=order.id, refund_id=refund, amount=110_000, state="given")
    db_session.add(back)
    db_session.flush()
    db_session.add(ReturnAccount(return_id=back.id, bank="Bank Contoh", number="1234567890", holder="Sari Dewi"))
    db_session.flush()
    who = Subject(email=SARI)
    assert personal_data.export(who)["return_accounts"][0]["number"] == "1234567890"
    assert {each.order_id for each in personal_data.waits(who)} == {order.id}
    assert personal_data.forget(who) == 0
    assert db_session.get_one(OrderContact, order.id).name == "Sari Dewi"


def test_staff_keep_their_account_and_an_order_without_address_is_its_links_owners(
    client: FlaskClient, db_session: Session, shop: Shop
) -> None:
    make_account("finance", email=SARI, is_demo=False)
    assert personal_data.forget(Subject(email=SARI)) == 0
    assert "Akun petugas Anda" in personal_data.waits(Subject(email=SARI))[0].what
    order, other = ordered(shop, None), ordered(shop, None)
    for made in (order, other):
        arrive(parcels_of(made.id)[0])
    db_session.commit()
    answer = visit(client, order).post(f"/orders/{order.number}/my-data", headers=SAME)
    path = answer.headers["Location"]
    assert path.startswith("/my-data/")
    file = zipfile.ZipFile(io.BytesIO(client.get(f"{path}/file").data))
    assert [one["number"] for one in json.loads(file.read("data.json"))["data"]["orders"]] == [order.number]
    assert "Data Anda sudah dihapus" in client.post(f"{path}/erase", headers=SAME).text
    db_session.expire_all()
    assert db_session.get_one(OrderContact, order.id).phone is None
    assert db_session.get_one(OrderContact, other.id).phone == "+628123456789"
    assert "Data penerima sudah dihapus" in client.get(f"/orders/{order.number}").text
