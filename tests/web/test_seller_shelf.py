"""Stock by hand with a reason, prices at once, and how pieces came and went."""

from __future__ import annotations

import html
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import Variant
from storefront.stock.models import StockLevel, StockMovement
from tests.factories import make_order
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, make_account, post, sign_in

BATIK = "/seller/PKL/stock/PKL-BATIK"


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(
        app.test_client(), make_account("coordinator", name="Wayan", facilities=(shop.pekalongan,))
    )


def on_hand(session: DbSession, variant: Variant) -> int:
    session.expire_all()
    return session.scalars(select(StockLevel.on_hand).where(StockLevel.variant_id == variant.id)).one()


def key(client: FlaskClient, address: str = BATIK) -> str:
    """The key of a form just opened."""
    found = re.search(r'name="once" value="([^"]+)"', client.get(address).text)
    assert found
    return found[1]


def correct(client: FlaskClient, reason: str, quantity: object, **data: object) -> int:
    form = {"reason": reason, "quantity": str(quantity), "once": key(client), **data}
    return post(client, BATIK, form).status_code


@pytest.mark.parametrize(
    ("reason", "quantity", "expected"),
    [
        ("made", 3, 8), ("damaged", 2, 3), ("given", 1, 4), ("counted", 9, 9), ("counted", 0, 0),
        ("correction", 2, 7), ("correction", -2, 3), ("made", "1.000", 1005),
    ],
)  # fmt: skip
def test_a_reason_says_whether_pieces_come_or_go(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession, reason: str, quantity: object, expected: int
) -> None:
    assert correct(coordinator, reason, quantity, note="rak atas") == 303
    assert on_hand(db_session, shop.batik) == expected
    moved = db_session.scalars(select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert moved is not None
    assert (moved.reason, moved.note, moved.quantity) == (reason, "rak atas", expected - 5)
    event = db_session.scalars(select(AuditEvent).where(AuditEvent.action == "stock.moved")).one()
    assert event.details["quantity"] == expected - 5
    assert event.facility_id == shop.pekalongan.id
    page = coordinator.get(BATIK).text
    assert "Wayan" in page
    assert "rak atas" in page


@pytest.mark.parametrize(
    ("reason", "quantity"),
    [
        ("", 3), ("sold", 1), ("transfer", 1), ("made", ""), ("made", "dua"), ("made", 0), ("made", -1),
        ("damaged", -2), ("counted", -1), ("correction", 0), ("made", "1,5"), ("made", 10**9), ("made", "1e3"),
    ],
)  # fmt: skip
def test_what_is_not_understood_moves_nothing(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession, reason: str, quantity: object
) -> None:
    assert correct(coordinator, reason, quantity) == 422
    assert on_hand(db_session, shop.batik) == 5


def test_a_double_click_moves_once(coordinator: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    form = {
        "reason": "made",
        "quantity": "3",
        "once": key(coordinator),
        "csrf_token": csrf_token(coordinator),
    }
    codes: list[int] = []
    clicks = [
        threading.Thread(target=lambda: codes.append(coordinator.post(BATIK, data=form).status_code))
        for _ in range(4)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert codes == [303] * 4
    assert on_hand(db_session, shop.batik) == 8
    assert len(db_session.scalars(select(AuditEvent).where(AuditEvent.action == "stock.moved")).all()) == 1


def test_a_form_without_its_key_moves_nothing(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    assert correct(coordinator, "made", 3, once="") == 422
    assert on_hand(db_session, shop.batik) == 5


def test_pieces_held_for_an_unpaid_order_cannot_be_taken_away(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    make_order((shop.batik, 4))
    db_session.commit()
    assert correct(coordinator, "damaged", 2) == 409
    assert correct(coordinator, "counted", 3) == 409
    assert correct(coordinator, "counted", 4) == 303
    assert on_hand(db_session, shop.batik) == 4


def test_a_price_changes_at_once_and_is_written_down(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    assert post(coordinator, f"{BATIK}/offer", {"price": "Rp 125.000"}).status_code == 303
    db_session.refresh(shop.batik)
    assert shop.batik.price == 125_000
    assert "Rp\u00a0125.000" in coordinator.get("/products/kain-batik").text
    event = db_session.scalars(select(AuditEvent).where(AuditEvent.action == "variant.offered")).one()
    assert (event.details["before"]["price"], event.details["after"]["price"]) == (100_000, 125_000)


@pytest.mark.parametrize("price", ["", "0", "-5", "1,5", "gratis", "1000000001", "99999999999999999999"])
def test_an_impossible_price_is_refused(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession, price: str
) -> None:
    refused = post(coordinator, f"{BATIK}/offer", {"price": price})
    assert refused.status_code == 422
    assert "Tulis" in refused.text
    db_session.refresh(shop.batik)
    assert shop.batik.price == 100_000


def test_what_is_made_to_order_has_a_lead_time_and_no_stock(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    chair = "/seller/PKL/stock/PKL-KURSI"
    assert (
        post(coordinator, f"{chair}/offer", {"price": "500.000", "lead_time_days": "21"}).status_code == 303
    )
    db_session.refresh(shop.chair)
    assert (shop.chair.price, shop.chair.lead_time_days) == (500_000, 21)
    assert post(coordinator, f"{chair}/offer", {"price": "500.000", "lead_time_days": ""}).status_code == 422
    form = {"reason": "made", "quantity": "1", "once": "abcdefghijklmnop"}
    assert post(coordinator, chair, form).status_code == 404


def test_products_are_filtered_by_status_stock_and_words(coordinator: FlaskClient, shop: Shop) -> None:
    def listed(query: str) -> set[str]:
        page = coordinator.get(f"/seller/PKL/products?{query}").text
        return set(re.findall(r"/seller/PKL/stock/([A-Z-]+)[?\"]", page))

    assert listed("") == {"PKL-BATIK", "PKL-KURSI", "PKL-TEMPE"}
    assert listed("stock=made_to_order") == {"PKL-KURSI"}
    assert listed("stock=ready") == {"PKL-BATIK", "PKL-TEMPE"}
    assert listed("stock=sold_out") == set()
    assert listed("status=draft") == set()
    assert listed("q=tempe") == {"PKL-TEMPE"}
    assert listed("q=%25") == set()
    assert correct(coordinator, "counted", 2) == 303
    assert listed("stock=few_left") == {"PKL-BATIK"}


def test_a_correction_from_the_list_leads_back_to_the_list(coordinator: FlaskClient) -> None:
    form = {
        "reason": "made",
        "quantity": "1",
        "once": key(coordinator, "/seller/PKL/products"),
        "back": "products",
    }
    answer = post(coordinator, BATIK, {**form, "stock": "ready"})
    assert answer.headers["Location"] == "/seller/PKL/products?stock=ready"


def test_the_filters_of_a_history_and_of_its_list_survive_every_change(
    coordinator: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    shelf = coordinator.get("/seller/PKL/products?status=published&sort=-available").text
    opened = re.search(r'href="(/seller/PKL/stock/PKL-BATIK[?][^"]+)"', shelf)
    assert opened
    here = f"{html.unescape(opened[1])}&reason=damaged&from=2020-01-01"
    page = coordinator.get(here).text
    found = re.findall(r'action="(/seller/PKL/stock/PKL-BATIK/?[^"]*[?][^"]*)"', page)
    acts = {html.unescape(act) for act in found}
    assert {act.partition("?")[0].rpartition("/")[2] for act in acts} == {"PKL-BATIK", "mark", "offer"}
    sent = {
        "PKL-BATIK": {"reason": "damaged", "quantity": "1", "once": key(coordinator)}, "mark": {"mark": "2"},
        "offer": {"price": "110.000"},
    }  # fmt: skip
    for act in sorted(acts):
        name = act.partition("?")[0].rpartition("/")[2]
        refused = post(coordinator, act, {**sent[name], next(reversed(sent[name])): "x"})
        assert refused.status_code == 422
        assert 'name="from" type="date" value="2020-01-01"' in refused.text
        answer = post(coordinator, act, sent[name])
        assert answer.status_code == 303, name
        assert parse_qs(urlsplit(answer.location).query) == parse_qs(urlsplit(here).query), name
    page = coordinator.get(here).text
    undo = html.unescape(re.search(r'action="([^"]*/undo[^"]*)"', page)[1])  # type: ignore[index]
    movement = re.search(r'name="movement" value="(\d+)"', page)[1]  # type: ignore[index]
    assert parse_qs(urlsplit(post(coordinator, undo, {"movement": movement}).location).query) == parse_qs(
        urlsplit(here).query
    )
    assert 'href="/seller/PKL/products?status=published&amp;sort=-available"' in page  # back to the list as it was
    odd = coordinator.get(f"{BATIK}?list=page%3D2%26next%3D//evil.test").text
    assert "evil.test" not in re.findall(r'<nav class="crumbs.*?</nav>|<ol.*?</ol>', odd, re.S)[0]
