"""A shopper calls parcels off before they are packed: either packed or called off, and all of the money goes back."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.embedded import OWNER, SUPERUSER
from storefront.errors import Invalid, OrderClosed
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.orders import ship
from storefront.orders.models import Order
from storefront.orders.ship import WrongParcelState
from storefront.orders.views import order_status
from storefront.payments.models import Refund
from storefront.refunds import refunds
from storefront.refunds.cancel import AlreadyPacked, cancel_parcels
from storefront.refunds.refund_parts import LineWish
from storefront.stock.levels import available
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.after_sale import kinds, parcels_of, visit
from tests.clones import Clone
from tests.factories import make_order, make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.staff import SAME, make_account, sign_in
from tests.taking import hear, paid_there
from tests.threads import while_held


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def order(db_session: Session, shop: Shop) -> Order:
    made = make_paid_order((shop.batik, 2), (shop.chair, 1), (shop.honey, 1))
    db_session.commit()
    return made


def broken(clone: Clone) -> list[str]:
    with psycopg.connect(clone.addresses[OWNER]) as connection:
        return [found.invariant.name for found in check(connection, INVARIANTS) if not found.holds]


def test_what_is_called_off_goes_back_whole(
    db_session: Session, database: Clone, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    batik, honey = shop.batik.id, shop.honey.id
    taken = paid_there((shop.batik, 2), (shop.chair, 1), (shop.honey, 1))
    hear()
    order = db_session.get_one(Order, taken.order_id)
    assert available([batik])[batik] == 3
    refund = cancel_parcels(order.id, [1])
    db_session.commit()
    # 2 × 100,000 + 485,000, and shipping: beyond the limit, and nobody has to agree.
    assert (refund.amount, refund.proposed_by, refund.state) == (695_000, None, "requested")
    assert [parcel.state for parcel in parcels_of(order.id)] == ["cancelled", "to_pack"]
    assert available([batik])[batik] == 5  # at once, whatever the money takes
    run_jobs()
    hear()
    run_jobs()
    assert order_status(order.id)[2] == 695_000
    funds = ("premium", "working_capital", "state_revenue", "shipping")
    assert [balance(f"owed:PKL:{fund}") for fund in funds] == [0] * 4
    assert kinds(order.id)[2:] == ["parcels_cancelled", "refund_done"]
    cancel_parcels(order.id, [2])
    db_session.commit()
    run_jobs()
    hear()
    run_jobs()
    assert order_status(order.id)[0] == "refunded"
    assert available([honey])[honey] == 3
    db_session.commit()
    assert broken(database) == []


def test_only_what_is_paid_and_not_packed(db_session: Session, shop: Shop, order: Order) -> None:
    first, second = parcels_of(order.id)
    with pytest.raises(Invalid):
        cancel_parcels(order.id, [])
    with pytest.raises(Invalid):
        cancel_parcels(order.id, [1, 9])
    ship.mark_packed(first.id, make_person().id)
    with pytest.raises(AlreadyPacked):
        cancel_parcels(order.id, [1, 2])
    db_session.rollback()
    unpaid = make_order((shop.batik, 1))
    with pytest.raises(OrderClosed):
        cancel_parcels(unpaid.id, [1])
    # While finance decides on a refund of its pieces, theirs is the decision.
    asked = LineWish(second.lines[0].order_line_id, 1)
    refunds.propose(order.id, [asked], reason="cannot_fulfil", person_id=make_person().id, may_decide=False)
    with pytest.raises(OrderClosed):
        cancel_parcels(order.id, [2])
    cancel_parcels(order.id, [1])
    with pytest.raises(OrderClosed):
        cancel_parcels(order.id, [1])
    # Nobody brings it back to life.
    with pytest.raises(WrongParcelState):
        ship.unpack(first.id, make_person().id)


@pytest.mark.parametrize("also", ["packed", "cancelled"])
def test_either_packed_or_called_off(
    app: Flask, db_session: Session, database: Clone, order: Order, also: str
) -> None:
    """Against packing, and against a second press; their transactions overlap for certain."""
    order_id, parcel_id, person_id = order.id, parcels_of(order.id)[0].id, make_person().id
    db_session.commit()

    def call_off() -> str:
        with app.app_context():
            cancel_parcels(order_id, [1])
            db.session.commit()
            return "cancelled"

    def pack() -> str:
        with app.app_context():
            ship.mark_packed(parcel_id, person_id)
            db.session.commit()
            return "packed"

    lock = f"SELECT FROM parcels WHERE id = {parcel_id} FOR UPDATE"
    if also == "cancelled":  # two of them meet at the order already
        lock = f"SELECT FROM orders WHERE id = {order_id} FOR UPDATE"
    calls = [call_off, pack if also == "packed" else call_off]
    done = while_held(database.addresses[SUPERUSER], lock, calls)
    won = [each for each in done if isinstance(each, str)]
    lost = [each for each in done if isinstance(each, Exception)]
    assert len(won) == len(lost) == 1
    assert isinstance(lost[0], AlreadyPacked | WrongParcelState | OrderClosed)
    assert parcels_of(order_id)[0].state == won[0]
    made = db_session.scalars(select(Refund).where(Refund.order_id == order_id)).all()
    assert len(made) == (won[0] == "cancelled")


def test_the_database_gives_nothing_back_by_itself_that_was_not_called_off(
    db_session: Session, order: Order
) -> None:
    line = parcels_of(order.id)[0].lines[0].order_line_id
    refund = db_session.execute(
        text("""INSERT INTO refunds (payment_id, order_id, amount, reason)
                SELECT id, order_id, 100000, 'cancelled' FROM payments WHERE order_id = :id RETURNING id"""),
        {"id": order.id},
    ).scalar_one()
    db_session.execute(
        text("INSERT INTO refund_lines VALUES (:refund, :line, 1, 100000, 'none')"), {"refund": refund, "line": line}
    )
    with pytest.raises(Exception, match="not called off"):
        db_session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_the_page_asks_once_and_the_facility_is_told(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, order: Order
) -> None:
    number = order.number
    page = visit(client, order).get(f"/orders/{number}").text
    assert f'href="/orders/{number}/cancel"' in page
    asked = client.get(f"/orders/{number}/cancel").text
    assert "Ya, batalkan dan kembalikan uangnya" in asked
    assert asked.count('name="parcels"') == 2
    nothing = client.post(f"/orders/{number}/cancel", headers=SAME)
    assert nothing.status_code == 422
    assert "Pilih kiriman yang ingin Anda batalkan" in nothing.text
    assert client.post(f"/orders/{number}/cancel", data={"parcels": "1"}, headers=SAME).status_code == 303
    page = client.get(f"/orders/{number}").text
    assert "Kiriman ini dibatalkan dan tidak dikirim" in page
    assert "Sedang dikembalikan" in page
    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    today = coordinator.get("/seller/PKL/").text
    assert "Dibatalkan pembeli sebelum dikemas" in today
    assert f"{number}/1" in today
    assert number not in coordinator.get("/seller/PKL/pick-list").text
    ship.mark_packed(parcels_of(order.id)[1].id, make_person().id)
    db_session.commit()
    late = client.post(f"/orders/{number}/cancel", data={"parcels": "2"}, headers=SAME)
    assert late.status_code == 409
    assert "sudah dikemas, jadi tidak dapat dibatalkan lagi" in late.text
    assert client.get(f"/orders/{number}/cancel").status_code == 302
