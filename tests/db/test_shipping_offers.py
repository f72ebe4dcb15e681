"""Who carries a parcel, from when on it is free, and what a buyer writes: kept, booked and erased rightly."""

from __future__ import annotations

import datetime
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.orders.packing import parcels
from storefront.orders.parcel_sheet import parcel_sheet
from storefront.orders.pick_list import pick_list
from storefront.shipping.models import FacilityCourier, FreeShipping, ShippingMethod
from storefront.shipping.quote import Rate, amount_for
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.selling import Shop, check_out, new_cart, open_shop, pay

WHERE = {"province": "Jawa Tengah", "city": "Semarang"}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def options(client: FlaskClient, token: str, **where: str) -> dict[str, tuple[int, int, str | None]]:
    """Method → amount, what is waived, courier."""
    answer = client.get(f"/api/v1/carts/{token}/shipping", query_string={**WHERE, **where})
    (parcel,) = answer.json["parcels"]  # type: ignore[index]
    return {each["method"]: (each["amount"], each["waived"], each["courier"]) for each in parcel["options"]}


def free_from(session: Session, shop: Shop, minimum: int, reach: str = "nationwide", **days: Any) -> None:
    valid = {"valid_from": today(), **days}
    session.add(FreeShipping(facility_id=shop.pekalongan.id, minimum=minimum, reach=reach, **valid))
    session.commit()


def offer(session: Session, shop: Shop, **couriers: str) -> None:
    for code, courier in couriers.items():
        method = session.query(ShippingMethod).filter_by(code=code).one()
        session.add(FacilityCourier(facility_id=shop.pekalongan.id, method_id=method.id, courier=courier))
    session.commit()


def test_a_facility_offers_the_couriers_it_has_named(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    token = new_cart(client, ("PKL-BATIK", 1))
    assert set(options(client, token)) == {"regular", "cargo", "pickup"}
    offer(db_session, shop, express="JNE", regular="")
    assert options(client, token) == {
        "regular": (12_000, 0, None),
        "express": (20_000, 0, "JNE"),
        "pickup": (0, 0, None),
    }
    placed = check_out(client, token, shipping={"PKL": "cargo"})
    assert (placed.status_code, list(placed.json["errors"])) == (422, ["shipping.PKL"])  # type: ignore[index]


def test_heavy_parcels_cost_less_above_a_weight() -> None:
    rate = Rate(
        1, "r", "", "", 1, None, 1, 1, "nationwide", 10_000, 5_000, 2, 1, 2, bulk_above_kg=5, bulk_kg=2_000
    )
    amounts = [amount_for(rate, grams) for grams in (1, 2_000, 2_001, 5_000, 5_001, 8_000)]
    assert amounts == [10_000, 10_000, 15_000, 25_000, 27_000, 31_000]


def test_free_shipping_begins_at_its_rupiah_and_day(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    free_from(db_session, shop, 200_001)
    free_from(db_session, shop, 1, "same_city")  # not as far as Semarang
    token = new_cart(client, ("PKL-BATIK", 2))
    assert options(client, token)["regular"] == (12_000, 0, None)
    db_session.execute(text("UPDATE free_shipping SET minimum = 200000 WHERE minimum = 200001"))
    db_session.commit()
    # The cheapest alone; who wants another one pays for it.
    assert options(client, token)["regular"] == (0, 12_000, None)
    assert options(client, token)["cargo"] == (60_000, 0, None)
    assert options(client, token, province="Maluku", city="Ambon")["regular"] == (0, 72_000, None)
    yesterday = today() - datetime.timedelta(days=1)
    db_session.execute(
        text("UPDATE free_shipping SET valid_from = :day, valid_to = :day WHERE minimum = 200000"), {"day": yesterday}
    )
    db_session.commit()
    assert options(client, token)["regular"] == (12_000, 0, None)


def test_one_amount_at_a_time(shop: Shop, db_session: Session) -> None:
    free_from(db_session, shop, 100, valid_to=today())
    free_from(db_session, shop, 200, valid_from=today() + datetime.timedelta(days=1))
    with pytest.raises(IntegrityError, match="free_shipping_once"):
        free_from(db_session, shop, 300)
    db_session.rollback()


def test_the_facility_bears_what_is_free_and_the_books_know_it(
    shop: Shop, client: FlaskClient, db_session: Session, owner_connection: psycopg.Connection[Any]
) -> None:
    free_from(db_session, shop, 100_000)
    token = new_cart(client, ("PKL-BATIK", 1), ("NML-MADU", 1))
    placed = check_out(client, token)
    parcels = {each["facility"]: each["shipping"]["amount"] for each in placed.json["order"]["parcels"]}  # type: ignore[index]
    assert parcels == {"PKL": 0, "NML": 72_000}
    assert placed.json["order"]["total"] == 232_000  # type: ignore[index]
    pay(db_session.scalar(text("SELECT id FROM payments")))  # type: ignore[arg-type]
    owed = dict(
        db_session.execute(
            text(
                """SELECT a.code, -sum(p.amount)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id
                WHERE a.code LIKE '%shipping' GROUP BY a.code"""
            )
        ).all()
    )
    assert owed == {"owed:NML:shipping": 72_000}
    row = db_session.execute(
        text("SELECT id, shipping_amount, shipping_waived FROM parcels WHERE facility_id = :id"),
        {"id": shop.pekalongan.id},
    ).one()
    assert row[1:] == (0, 12_000)
    sheet = parcel_sheet(shop.pekalongan.id, row.id, with_buyer=True)
    assert sheet is not None
    assert sheet.method_name == "Reguler (gratis ongkir)"
    # Nobody asked the sandbox here: it knows of no payment.
    broken = [each.invariant.name for each in check(owner_connection, INVARIANTS) if not each.holds]
    assert broken == ["sandbox_agrees"]
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_connection.execute("UPDATE parcels SET shipping_amount = 1 WHERE shipping_waived > 0")


def test_notes_reach_the_office_alone_and_can_be_erased(shop: Shop, client: FlaskClient, db_session: Session) -> None:
    wish = {"gift_note": " Selamat!\r\n\r\n\r\n\r\nDari <b>kami</b> ", "note": "Titip di pos"}
    placed = check_out(client, new_cart(client, ("PKL-BATIK", 1)), **wish)
    assert placed.status_code == 201
    again = check_out(client, new_cart(client, ("PKL-BATIK", 1)), "key-2")
    assert again.status_code == 201
    notes = db_session.execute(text("SELECT gift_note, note FROM order_notes")).all()
    assert notes == [("Selamat!\n\nDari <b>kami</b>", "Titip di pos")]
    pay(db_session.scalar(text("SELECT p.id FROM payments p JOIN order_notes USING (order_id)")))  # type: ignore[arg-type]
    (parcel,) = parcels(shop.pekalongan.id).rows
    assert "Selamat" not in repr((parcel, pick_list([parcel.id])))
    sheet = parcel_sheet(shop.pekalongan.id, parcel.id, with_buyer=True)
    assert sheet is not None
    assert sheet.buyer is not None
    assert (sheet.buyer.gift_note, sheet.buyer.note) == ("Selamat!\n\nDari <b>kami</b>", "Titip di pos")
    db_session.execute(text("UPDATE order_notes SET gift_note = NULL, note = NULL, erased_at = now()"))
    with pytest.raises(IntegrityError):
        db_session.execute(text("UPDATE order_notes SET note = 'wieder da'"))
    db_session.rollback()


@pytest.mark.parametrize("note", ["x" * 301, "\n".join("abcdefghi"), 5, "a\u0000b"])
def test_a_note_that_fits_no_card_is_refused_with_what_would_fit(shop: Shop, client: FlaskClient, note: Any) -> None:
    refused = check_out(client, new_cart(client, ("PKL-BATIK", 1)), gift_note=note)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["gift_note"])  # type: ignore[index]
