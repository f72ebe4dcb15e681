"""A wish on a work's page, to the statement: two payments, one by the gateway, one out of the bank's file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.bank.models import HeldTransfer
from storefront.days import today
from storefront.extensions import db
from storefront.orders.instalments import schedule
from storefront.orders.models import Order
from storefront.orders.views import order_status
from storefront.payments.models import Payment
from storefront.payments.sandbox_books import choose_outcome
from storefront.payments.transfer_models import Transfer
from storefront.quotes.models import Quote
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.after_sale import parcels_of
from tests.bank_samples import Movement, csv_of
from tests.banking import settle
from tests.clones import Clone
from tests.factories import make_person, method_id
from tests.money_out import Books, register_account
from tests.quotes import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.taking import hear
from tests.web.test_cart_pages import plain
from tests.web.test_finance_bank import send as send_file
from tests.web.test_quote_pages import FORM, key_in
from tests.web.test_transfer_pages import rupiah

pytestmark = pytest.mark.usefixtures("db_session")
#: Twenty chairs at 90.001 and one table at 1.250.000, 250.000 for the lorry; a third first.
TOTAL = 20 * 90_001 + 1_250_000 + 250_000
FIRST = (TOTAL * 33 * 2 + 100) // 200


@pytest.fixture(scope="module")
def transfer_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(BANK_TRANSFER="on")


@pytest.fixture
def app(transfer_app: Flask, database: Clone) -> Flask:
    return transfer_app


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def account(shop: Shop) -> int:
    """The central office's account, registered by two."""
    people = Books(shop, make_person().id, make_person().id, {}, shop.facility.id, 0)  # type: ignore[arg-type]
    found = register_account(people, None, "1110001112")
    db.session.commit()
    return found


@pytest.fixture
def finance(app: Flask, account: int) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def seller(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.facility,)))


def broken() -> list[str]:
    db.session.rollback()
    connection = db.session.connection().connection.driver_connection
    found = [one.invariant.name for one in check(connection, INVARIANTS) if not one.holds]
    db.session.rollback()
    return found


def quoted(client: FlaskClient, seller: FlaskClient, shop: Shop) -> str:
    """From the work's page to a quote that was sent; the link that its buyer was given."""
    product = db.session.execute(text("SELECT slug FROM products")).scalar_one()
    work = client.get(f"/products/{product}")
    wish = re.search(r'href="(/large-order\?product=[^"]+)"', work.text)
    assert wish, "a work's page leads to the wish for many"
    form = client.get(wish[1])
    sent = client.post(
        "/large-order",
        data={
            "product": product, "request_key": key_in(form.text), "email": "sari@hotel.test", "city": "Pekalongan",
            "body": "Dua puluh kursi dan satu meja rapat untuk ruang sidang, paling lambat akhir Januari.",
        },
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    enquiry = db.session.execute(text("SELECT max(id) FROM enquiries")).scalar_one()
    begun = post(seller, f"/seller/TGG/questions/{enquiry}/quote")
    written = {
        "valid_until": today().isoformat(), "method": str(method_id()), "deposit": "33", "first_days": "7",
        "rest_days": "30", "shipping_amount": "250.000", "notes": "Kayu jati, tanpa cat.",
        "sku-1": shop.chair.sku, "quantity-1": "20", "price-1": "90.001", "lead-1": "30",
        "title-2": "Meja rapat jati", "quantity-2": "1", "price-2": "1.250.000", "lead-2": "40", "send": "1",
        "workshop-2": str(shop.workshop.id), "category-2": str(shop.category.id), "material-2": "0",
        "weight-2": "40000",
    }  # fmt: skip
    assert post(seller, begun.location, written).status_code == 303
    link = re.search(r'href="[^"]*(/quotes/TGG-[^"]+)"', client.get(sent.location).text)
    assert link, "the thread leads to the quote"
    return link[1]


def accepted(client: FlaskClient, seller: FlaskClient, shop: Shop) -> Order:
    """The quote of `quoted`, accepted by its link; its order's page is open to the client."""
    answer = client.get(quoted(client, seller, shop))
    done = client.post(f"{answer.location}/accept", data=FORM)
    assert done.status_code == 303, done.text
    client.get(done.location)
    return db.session.scalars(select(Order)).one()


def by_gateway(client: FlaskClient, number: str) -> None:
    """Pay what is due at the provider's page, and hear of it."""
    assert client.post(f"/orders/{number}/pay", data={"payment_method": "sandbox"}).status_code == 303
    payment = db.session.scalars(select(Payment).where(Payment.gateway == "sandbox")).one()
    choose_outcome(payment.id, "succeeded")
    db.session.commit()
    assert hear(payment.id) == ["part_paid"]


def by_transfer(client: FlaskClient, number: str) -> str:
    """Ask to pay what is due by bank transfer; the code that its page shows."""
    asked = client.post(f"/orders/{number}/pay", data={"payment_method": "transfer"})
    payment = asked.location.rpartition("/")[2]
    page = plain(client.get(asked.location))
    code = db.session.get_one(Transfer, payment).code
    assert code is not None
    assert f"{code[:2]} {code[2:5]} {code[5:]}" in page
    return code


def arrives(finance: FlaskClient, account: int, *movements: Movement) -> None:
    """A file of the bank is uploaded, looked at and taken in by finance; then the jobs run."""
    looked = send_file(finance, account, csv_of(*movements))
    assert post(finance, f"{looked.location}/take").status_code == 303
    settle(account)


def sold(finance: FlaskClient) -> list[dict[str, str]]:
    """Lines of sales in the facility's statement of this month, as its file says them."""
    db.session.rollback()  # a file waits for what is being written
    answer = finance.get(f"/finance/statements/TGG/{today():%Y-%m}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    return [row for row in rows if row["kind"] == "sale"]


def test_a_wish_becomes_a_paid_order_with_lines_in_the_statement(
    client: FlaskClient, finance: FlaskClient, seller: FlaskClient, shop: Shop, account: int
) -> None:
    order = accepted(client, seller, shop)
    number = order.number
    assert [part.amount for part in schedule(order.id)] == [FIRST, TOTAL - FIRST]
    by_gateway(client, number)
    assert sold(finance) == []  # what is captured first waits
    code = by_transfer(client, number)
    arrives(finance, account, Movement(today(), TOTAL - FIRST, f"TRSF E-BANKING CR {code} HOTEL MELATI"))
    assert number in plain(finance.get("/finance/bank-lines?state=matched"))
    assert order_status(order.id) == ("paid", TOTAL, 0)
    assert "belum dibayar" not in plain(client.get(f"/orders/{number}"))

    lines = sold(finance)
    assert {(row["order_number"], row["product"], row["quantity"]) for row in lines if row["sku"]} == {
        (number, shop.chair.product.title, "20"), (number, "Meja rapat jati", "1"),
    }  # fmt: skip
    assert sum(int(row["total"]) for row in lines) == TOTAL
    month = f"{today():%Y-%m}"
    for page in (
        finance.get(f"/finance/statements/TGG/{month}"), seller.get(f"/seller/TGG/sales?month={month}"),
    ):  # fmt: skip
        words = plain(page)
        assert number in words
        assert "Meja rapat jati" in words
    assert broken() == []


def test_a_part_too_small_or_too_large_is_held_until_finance_says(
    client: FlaskClient, finance: FlaskClient, seller: FlaskClient, shop: Shop, account: int
) -> None:
    order = accepted(client, seller, shop)
    number = order.number
    code = by_transfer(client, number)
    arrives(finance, account, Movement(today(), FIRST - 1_000, f"TRSF {code} MELATI"))
    assert order_status(order.id)[:2] == ("awaiting_payment", 0)
    assert "Masih kurang Rp 1.000." in plain(finance.get("/finance/held-transfers"))
    assert f"{rupiah(FIRST - 1_000)}" in plain(client.get(f"/orders/{number}"))
    # Five thousand where one was missing: the part is paid, what is above it stays held and may go back.
    arrives(finance, account, Movement(today(), 5_000, f"TRSF {code} MELATI LAGI"))
    payment: str = db.session.scalars(select(Payment.id)).one()
    assert post(finance, f"/finance/held-transfers/payments/{payment}/count").status_code == 303
    settle(account)
    assert order_status(order.id)[:2] == ("awaiting_payment", FIRST)
    left = [one.amount - one.counted - one.returned for one in db.session.scalars(select(HeldTransfer).order_by("id"))]
    assert left == [0, 4_000]
    assert sold(finance) == []
    # The rest a rupiah too much, by its own code: held whole, and counted by finance.
    rest = by_transfer(client, number)
    assert rest != code
    arrives(finance, account, Movement(today(), TOTAL - FIRST + 1, f"TRSF {rest} MELATI"))
    assert order_status(order.id)[0] == "awaiting_payment"
    payment = db.session.scalars(select(Payment.id).where(Payment.id != payment)).one()
    assert post(finance, f"/finance/held-transfers/payments/{payment}/count").status_code == 303
    settle(account)
    assert order_status(order.id)[:2] == ("paid", TOTAL)
    assert sum(int(row["total"]) for row in sold(finance)) == TOTAL
    assert broken() == []


def test_what_is_paid_goes_in_parts_each_with_its_papers(
    client: FlaskClient, finance: FlaskClient, seller: FlaskClient, shop: Shop, account: int
) -> None:
    order = accepted(client, seller, shop)
    by_gateway(client, order.number)
    code = by_transfer(client, order.number)
    arrives(finance, account, Movement(today(), TOTAL - FIRST, f"TRSF {code} MELATI"))
    number, quote = order.number, db.session.scalars(select(Quote.id)).one()
    papers = f"/seller/TGG/quotes/{quote}/papers"
    (parcel,) = parcels_of(order.id)
    assert post(seller, f"{papers}/delivery_note-1").status_code == 409
    chairs = order.lines[0].id
    page = f"/seller/TGG/parcels/{parcel.id}"
    later = {"request_key": key_in(seller.get(f"{page}/split").text), f"quantity-{chairs}": "12"}
    assert post(seller, f"{page}/split", later).status_code == 303
    first, second = parcels_of(order.id)
    assert [sum(line.quantity for line in one.lines) for one in (first, second)] == [9, 12]
    for one in (first, second):
        assert post(seller, f"/seller/TGG/parcels/{one.id}/packed").status_code == 303
        sent = {"courier": "other", "other_courier": "Truk lapas", "tracking": f"H-{one.position}"}
        assert post(seller, f"/seller/TGG/parcels/{one.id}/shipped", sent).status_code == 303
        assert post(seller, f"{papers}/delivery_note-{one.position}").status_code == 303
        assert post(seller, f"{papers}/handover-{one.position}").status_code == 409  # nobody has taken it yet
        assert client.post(f"/orders/{number}/parcels/{one.position}/received").status_code == 303
        assert post(seller, f"{papers}/handover-{one.position}").status_code == 303
        for kind in ("delivery_note", "handover"):
            assert client.get(f"/quotes/TGG-{today().year}-1/papers/{kind}-{one.position}").data.startswith(b"%PDF")
    shown = plain(seller.get(f"/seller/TGG/quotes/{quote}"))
    for sign in ("SJ", "BAST"):
        assert f"001/{sign}/TGG/{today().year}" in shown
        assert f"002/{sign}/TGG/{today().year}" in shown
    assert broken() == []

