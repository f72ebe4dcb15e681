"""A buyer's receipt: in the order's language, as text and as HTML, with where the money went."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.mail.transport import mail_folder
from storefront.money import format_rupiah
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def receipt(order_id: int) -> EmailMessage:
    raw = (mail_folder() / f"order.{order_id}.order_paid.eml").read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body([kind])
    assert part is not None
    return str(part.get_content())


class Words(HTMLParser):
    """The words of a page, and what it would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "script", "link", "iframe", "object", "form") or any(n.startswith("on") for n, _ in attrs):
            self.fetched.append(tag)


@pytest.mark.parametrize(
    ("locale", "said", "money"),
    [("id", "sudah dibayar", "Ke mana uang Anda"), ("en", "has been paid", "Where your money goes")],
)
def test_a_receipt_says_what_was_paid_and_where_the_money_went(
    db_session: Session, shop: Shop, run_jobs: Callable[[], None], locale: str, said: str, money: str
) -> None:
    order = make_paid_order((shop.batik, 2), (shop.honey, 1), locale=locale)
    order_id, number, total = order.id, order.number, order.items_total + order.shipping_total
    db_session.commit()
    run_jobs()
    letter = receipt(order_id)
    assert said in str(letter["Subject"])
    plain, html = body(letter, "plain"), body(letter, "html")
    page = Words()
    page.feed(html)
    words = re.sub(r"[ \n]+", " ", " ".join(page.text))
    for told in (plain, words):
        assert number in told
        assert format_rupiah(total) in told
        assert money in told
        # 50/35/15 of 260,000
        for part in (130_000, 91_000, 39_000):
            assert format_rupiah(part) in told
        assert ("DATA CONTOH" in told) or ("SAMPLE" in told.upper())
    assert page.fetched == []  # nothing that tells anybody when it was read
    assert f'<html lang="{locale}">' in html
    assert f"/orders/{number}?token=" in html


def test_words_of_a_seller_cannot_become_markup(
    db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    db_session.execute(text("UPDATE products SET title = '<b onclick=x>Kain</b>'"))
    db_session.commit()
    db_session.expire_all()
    order_id = make_paid_order((shop.batik, 1)).id
    db_session.commit()
    run_jobs()
    assert "&lt;b onclick=x&gt;Kain" in body(receipt(order_id), "html")


def test_the_demo_shows_the_letter_as_it_would_look(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    order_id = make_paid_order((shop.batik, 1)).id
    db_session.commit()
    run_jobs()
    name = f"order.{order_id}.order_paid"
    assert f"/demo/mail/{name}/html" in client.get(f"/demo/mail/{name}").text
    shown = client.get(f"/demo/mail/{name}/html")
    assert shown.status_code == 200
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert client.get("/demo/mail/nothing/html").status_code == 404
