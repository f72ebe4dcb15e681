"""*Kabari saya*: nobody is written to by a stranger's hand, everybody once, and nothing stays."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.catalogue import stock_alerts
from storefront.catalogue.models import StockAlert, Variant
from storefront.catalogue.stock_alerts import AlreadyThere
from storefront.errors import Invalid, NotFound, TooManyRequests
from storefront.extensions import db
from storefront.mail.transport import mail_folder
from storefront.stock.adjust import move
from storefront.stock.levels import store_location_id
from tests.factories import make_product, make_variant
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def gone(db_session: Session, run_jobs: Callable[[], None]) -> Iterator[Variant]:
    """A variant that is sold out."""
    product = make_product(title="Baju koko", title_en="Koko shirt")
    variant = make_variant(product, sku="KOKO-L", title="L", title_en="L")
    db_session.commit()
    run_jobs()
    yield variant
    for file in mail_folder().glob("alert.*.eml"):
        file.unlink()


def letters(kind: str) -> list[str]:
    found = []
    for file in sorted(mail_folder().glob(f"alert.*.{kind}.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append(f"{message['To']}\n{message['Subject']}\n{message.get_content()}")
    return found


def alert() -> StockAlert:
    return db.session.query(StockAlert).one()


def fill(variant: Variant, pieces: int, run_jobs: Callable[[], None]) -> None:
    facility = variant.product.facility_id
    move(variant.id, store_location_id(facility), pieces, "made" if pieces > 0 else "damaged")
    db.session.commit()
    run_jobs()


def test_told_once_after_their_word_and_forgotten(
    db_session: Session, gone: Variant, run_jobs: Callable[[], None]
) -> None:
    stock_alerts.ask("koko-l", " Sari@Example.test ", "en")
    db_session.commit()
    run_jobs()
    [asked] = letters("ask")
    assert asked.startswith("sari@example.test\n")
    assert "Koko shirt, L" in asked
    link = re.search(r"/en/notify/(\S+)", asked)
    assert link is not None

    fill(gone, 2, run_jobs)
    assert letters("back") == []  # no word was given

    fill(gone, -2, run_jobs)
    stock_alerts.confirm(stock_alerts.find(link[1]))
    db_session.commit()
    run_jobs()
    assert letters("back") == []  # it is gone again

    fill(gone, 1, run_jobs)
    [told] = letters("back")
    assert told.startswith("sari@example.test\n")
    assert "/en/products/" in told
    assert db_session.query(StockAlert).count() == 0
    with pytest.raises(NotFound):
        stock_alerts.find(link[1])
    fill(gone, 5, run_jobs)
    assert len(letters("back")) == 1


def test_many_presses_at_once_make_one_letter(
    db_session: Session, gone: Variant, app: Flask, run_jobs: Callable[[], None]
) -> None:
    def press() -> None:
        with app.app_context():
            stock_alerts.ask("KOKO-L", "sari@example.test", "id")
            db.session.commit()

    assert at_once([press] * 5) == [None] * 5
    run_jobs()
    assert len(letters("ask")) == 1


def test_limits_hold_and_say_nothing_of_an_address(db_session: Session) -> None:
    def ask(number: int, to: str, address: str) -> None:
        stock_alerts.ask(make_variant(sku=f"HABIS-{number}").sku, to, "id", address=address)

    for number in range(stock_alerts.UNANSWERED + 2):
        ask(number, "korban@example.test", f"10.0.0.{number}")
    assert db_session.query(StockAlert).count() == stock_alerts.UNANSWERED
    for number in range(100, 100 + stock_alerts.PER_NETWORK):
        ask(number, f"orang{number}@example.test", "192.0.2.1")
    with pytest.raises(TooManyRequests):
        ask(200, "lain@example.test", "192.0.2.1")


def test_only_for_what_is_sold_out_and_to_real_addresses(db_session: Session, gone: Variant) -> None:
    for address in ("", "x", "a@b", "a b@c.id", "a@b.id, c@d.id", "a@b.id\nBcc: c@d.id", "x" * 250 + "@b.id"):
        with pytest.raises(Invalid):
            stock_alerts.ask(gone.sku, address, "id")
    with pytest.raises(AlreadyThere):
        stock_alerts.ask(make_variant(made_to_order=True).sku, "a@b.id", "id")
    with pytest.raises(NotFound):
        stock_alerts.ask("TIDAK-ADA", "a@b.id", "id")


def test_links_open_nothing_else(db_session: Session, gone: Variant) -> None:
    stock_alerts.ask(gone.sku, "sari@example.test", "id")
    good = stock_alerts.token(alert())
    assert stock_alerts.find(good).email == "sari@example.test"
    number = good.partition("-")[0]
    for bad in ("", "-", number, number + "-", good[:-1], good + "x", f"0{good[1:]}", "9" * 30 + good, "١-x", "\x00"):
        with pytest.raises(NotFound):
            stock_alerts.find(bad)


def test_an_address_is_forgotten_when_asked_and_in_time(db_session: Session, gone: Variant) -> None:
    stock_alerts.ask(gone.sku, "sari@example.test", "id")
    assert stock_alerts.forget("SARI@example.test") == 1
    stock_alerts.ask(gone.sku, "sari@example.test", "id")
    assert stock_alerts.forget_old() == 0
    db_session.execute(text("UPDATE stock_alerts SET created_at = now() - interval '8 days'"))
    assert stock_alerts.forget_old() == 1
