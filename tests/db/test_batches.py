"""Batches of food: which goes out first, and what happens when one of them is bad."""

from __future__ import annotations

import datetime
from contextlib import nullcontext
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.catalogue.models import ProductFood, Variant
from storefront.catalogue.product_page import product_page
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.review_models import ListingNews
from storefront.mail.models import Message
from storefront.orders import packed_batches, recall, ship
from storefront.orders.batch_models import ParcelBatch
from storefront.orders.messages import send_message
from storefront.orders.models import Order, Parcel
from storefront.orders.packed_batches import HeldBatch
from storefront.refunds import refunds
from storefront.refunds.refund_parts import LineWish
from storefront.stock import batches
from storefront.stock.batch_models import Batch, BatchPieces
from storefront.stock.batches import Made
from storefront.stock.models import StockLevel
from tests.clones import Clone
from tests.factories import (
    make_member,
    make_order,
    make_paid_order,
    make_person,
    make_product,
    make_rule,
    make_variant,
)
from tests.threads import while_held

DAY = datetime.timedelta(days=1)
REASON = "Kemasannya bocor; isinya dapat berjamur."


def make_food(stock: int = 0) -> tuple[Variant, int]:
    """A thing to eat that is on sale, and its facility."""
    make_rule()
    product = make_product(title="Keripik tempe", slug="keripik")
    db.session.add(
        ProductFood(
            product_id=product.id, composition="Kedelai", net_amount=250, net_unit="g", shelf_life_days=14,
            storage="Sejuk",
        )
    )  # fmt: skip
    variant = make_variant(product, stock=stock, price=25_000)
    db.session.flush()
    return variant, product.facility_id


def made(variant: Variant, facility_id: int, code: str, pieces: int, ends_in: int = 10, key: str = "") -> Batch:
    values = Made(variant.sku, code, today() - DAY, today() + ends_in * DAY, pieces)
    return batches.enter(facility_id, values, form_key=key or f"made-{code:>16}", person_id=make_person().id)


def on_hand(variant: Variant) -> int:
    return db.session.scalar(select(StockLevel.on_hand).where(StockLevel.variant_id == variant.id)) or 0


def parcel_of(order: Order) -> Parcel:
    return db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()


def noted(parcel: Parcel) -> dict[str, int]:
    rows = db.session.execute(
        select(Batch.code, ParcelBatch.pieces)
        .join(ParcelBatch, ParcelBatch.batch_id == Batch.id)
        .where(ParcelBatch.parcel_id == parcel.id)
    )
    return {code: pieces for code, pieces in rows}  # noqa: C416


def send(parcel: Parcel, person_id: int) -> None:
    ship.mark_packed(parcel.id, person_id)
    ship.mark_shipped(parcel.id, "JNE", "", person_id)


def test_what_ends_first_goes_out_first_and_can_be_said_otherwise(db_session: Session) -> None:
    food, facility_id = make_food()
    late, soon = made(food, facility_id, "B-2", 5, ends_in=30), made(food, facility_id, "B-1", 2, ends_in=5)
    made(food, facility_id, "B-1", 2, ends_in=5)  # the same form once more
    assert on_hand(food) == 7
    order = make_paid_order((food, 3))
    parcel, keeper = parcel_of(order), make_person()
    (line,) = packed_batches.food_lines(parcel.id)
    assert (dict(line.noted), line.missing) == ({soon.id: 2, late.id: 1}, 0)
    ship.mark_packed(parcel.id, keeper.id)
    assert noted(parcel) == {"B-1": 2, "B-2": 1}
    with pytest.raises(Invalid) as refusal:
        packed_batches.change(parcel.id, {(line.order_line_id, late.id): 9}, person_id=keeper.id)
    assert "hanya berisi 3" in str(refusal.value.errors)
    packed_batches.change(parcel.id, {(line.order_line_id, late.id): 3}, person_id=keeper.id)
    assert noted(parcel) == {"B-2": 3}
    ship.unpack(parcel.id, keeper.id)
    assert noted(parcel) == {}
    assert [(row.code, row.left) for row in batches.of_facility(facility_id)[0]] == [("B-1", 2), ("B-2", 5)]


def test_pieces_that_a_refund_speaks_of_are_of_no_batch(db_session: Session) -> None:
    food, facility_id = make_food()
    batch = made(food, facility_id, "B-1", 9)
    order, keeper, finance = make_paid_order((food, 3)), make_person(), make_member("finance")
    parcel, wish = parcel_of(order), LineWish(order.lines[0].id, 1, pieces="restock")
    asked: dict[str, Any] = {"reason": "cannot_fulfil", "person_id": keeper.id, "may_decide": False}
    refund = refunds.propose(order.id, [wish], facility_ids=[facility_id], **asked)
    (line,) = packed_batches.food_lines(parcel.id)
    assert (line.quantity, dict(line.noted), line.missing) == (2, {batch.id: 2}, 0)  # as its slip says
    refunds.approve(refund.id, finance.id)
    ship.mark_packed(parcel.id, keeper.id)
    assert noted(parcel) == {"B-1": 2}
    with pytest.raises(Invalid) as refusal:
        packed_batches.change(parcel.id, {(line.order_line_id, batch.id): 3}, person_id=keeper.id)
    assert "hanya berisi 2" in str(refusal.value.errors)
    db_session.commit()
    ship.mark_shipped(parcel.id, "JNE", "", keeper.id)
    db_session.commit()
    # What is given back once it has left was in the box.
    later = LineWish(order.lines[0].id, 1, parcel_id=parcel.id)
    refunds.propose(order.id, [later], reason="goodwill", person_id=finance.id)
    (line,) = packed_batches.food_lines(parcel.id)
    assert (line.quantity, line.missing) == (2, 0)


def test_what_is_written_of_a_batch_is_checked(db_session: Session) -> None:
    food, facility_id = make_food()
    chair = make_variant(stock=1)
    wrong = Made(chair.sku, "b 1", today() + DAY, today(), 0)
    with pytest.raises(Invalid) as refusal:
        batches.enter(facility_id, wrong, form_key="k" * 16, person_id=make_person().id)
    assert set(refusal.value.errors) == {"sku", "code", "made_on", "best_before", "pieces"}
    batch = made(food, facility_id, "B-1", 4)
    with pytest.raises(Invalid, match="invalid") as refusal:
        made(food, facility_id, "B-1", 4, ends_in=11, key="another-form-of-it")
    assert set(refusal.value.errors) == {"code"}
    batches.write_off(facility_id, batch.id, food.sku, 3, person_id=make_person().id)
    with pytest.raises(Invalid):
        batches.write_off(facility_id, batch.id, food.sku, 5, person_id=make_person().id)
    assert batches.rows_of(batch.id)[0].left == 1
    with pytest.raises(batches.NotFound):
        batches.own(facility_id + 1, batch.id)


def test_a_bad_batch_leaves_the_shelf_and_its_buyers_hear_of_it_once(app: Flask, db_session: Session) -> None:
    food, facility_id = make_food()
    bad, good = made(food, facility_id, "BURUK", 6, ends_in=5), made(food, facility_id, "BAIK", 4)
    keeper = make_member("coordinator", facility=db_session.get_one(Facility, facility_id))
    office = make_person()
    sent, packed, paid = (make_paid_order((food, 2)) for _ in range(3))
    unpaid = make_order((food, 3))
    send(parcel_of(sent), keeper.id)
    ship.mark_packed(parcel_of(packed).id, keeper.id)
    assert (noted(parcel_of(packed)), on_hand(food)) == ({"BURUK": 2}, 4)
    recall.hold(bad, REASON, "", person_id=keeper.id)
    # Two lie in the store; one was free, three more are held by an unpaid order.
    (row,) = batches.rows_of(bad.id)
    assert (row.withdrawn, row.taken, row.left, on_hand(food)) == (2, 1, 0, 3)
    with pytest.raises(HeldBatch):
        ship.mark_shipped(parcel_of(packed).id, "JNE", "", keeper.id)
    ship.unpack(parcel_of(packed).id, keeper.id)
    assert batches.rows_of(bad.id)[0].withdrawn == 4
    ship.mark_packed(parcel_of(paid).id, keeper.id)
    assert noted(parcel_of(paid)) == {"BAIK": 2}
    db_session.execute(text("UPDATE stock_levels SET reserved = 0"))  # the unpaid order ends
    assert (batches.take_off_all(), batches.take_off_all()) == (3, 0)
    assert (on_hand(food), unpaid.number != "") == (0, True)
    with pytest.raises(recall.FourEyes):
        recall.confirm(bad.id, person_id=keeper.id)
    before = db_session.scalar(select(func.count()).select_from(Message)) or 0
    recall.confirm(bad.id, person_id=office.id)
    with pytest.raises(recall.Decided):
        recall.let_go(bad.id, person_id=office.id)
    letters = db_session.scalars(select(Message).where(Message.kind == "batch_recalled")).all()
    assert [letter.order_id for letter in letters] == [sent.id]
    assert db_session.scalar(select(func.count()).select_from(Message)) == before + 2  # the facility's own
    assert db_session.scalars(select(ListingNews.kind)).all() == ["batch_decided"]
    db_session.commit()
    send_message(letters[0].id)
    (buyer,) = recall.buyers_of(bad.id)
    assert (buyer.number, buyer.pieces, buyer.is_told) == (sent.number, 2, True)
    page = product_page("keripik", "id")
    assert page is not None
    assert [(one.code, one.reason) for one in page.recalled] == [("BURUK", REASON)]
    assert batches.rows_of(good.id)[0].left == 2


def test_a_batch_with_nothing_wrong_is_sold_again(db_session: Session) -> None:
    food, facility_id = make_food()
    batch = made(food, facility_id, "B-1", 5)
    parcel = parcel_of(make_paid_order((food, 1)))
    line = packed_batches.food_lines(parcel.id)[0].order_line_id
    recall.hold(batch, REASON, "", person_id=make_person().id)
    assert (on_hand(food), packed_batches.food_lines(parcel.id)[0].missing) == (0, 1)
    with pytest.raises(IntegrityError, match="is not on sale"), db_session.begin_nested():
        db_session.execute(
            text("INSERT INTO parcel_batches (parcel_id, order_line_id, batch_id, pieces) VALUES (:p, :l, :b, 1)"),
            {"p": parcel.id, "l": line, "b": batch.id},
        )
    recall.let_go(batch.id, person_id=make_person().id)
    assert (on_hand(food), batch.state) == (4, "on_sale")
    recall.hold(batch, REASON, "", person_id=make_person().id)
    assert (on_hand(food), batches.rows_of(batch.id)[0].taken) == (0, 4)


def test_holding_and_packing_at_once_never_send_what_is_held(app: Flask, database: Clone) -> None:
    with app.app_context():
        food, facility_id = make_food()
        batch = made(food, facility_id, "B-1", 10)
        parcels = [parcel_of(make_paid_order((food, 4))).id for _ in range(2)]
        keeper, batch_id, variant_id = make_person().id, batch.id, food.id
        db.session.commit()

    def pack(parcel_id: int) -> str:
        with app.app_context():
            ship.mark_packed(parcel_id, keeper)
            db.session.commit()
            return "packed"

    def hold() -> str:
        with app.app_context():
            recall.hold(batches.own(facility_id, batch_id, lock=True), REASON, "", person_id=keeper)
            db.session.commit()
            return "held"

    lock = f"SELECT FROM batches WHERE id = {batch_id} FOR UPDATE"
    calls = [lambda: pack(parcels[0]), lambda: pack(parcels[1]), hold]
    answers = while_held(database.addresses[SUPERUSER], lock, calls)
    assert sorted(map(str, answers)) == ["held", "packed", "packed"]
    with app.app_context():
        (row,) = batches.rows_of(batch_id)
        assert row.packed + row.withdrawn == 10
        assert (row.left, row.variant_id) == (0, variant_id)
        assert db.session.get_one(BatchPieces, (batch_id, variant_id)).taken == 2
        for parcel_id in parcels:
            is_noted = bool(noted(db.session.get_one(Parcel, parcel_id)))
            with pytest.raises(HeldBatch) if is_noted else nullcontext():
                ship.mark_shipped(parcel_id, "JNE", "", keeper)
