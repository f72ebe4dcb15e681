"""*Kabar karya*: one message when an order's shares have really moved, with date and NTPN; and one thank-you back."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.aftercare import money_news, thanks
from storefront.aftercare.models import MoneyNews, ThankYou
from storefront.aftercare.money_moved import shares
from storefront.books import settle_paid
from storefront.days import today
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.orders.tokens import order_token
from tests.after_sale import body, letter, visit
from tests.factories import make_paid_order
from tests.money_out import Books, open_unsold, paid_deposit, settled
from tests.staff import SAME, make_account, post, sign_in


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_unsold()


def deposited(books: Books, number: int, facility_id: int | None = None) -> str:
    """All that the state is owed of a facility, paid today; its NTPN."""
    ntpn = f"NTPN{number:012d}"
    paid_deposit(books, ntpn, code=f"8202511240{number:05d}", facility_id=facility_id)
    return ntpn


def pay_everything(books: Books) -> None:
    """Both facilities get what they are owed of the order, the state too; committed."""
    for facility_id, premium, capital in ((books.pekalongan, 100_000, 70_000), (books.ambon, 30_000, 21_000)):
        settled(books, "premium", premium, f"TRX-P-{facility_id}", facility_id)
        settled(books, "working_capital", capital, f"TRX-W-{facility_id}", facility_id)
        deposited(books, facility_id, facility_id)
    db.session.commit()


def test_one_message_once_all_has_moved(
    db_session: Session, books: Books, run_jobs: Callable[[], None]
) -> None:
    shop = books.shop
    order_id = make_paid_order((shop.batik, 2), (shop.honey, 1)).id
    later = make_paid_order((shop.batik, 1)).id
    db_session.commit()
    assert money_news.tell_moved() == 0
    settled(books, "premium", 100_000, "TRX-ONE")
    db_session.commit()
    found = shares([order_id, later], today() - datetime.timedelta(days=9))
    moved = {(s.facility_code, s.fund): s.moved_on for s in found[order_id]}
    assert {key for key, day in moved.items() if day} == {("PKL", "premium")}
    assert not any(share.moved_on for share in found[later])  # first in, first out
    assert money_news.tell_moved() == 0  # not yet all of it, and not yet sixty days
    settled(books, "working_capital", 70_000, "TRX-TWO")
    settled(books, "premium", 30_000, "TRX-THREE", books.ambon)
    settled(books, "working_capital", 21_000, "TRX-FOUR", books.ambon)
    numbers = [deposited(books, facility_id, facility_id) for facility_id in (books.pekalongan, books.ambon)]
    db_session.commit()
    assert money_news.tell_moved() == 1
    assert money_news.tell_moved() == 0
    news = db_session.get_one(MoneyNews, order_id)
    assert news.is_whole
    run_jobs()
    told = body(letter(f"order:{order_id}:money_news"))
    for words in ("100.000", "70.000", "30.000", "21.000", "9.000", *(f"NTPN {number}" for number in numbers)):
        assert words in told
    assert "Masih di jalan" not in told
    with pytest.raises(Exception, match="money_news"):
        db_session.execute(text("UPDATE money_news SET is_whole = false"))


def test_after_sixty_days_the_rest_is_named_and_never_told_again(
    db_session: Session, books: Books, run_jobs: Callable[[], None]
) -> None:
    order_id = make_paid_order((books.shop.batik, 2)).id
    settled(books, "premium", 100_000, "TRX-ONE")
    db_session.commit()
    day = today() + datetime.timedelta(days=59)
    assert money_news.tell_moved(day) == 0
    assert money_news.tell_moved(day + datetime.timedelta(days=1)) == 1
    run_jobs()
    told = body(letter(f"order:{order_id}:money_news"))
    assert "Masih di jalan" in told
    settled(books, "working_capital", 70_000, "TRX-TWO")
    deposited(books, 1)
    db_session.commit()
    assert money_news.tell_moved(day + datetime.timedelta(days=9)) == 0
    assert db_session.scalar(select(func.count()).where(Message.kind == "money_news")) == 1


def test_who_does_not_want_it_reads_it_on_the_page(
    client: FlaskClient, db_session: Session, books: Books
) -> None:
    shop = books.shop
    order = make_paid_order((shop.batik, 2), (shop.honey, 1))
    db_session.commit()
    number = order.number
    page = visit(client, order).get(f"/orders/{number}").text
    assert "Jangan kirimi saya kabar karya" in page
    assert "sudah benar-benar sampai" not in page
    assert client.post(f"/orders/{number}/news", data={"wanted": "0"}, headers=SAME).status_code == 303
    assert "Kirimi saya kabar karya" in client.get(f"/orders/{number}").text
    pay_everything(books)
    assert money_news.tell_moved() == 1
    assert db_session.scalar(select(func.count()).where(Message.kind == "money_news")) == 0
    page = client.get(f"/orders/{number}").text
    assert "Uang dari pesanan ini sudah benar-benar sampai" in page
    assert "NTPN" in page


def test_a_settlement_that_came_back_has_moved_nothing(db_session: Session, books: Books) -> None:
    order_id = make_paid_order((books.shop.batik, 2)).id
    paid = settled(books, "premium", 100_000, "TRX-ONE")
    since = today() - datetime.timedelta(days=9)

    def moved() -> bool:
        return any(share.moved_on for share in shares([order_id], since)[order_id] if share.fund == "premium")

    assert moved()
    settle_paid.reverse(paid.id, on=today(), reason="Rekeningnya sudah ditutup.", person_id=books.second)
    assert not moved()
    settled(books, "premium", 100_000, "TRX-TWO")
    assert moved()


def test_a_thank_you_reaches_the_workshop_without_a_name(
    app: Flask, client: FlaskClient, db_session: Session, books: Books
) -> None:
    shop = books.shop
    order = make_paid_order((shop.batik, 2), (shop.honey, 1))
    db_session.commit()
    number = order.number
    visit(client, order)
    address = f"/orders/{number}/thanks"
    assert client.post(address, data={"words": "Terima kasih"}, headers=SAME).status_code == 404  # nothing was told
    pay_everything(books)
    money_news.tell_moved()
    long = client.post(address, data={"words": "x" * 281}, headers=SAME)
    assert (long.status_code, "3 sampai 280 huruf" in long.text) == (422, True)
    words = "Terima kasih, <b>kainnya</b> indah."
    assert client.post(address, data={"words": words}, headers=SAME).status_code == 303
    assert "menunggu dibaca kurator" in client.get(f"/orders/{number}").text
    assert client.post(address, data={"words": "Lagi"}, headers=SAME).status_code == 409
    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    assert "indah" not in coordinator.get("/seller/PKL/thanks").text
    curator = sign_in(app.test_client(), make_account("curator"))
    waiting = curator.get("/admin/moderation").text
    assert "&lt;b&gt;kainnya&lt;/b&gt;" in waiting
    assert number not in waiting
    thanks_id = db_session.scalars(select(ThankYou.id)).one()
    item = thanks.fate(thanks_id)
    assert post(curator, f"/admin/moderation/{item.id}/approve", {"version": item.version}).status_code == 303
    for code in ("PKL", "NML"):
        person = make_account("coordinator", facilities=(shop.pekalongan if code == "PKL" else shop.ambon,))
        seen = sign_in(app.test_client(), person).get(f"/seller/{code}/thanks").text
        assert "indah" in seen
        assert "Pembeli di Pekalongan" in seen
        assert "Sari" not in seen
    assert "sudah diteruskan ke bengkelnya" in client.get(f"/orders/{number}").text
    refusal = {"version": thanks.fate(thanks_id).version, "reason": "unfriendly", "note": ""}
    assert post(curator, f"/admin/moderation/{item.id}/refuse", refusal).status_code == 303
    assert thanks.for_facility(shop.pekalongan.id) == []
    assert "tidak kami teruskan" in client.get(f"/orders/{number}").text
    assert client.get(f"/orders/{number}?token={order_token(order)}").status_code == 303
