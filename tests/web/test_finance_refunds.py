"""Refunds as finance makes them: the order, the form, the second person, the list, and who sees what of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books import disputes
from storefront.books.taken_back_models import RefundLimit, RefundLine, RefundParcel
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.place import Contact
from storefront.orders.tokens import order_token
from storefront.payments.models import Payment, Refund
from storefront.refunds.refund_outcome import refund_failed, refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import approve, propose, try_again
from tests.factories import make_paid_order
from tests.money_out import Books, open_unsold, settled
from tests.staff import make_account, post, sign_in

BUYER = ("Murniati", "+628123456789", "Jl. Melati 1", "murniati@example.test")


@pytest.fixture
def books(db_session: DbSession) -> Books:
    return open_unsold()


@pytest.fixture
def order(books: Books, db_session: DbSession) -> Order:
    """Paid: two batik cloths (200,000) and a chair (485,000) of Pekalongan, a honey (60,000) of Namlea."""
    shop = books.shop
    contact = Contact(BUYER[0], BUYER[3], BUYER[1])
    order = make_paid_order((shop.batik, 2), (shop.chair, 1), (shop.honey, 1), contact=contact)
    db_session.commit()
    return order


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def second(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Budi"))


@pytest.fixture
def own(app: Flask, books: Books) -> FlaskClient:
    """Finance of Pekalongan alone."""
    account = make_account("finance", name="Tuti", facilities=(books.shop.pekalongan,))
    return sign_in(app.test_client(), account)


def line(order: Order, sku: str) -> int:
    return next(line.id for line in order.lines if line.sku == sku)


def parcel(order: Order, facility_id: int) -> int:
    return next(parcel.id for parcel in order.parcels if parcel.facility_id == facility_id)


def form_of(client: FlaskClient, order: Order, **fields: str) -> dict[str, str]:
    """What the open form would send, key included."""
    key = re.search(
        r'name="request_key" value="([^"]+)"', client.get(f"/finance/orders/{order.number}/refund").text
    )
    assert key
    return {"request_key": key[1], "reason": "returned", **fields}


def send(client: FlaskClient, order: Order, **fields: str) -> TestResponse:
    return post(client, f"/finance/orders/{order.number}/refund", form_of(client, order, **fields))


def only_refund() -> Refund:
    db.session.expire_all()
    return db.session.scalars(select(Refund)).one()


def count(model: type) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def proposed(books: Books, order: Order, *skus: str, **values: object) -> Refund:
    """A refund of whole lines that the first of finance proposes, committed."""
    quantities = {line.sku: line.quantity for line in order.lines}
    wishes = [LineWish(line(order, sku), quantities[sku]) for sku in skus]
    refund = propose(order.id, wishes, reason="returned", person_id=books.first, **values)  # type: ignore[arg-type]
    db.session.commit()
    return refund


def test_an_order_shows_shares_payments_and_entries_but_no_buyer(finance: FlaskClient, order: Order) -> None:
    page = finance.get(f"/finance/orders/{order.number}").text
    assert "Kain batik" in page
    assert "Madu hutan" in page
    assert "owed:PKL:premium" in page
    assert "clearing:sandbox" in page
    assert f"/finance/orders/{order.number}/refund" in page
    assert not [word for word in BUYER if word in page]
    assert f'href="/finance/orders/{order.number}"' in finance.get("/finance/sales").text


def test_pieces_shipping_and_a_note_become_a_refund(
    finance: FlaskClient, order: Order, books: Books, run_jobs: Callable[[], None]
) -> None:
    batik, ship = line(order, "PKL-BATIK"), parcel(order, books.pekalongan)
    page = finance.get(f"/finance/orders/{order.number}/refund").text
    assert "2 buah" in page
    assert "Sisa yang dapat dikembalikan: Rp\u00a0765.000" in page
    answer = send(
        finance, order,
        **{f"quantity-{batik}": "1", f"pieces-{batik}": "restock", f"shipping-{ship}": "Rp 4.000", "note": "Sobek"},
    )  # fmt: skip
    refund = only_refund()
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/finance/refunds/{refund.id}"
    assert (refund.amount, refund.state, refund.note) == (104_000, "requested", "Sobek")
    assert db.session.scalars(select(RefundLine)).one().pieces == "restock"
    assert db.session.scalars(select(RefundParcel.amount)).one() == 4_000
    refund_succeeded(refund.id)
    db.session.commit()
    page = finance.get(f"/finance/orders/{order.number}").text
    assert "−100.000" in page  # of the line
    assert "−50.000" in page  # of its premium
    assert "Sudah kembali" in page
    page = finance.get(f"/finance/refunds/{refund.id}").text
    assert "Diambil kembali dari" in page
    assert "Wati" in page
    assert "Sobek" in page


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    finance: FlaskClient, order: Order, books: Books
) -> None:
    batik, honey = line(order, "PKL-BATIK"), line(order, "NML-MADU")
    ship = parcel(order, books.ambon)
    answer = send(
        finance, order, goodwill="999.999.999",
        **{
            f"quantity-{batik}": "3", f"amount-{honey}": "60.001", f"shipping-{ship}": "10.001", "reason": "",
            "note": "catatan saya", f"pieces-{batik}": "write_off",
        },
    )  # fmt: skip
    assert answer.status_code == 422
    page = answer.text
    for field in (f"quantity-{batik}", f"amount-{honey}", f"shipping-{ship}", "reason", "goodwill"):
        assert f'id="f-{field}-error"' in page, field
    assert "Rp\u00a060.000" in page
    assert 'value="60.001"' in page
    assert "catatan saya" in page
    assert re.search(r'<option value="write_off" selected', page)
    assert count(Refund) == 0
    assert send(finance, order, **{f"amount-{honey}": "1,5"}).status_code == 422
    assert "Pilih setidaknya satu" in send(finance, order).text
    assert 'id="f-goodwill-error"' in send(finance, order, goodwill="765.001").text
    # A line of another order is no line of this one.
    other = make_paid_order((books.shop.batik, 1))
    db.session.commit()
    assert "Pilih setidaknya satu" in send(finance, order, **{f"quantity-{other.lines[0].id}": "1"}).text


def test_the_same_form_sent_twice_makes_one_refund(finance: FlaskClient, order: Order) -> None:
    honey, address = line(order, "NML-MADU"), f"/finance/orders/{order.number}/refund"
    form = form_of(finance, order, **{f"amount-{honey}": "10.000"})
    first, again = post(finance, address, form), post(finance, address, form)
    assert first.headers["Location"] == again.headers["Location"]
    assert count(Refund) == 1
    # Another wish under the same key is a mistake that is said, not a refund that is swallowed.
    other = post(finance, address, {**form, f"amount-{honey}": "20.000"})
    assert other.status_code == 409
    assert f"pengembalian {only_refund().id}" in other.text
    assert 'value="20.000"' in other.text
    assert post(finance, address, {**form, "request_key": "x"}).status_code == 422
    assert count(Refund) == 1


def test_above_the_limit_the_form_names_who_approves(
    finance: FlaskClient, second: FlaskClient, order: Order
) -> None:
    assert "(Budi)" in finance.get(f"/finance/orders/{order.number}/refund").text
    chair, honey = line(order, "PKL-KURSI"), line(order, "NML-MADU")
    answer = send(finance, order, **{f"quantity-{chair}": "1", f"quantity-{honey}": "1"})
    refund = only_refund()
    assert refund.state == "proposed"
    address = answer.headers["Location"]
    page = finance.get(address).text
    assert "Budi" in page
    assert f"{address}/approve" not in page
    refused = post(finance, f"{address}/approve")
    assert refused.status_code == 409
    assert "orang kedua" in refused.text
    assert only_refund().state == "proposed"
    assert f"{address}/approve" in second.get(address).text
    assert post(second, f"{address}/approve").status_code == 303
    assert only_refund().state == "requested"
    assert post(second, f"{address}/reject").status_code == 409
    acts = select(AuditEvent.action).where(AuditEvent.subject_kind == "refund").order_by(AuditEvent.id)
    assert list(db.session.scalars(acts)) == ["refund.proposed", "refund.approved"]


def test_a_proposal_is_taken_back(finance: FlaskClient, books: Books, order: Order) -> None:
    refund = proposed(books, order, "PKL-KURSI", may_decide=False)
    for step in ("approve", "reject", "send-again"):
        answer = finance.get(f"/en/finance/refunds/{refund.id}/{step}")
        assert answer.headers["Location"] == f"/en/finance/refunds/{refund.id}"
    assert post(finance, f"/finance/refunds/{refund.id}/reject").status_code == 303
    assert only_refund().state == "rejected"


def test_a_refused_refund_is_sent_again_while_there_is_something_left(
    finance: FlaskClient, books: Books, order: Order
) -> None:
    refund = proposed(books, order, "NML-MADU")
    refund_failed(refund.id, "kartu ditutup")
    db.session.commit()
    page = finance.get(f"/finance/refunds/{refund.id}").text
    assert "kartu ditutup" in page
    other = proposed(books, order, "NML-MADU")
    answer = post(finance, f"/finance/refunds/{refund.id}/send-again")
    assert answer.status_code == 409
    assert "tidak cukup lagi" in answer.text
    refund_failed(other.id, "kartu ditutup")
    gone = proposed(books, order, "NML-MADU")
    refund_succeeded(gone.id)
    db.session.commit()
    assert finance.get(f"/finance/refunds/{other.id}").status_code == 200
    assert post(finance, f"/finance/refunds/{other.id}/send-again").status_code == 409


def test_a_refused_refund_is_sent_again_once(finance: FlaskClient, books: Books, order: Order) -> None:
    refund = proposed(books, order, "NML-MADU")
    refund_failed(refund.id, "kartu ditutup")
    db.session.commit()
    assert post(finance, f"/finance/refunds/{refund.id}/send-again").status_code == 303
    assert post(finance, f"/finance/refunds/{refund.id}/send-again").status_code == 409
    db.session.expire_all()
    assert (db.session.get_one(Refund, refund.id).state, refund.attempt) == ("requested", 2)


def test_what_was_paid_already_is_named_as_a_receivable(
    finance: FlaskClient, second: FlaskClient, books: Books, order: Order
) -> None:
    settled(books, "premium", 342_500, "TRX-1")  # all premium of Pekalongan
    refund = proposed(books, order, "PKL-BATIK", may_decide=False)
    page = second.get(f"/finance/refunds/{refund.id}").text
    assert "Bila pengembalian ini berhasil" in page
    assert "Rp\u00a0100.000" in page
    approve(refund.id, books.second)
    refund_succeeded(refund.id)
    db.session.commit()
    page = second.get(f"/finance/refunds/{refund.id}").text
    assert "/finance/accounts/receivable:PKL:premium" in page
    assert "receivable:PKL:premium" in second.get(f"/finance/orders/{order.number}").text
    assert "Piutang" in second.get("/finance/refunds").text


def test_nothing_goes_back_while_the_payment_is_disputed(
    finance: FlaskClient, books: Books, order: Order
) -> None:
    payment = db.session.scalars(select(Payment.id).where(Payment.order_id == order.id)).one()
    disputes.record_dispute(payment, "dp_1", 50_000, "opened")
    db.session.commit()
    answer = send(finance, order, **{f"amount-{line(order, 'NML-MADU')}": "10.000"})
    assert answer.status_code == 409
    assert "disengketakan" in answer.text
    assert 'value="10.000"' in answer.text


def test_the_list_is_filtered_and_begins_with_what_waits(
    finance: FlaskClient, books: Books, order: Order
) -> None:
    waiting = proposed(books, order, "PKL-KURSI", may_decide=False)
    later = proposed(books, order, "NML-MADU")
    page = finance.get("/finance/refunds").text
    assert page.index(f"/finance/refunds/{waiting.id}") < page.index(f"/finance/refunds/{later.id}")
    assert "Bendahara Satu" in page

    def shown(query: str) -> set[int]:
        text = finance.get(f"/finance/refunds?{query}").text
        return {int(found) for found in re.findall(r'"/finance/refunds/(\d+)"', text)}

    today = days.today().isoformat()
    assert shown("state=proposed") == {waiting.id}
    assert shown("facility=NML") == {later.id}
    assert shown(f"reason=returned&from={today}&to={today}") == {waiting.id, later.id}
    assert shown("reason=lost") == shown("to=2020-01-01") == set()
    assert finance.get("/finance/refunds?from=kemarin").status_code == 422
    assert "menunggu keputusan" in finance.get("/finance/").text


def test_the_limit_of_the_day_decides_who_agrees(books: Books, order: Order) -> None:
    agreed = {"proposed_by": books.first, "approved_by": books.second, "approved_at": func.now()}
    basis = "Surat edaran percobaan"
    db.session.add(RefundLimit(valid_from=days.today(), amount=5_000, legal_basis=basis, **agreed))
    db.session.flush()
    honey = line(order, "NML-MADU")
    wishes = ([LineWish(honey, 0, amount)] for amount in (2_000, 3_000, 1_000))
    states = [propose(order.id, wish, reason="goodwill", person_id=books.first).state for wish in wishes]
    assert states == ["requested", "proposed", "requested"]
    db.session.commit()


def test_a_long_list_is_paged_by_keys(
    finance: FlaskClient, books: Books, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.keyset.PAGE", 2)
    honey = line(order, "NML-MADU")
    wanted = []
    for may_decide in (False, True, False, True, True):
        refund = propose(
            order.id,
            [LineWish(honey, 0, 1_000)],
            reason="goodwill",
            person_id=books.first,
            may_decide=may_decide,
        )
        wanted.append(((not may_decide), refund.id))
    db.session.commit()

    def turned(address: str, rel: str) -> list[tuple[int, ...]]:
        pages: list[tuple[int, ...]] = []
        while address and len(pages) < 10:
            page = finance.get(address).text
            pages.append(tuple(int(number) for number in re.findall(r'"/finance/refunds/(\d+)"', page)))
            following = re.search(rf'href="([^"]+)" rel="{rel}"', page)
            address = following[1].replace("&amp;", "&") if following else ""
            last[0] = address or last[0]
        return pages

    last = [""]
    pages = turned("/finance/refunds", "next")
    assert [number for page in pages for number in page] == [number for _, number in sorted(wanted, reverse=True)]
    assert turned(last[0], "prev") == pages[::-1]


def test_finance_of_one_facility_sees_and_gives_back_its_own(
    own: FlaskClient, books: Books, order: Order
) -> None:
    address = f"/finance/orders/{order.number}"
    for path in (address, f"{address}/refund"):
        page = own.get(path).text
        assert "Kain batik" in page
        assert not [
            word for word in ("Madu hutan", "Namlea", "NML", "clearing:", "765.000", "825") if word in page
        ]
    honey, batik = line(order, "NML-MADU"), line(order, "PKL-BATIK")
    assert "Pilih setidaknya satu" in send(own, order, **{f"quantity-{honey}": "1"}).text
    send(own, order, **{f"quantity-{batik}": "1", f"shipping-{parcel(order, books.ambon)}": "5000"})
    assert only_refund().amount == 100_000  # the other's shipping does not exist for them
    send(own, order, goodwill="10.000")
    lines = db.session.scalars(select(RefundLine.order_line_id).distinct())
    assert honey not in set(lines)
    others = make_paid_order((books.shop.honey, 1))
    db.session.commit()
    assert own.get(f"/finance/orders/{others.number}").status_code == 404
    assert own.get(f"/finance/orders/{others.number}/refund").status_code == 404


def test_a_refund_of_several_facilities_is_the_central_offices(
    own: FlaskClient, books: Books, order: Order
) -> None:
    shared = proposed(books, order, "PKL-BATIK", "NML-MADU", may_decide=False)
    page = own.get(f"/finance/refunds/{shared.id}").text
    assert "Rp\u00a0200.000" in page
    assert "260.000" not in page
    assert "Madu hutan" not in page
    assert post(own, f"/finance/refunds/{shared.id}/approve").status_code == 404
    assert post(own, f"/finance/refunds/{shared.id}/reject").status_code == 404
    page = own.get("/finance/refunds").text
    assert "200.000" in page
    assert "NML" not in page


def test_the_auditor_reads_and_the_administrator_does_not_see_refunds(
    app: Flask, books: Books, order: Order
) -> None:
    refund = proposed(books, order, "NML-MADU")
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert auditor.get(f"/finance/refunds/{refund.id}").status_code == 200
    assert auditor.get(f"/finance/orders/{order.number}/refund").status_code == 403
    admin = sign_in(app.test_client(), make_account("administrator"))
    page = admin.get(f"/finance/orders/{order.number}")
    assert page.status_code == 200
    assert "/finance/refunds" not in page.text
    assert admin.get(f"/finance/refunds/{refund.id}").status_code == 403


def test_the_shopper_sees_what_came_back(client: FlaskClient, books: Books, order: Order) -> None:
    back = proposed(books, order, "NML-MADU")
    proposed(books, order, "PKL-KURSI", may_decide=False)
    address = f"/orders/{order.number}?token={order_token(order)}"
    page = client.get(address, follow_redirects=True).text
    assert "Sedang dikembalikan" in page
    assert "485.000</td></tr></tbody>" not in page  # only proposed
    refund_succeeded(back.id)
    db.session.commit()
    page = client.get(address, follow_redirects=True).text
    assert "Dikembalikan" in page
    assert "Rp\u00a060.000 sudah dikembalikan kepada Anda" in page
    assert "Dana dikembalikan sebagian" in page


def test_an_order_costs_the_same_queries_whatever_its_size(
    finance: FlaskClient, books: Books, order: Order, statements: Callable[[], list[str]]
) -> None:
    small = make_paid_order((books.shop.honey, 1))
    db.session.commit()
    numbers = small.number, order.number
    costs = []
    for number in numbers:
        statements()
        finance.get(f"/finance/orders/{number}")
        costs.append(len(statements()))
    assert costs[0] == costs[1]


def test_trying_again_never_gives_back_twice(books: Books, order: Order) -> None:
    refund = proposed(books, order, "NML-MADU")
    refund_failed(refund.id, "")
    try_again(refund.id, books.first)
    assert refund_succeeded(refund.id) == "refunded"
    assert refund_succeeded(refund.id) == "already_recorded"
