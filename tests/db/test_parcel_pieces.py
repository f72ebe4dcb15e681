"""Pieces of a parcel that go later, not at all, or back again: never lost, never twice, whoever does it at once."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.display import format_date
from storefront.embedded import OWNER, SUPERUSER
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.orders import pickups, ship, split
from storefront.orders.models import Order, Parcel
from storefront.orders.packing import packed_lines
from storefront.orders.ship import Withheld, WrongParcelState
from storefront.orders.split import CannotMerge
from storefront.orders.views import order_status, order_view
from storefront.payments.models import Refund
from storefront.refunds import parcel_returns, refunds
from storefront.refunds.cancel import cancel_parcels
from storefront.refunds.cannot_fulfil import cannot_fulfil
from storefront.refunds.parcel_returns import Back
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.stock.levels import available
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.after_sale import body, kinds, letter, make_pickup, parcels_of
from tests.clones import Clone
from tests.factories import make_member, make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.threads import while_held

KEYS = [letter * 20 for letter in "abcdefgh"]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def order(shop: Shop, db_session: Session) -> Order:
    """Three batik and two chairs made to order of one facility, honey of the other."""
    made = make_paid_order((shop.batik, 3), (shop.chair, 2), (shop.honey, 1))
    db_session.commit()
    return made


@pytest.fixture
def person(db_session: Session) -> int:
    return make_person().id


def broken(clone: Clone) -> list[str]:
    with psycopg.connect(clone.addresses[OWNER]) as connection:
        names = [found.invariant.name for found in check(connection, INVARIANTS) if not found.holds]
    return [name for name in names if name != "sandbox_agrees"]  # these payments never saw the sandbox


def line(order: Order, sku: str) -> int:
    return next(line.id for line in order.lines if line.sku == sku)


def living(order: Order) -> list[Parcel]:
    return [parcel for parcel in parcels_of(order.id) if parcel.merged_at is None]


def holds(parcel: Parcel) -> dict[str, int]:
    return {row.sku: row.quantity for row in packed_lines([parcel.id]).get(parcel.id, [])}


def act(app: Flask, what: Callable[[], Any]) -> Callable[[], str]:
    """What a process of its own does: the rule, then the commit."""

    def call() -> str:
        with app.app_context():
            what()
            db.session.commit()
            return "done"

    return call


def test_a_part_leaves_first_and_the_order_is_partly_shipped(
    order: Order, person: int, database: Clone, run_jobs: Callable[[], None]
) -> None:
    first = order.parcels[0]
    day = days.today() + datetime.timedelta(days=20)
    wanted = {line(order, "PKL-KURSI"): 2, line(order, "PKL-BATIK"): 1}
    later = split.split_parcel(first.id, wanted, person, KEYS[0], ready_by=day)
    assert split.split_parcel(first.id, wanted, person, KEYS[0]).id == later.id  # sent twice, split once
    db.session.commit()
    assert [p.position for p in living(order)] == [1, 2, 3]
    assert (holds(first), holds(later)) == ({"PKL-BATIK": 2}, {"PKL-BATIK": 1, "PKL-KURSI": 2})
    assert (later.shipping_amount, later.ready_by, later.split_from) == (0, day, first.id)
    assert first.shipping_amount == 10_000
    for step in (ship.mark_packed, lambda a, b: ship.mark_shipped(a, "JNE", "CGK1", b)):
        step(first.id, person)
    db.session.commit()
    assert order_status(order.id)[0] == "partly_shipped"
    view = order_view(order, locale="id")
    assert [(p.position, p.pieces) for p in view.parcels] == [(1, 2), (2, 1), (3, 3)]
    assert sum(p.shipping_amount for p in view.parcels) == view.shipping_total
    for parcel in living(order)[1:]:
        ship.mark_packed(parcel.id, person)
        ship.mark_shipped(parcel.id, "JNE", "CGK2", person)
    for parcel in living(order):
        ship.mark_received(parcel.id, None)
    db.session.commit()
    run_jobs()
    # One letter for each step of the order, however many parcels it came to have.
    assert kinds(order.id) == ["order_placed", "order_paid", "parcel_apart", "order_received"]
    assert order_status(order.id)[0] == "completed"
    assert broken(database) == []


def test_a_split_is_undone_while_nothing_is_packed(order: Order, person: int, database: Clone) -> None:
    first, batik = order.parcels[0], line(order, "PKL-BATIK")
    later = split.split_parcel(first.id, {batik: 2}, person, KEYS[0])
    latest = split.split_parcel(later.id, {batik: 1}, person, KEYS[1])
    ship.mark_packed(first.id, person)
    with pytest.raises(CannotMerge):
        split.merge_back(later.id, person)
    ship.unpack(first.id, person)
    assert split.merge_back(later.id, person).id == first.id
    assert split.merge_back(later.id, person).id == first.id
    assert split.merge_back(latest.id, person).id == first.id  # the parcel between is no more
    db.session.commit()
    assert [p.position for p in living(order)] == [1, 2]
    assert holds(first) == {"PKL-BATIK": 3, "PKL-KURSI": 2}
    assert len(order_view(order, locale="id").parcels) == 2
    with pytest.raises(CannotMerge):
        split.merge_back(first.id, person)
    trail = select(AuditEvent.action).where(AuditEvent.subject_kind == "parcel").order_by(AuditEvent.id)
    steps = [action.removeprefix("parcel.") for action in db.session.scalars(trail)]
    assert steps == ["split", "split", "packed", "to_pack", "merged", "merged"]
    assert broken(database) == []


def test_each_parcel_is_promised_for_the_day_of_what_it_holds(
    order: Order, person: int, run_jobs: Callable[[], None]
) -> None:
    first, batik, chair = order.parcels[0], line(order, "PKL-BATIK"), line(order, "PKL-KURSI")
    slow, calendar = first.ready_by, calendar_of(first.facility_id, days.today())
    assert slow == ready_on(days.today(), 14, calendar)
    quick = ready_on(days.today(), None, calendar)
    made = split.split_parcel(first.id, {chair: 2}, person, KEYS[0])
    assert (first.ready_by, made.ready_by) == (quick, slow)
    split.merge_back(made.id, person)
    assert first.ready_by == slow
    shelf = split.split_parcel(first.id, {batik: 3}, person, KEYS[1])
    assert (first.ready_by, shelf.ready_by) == (slow, quick)
    split.merge_back(shelf.id, person)
    # A calendar that would make it later by now takes nothing back of what was promised.
    first.ready_by = quick
    both = split.split_parcel(first.id, {batik: 1, chair: 1}, person, KEYS[2])
    assert (first.ready_by, both.ready_by) == (quick, quick)
    split.merge_back(both.id, person)
    # Pieces that a refund speaks of do not go into the box, so that nobody waits for them.
    first.ready_by = slow
    cannot_fulfil(
        first.id, {chair: 2}, with_shipping=False, note="", person_id=person, facility_id=first.facility_id,
        request_key=KEYS[3],
    )  # fmt: skip
    assert first.ready_by == quick
    # Whoever promises a later day for what follows says so to the buyer, once.
    late = slow + datetime.timedelta(days=3)
    for _twice in range(2):
        assert split.split_parcel(first.id, {batik: 1}, person, KEYS[4], ready_by=late).ready_by == late
    assert first.ready_by == quick
    db.session.commit()
    run_jobs()
    assert kinds(order.id).count("parcel_apart") == 1


def test_what_cannot_be_split_is_said_beside_its_field(order: Order, person: int) -> None:
    first, batik, chair = order.parcels[0], line(order, "PKL-BATIK"), line(order, "PKL-KURSI")
    yesterday = days.today() - datetime.timedelta(days=1)
    for wanted, ready_by, field in (
        ({batik: 4}, None, f"quantity-{batik}"), ({batik: -1}, None, f"quantity-{batik}"), ({}, None, "pieces"),
        ({batik: 3, chair: 2}, None, "pieces"), ({batik: 1}, yesterday, "ready_by"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refusal:
            split.split_parcel(first.id, wanted, person, KEYS[0], ready_by=ready_by)
        assert field in refusal.value.errors
    with pytest.raises(NotFound):
        split.split_parcel(first.id, {line(order, "NML-MADU"): 1}, person, KEYS[0])
    ship.mark_packed(first.id, person)
    with pytest.raises(WrongParcelState):
        split.split_parcel(first.id, {batik: 1}, person, KEYS[0])


def run(statements: str, values: dict[str, int]) -> None:
    for statement in statements.split("; "):
        db.session.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
    db.session.commit()


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE parcel_lines SET quantity = quantity + 1 WHERE parcel_id = :first",
        "DELETE FROM parcel_lines WHERE parcel_id = :first",
        "INSERT INTO parcel_lines SELECT :other, order_line_id, 1 FROM parcel_lines WHERE parcel_id = :first",
        "UPDATE parcels SET state = 'packed' WHERE id = :first;"
        " UPDATE parcel_lines SET quantity = 1 WHERE parcel_id = :first",
    ],
)
def test_the_database_loses_no_piece(order: Order, wrong: str) -> None:
    ids = {"first": order.parcels[0].id, "other": order.parcels[1].id}
    with pytest.raises(DBAPIError):
        run(wrong, ids)
    db.session.rollback()


def test_two_who_pack_and_split_at_once_lose_nothing(
    app: Flask, shop: Shop, order: Order, person: int, database: Clone
) -> None:
    first, batik = order.parcels[0].id, line(order, "PKL-BATIK")
    db.session.commit()

    calls = [
        act(app, lambda: split.split_parcel(first, {batik: 2}, person, KEYS[0])),
        act(app, lambda: split.split_parcel(first, {batik: 2}, person, KEYS[1])),
        act(app, lambda: ship.mark_packed(first, person)),
        act(app, lambda: ship.mark_packed(first, person)),
    ]
    lock = f"SELECT FROM parcels WHERE id = {first} FOR UPDATE"
    results = while_held(database.addresses[SUPERUSER], lock, calls[:1] + calls[2:])
    results += while_held(database.addresses[SUPERUSER], lock, calls[1:2] + calls[3:])
    done = [result for result in results if result == "done"]
    assert all(result == "done" or isinstance(result, WrongParcelState | Invalid) for result in results), results
    assert 1 <= len(done) <= 2
    assert broken(database) == []
    # A shopper who calls the parcel off while it is split gets what lay in it then, whole, or is told.
    second = make_paid_order((shop.batik, 2))
    parcel, piece, number = second.parcels[0].id, second.lines[0].id, second.id
    db.session.commit()
    calls = [
        act(app, lambda: split.split_parcel(parcel, {piece: 1}, person, KEYS[2])),
        act(app, lambda: cancel_parcels(number, [1])),
    ]
    results = while_held(database.addresses[SUPERUSER], f"SELECT FROM orders WHERE id = {number} FOR UPDATE", calls)
    assert all(result == "done" or isinstance(result, WrongParcelState) for result in results), results
    refund = db.session.scalars(select(Refund).where(Refund.order_id == number)).one()
    pieces = sum(p.lines[0].quantity for p in parcels_of(number) if p.state == "cancelled" and p.lines)
    assert refund.amount == pieces * 100_000 + 10_000
    assert broken(database) == []


def refused(refund: Refund) -> None:
    refunds.reject(refund.id, make_member("finance").id)


def agreed(refund: Refund) -> None:
    refunds.approve(refund.id, make_member("finance").id)
    refund_succeeded(refund.id)


def ask(parcel: Parcel, pieces: dict[int, int], person: int, key: str = KEYS[0], **more: Any) -> Refund:
    values = {"with_shipping": True, "note": "", "facility_id": parcel.facility_id, **more}
    return cannot_fulfil(parcel.id, pieces, person_id=person, request_key=key, **values)


def test_some_pieces_that_cannot_be_sent_wait_apart_and_the_rest_leaves(
    order: Order, person: int, database: Clone
) -> None:
    first, batik = order.parcels[0], line(order, "PKL-BATIK")
    ship.mark_packed(first.id, person)
    refund = ask(first, {batik: 1}, person)
    assert ask(first, {batik: 1}, person).id == refund.id
    db.session.commit()
    apart = living(order)[2]
    assert (refund.state, refund.reason, refund.amount) == ("proposed", "cannot_fulfil", 100_000)
    assert (holds(first), holds(apart), first.state) == ({"PKL-BATIK": 2, "PKL-KURSI": 2}, {"PKL-BATIK": 1}, "to_pack")
    with pytest.raises(Withheld):
        ship.mark_packed(apart.id, person)
    with pytest.raises(CannotMerge):
        split.merge_back(apart.id, person)
    ship.mark_packed(first.id, person)
    agreed(refund)
    db.session.commit()
    # Only the parcel with those pieces is called off, although more of the line lie elsewhere.
    assert [(p.position, p.state) for p in living(order)] == [(1, "packed"), (2, "to_pack"), (3, "cancelled")]
    assert broken(database) == []


def test_if_finance_says_no_the_pieces_are_to_pack_again(order: Order, person: int, database: Clone) -> None:
    first, batik = order.parcels[0], line(order, "PKL-BATIK")
    refund = ask(first, {batik: 2}, person)
    refused(refund)
    db.session.commit()
    apart = living(order)[2]
    ship.mark_packed(apart.id, person)
    ship.unpack(apart.id, person)
    assert split.merge_back(apart.id, person).id == first.id
    db.session.commit()
    assert holds(first) == {"PKL-BATIK": 3, "PKL-KURSI": 2}
    assert broken(database) == []


def test_a_whole_parcel_goes_with_its_shipping(order: Order, shop: Shop, person: int, database: Clone) -> None:
    first, batik, chair = order.parcels[0], line(order, "PKL-BATIK"), line(order, "PKL-KURSI")
    refund = ask(first, {batik: 3, chair: 2}, person, back={batik: "restock"})
    assert refund.amount == 3 * 100_000 + 2 * 485_000 + 10_000
    assert len(living(order)) == 2  # nothing is split
    before = available([shop.batik.id])[shop.batik.id]
    agreed(refund)
    db.session.commit()
    assert living(order)[0].state == "cancelled"
    assert available([shop.batik.id])[shop.batik.id] == before + 3
    assert broken(database) == []


def test_finance_gives_back_pieces_of_what_has_not_left(order: Order, person: int, database: Clone) -> None:
    first, batik = order.parcels[0], line(order, "PKL-BATIK")
    later = split.split_parcel(first.id, {batik: 2}, person, KEYS[0])
    ship.mark_packed(first.id, person)
    ship.mark_shipped(first.id, "JNE", "", person)
    refund = refunds.propose(order.id, [LineWish(batik, 1)], reason="goodwill", person_id=make_member("finance").id)
    db.session.commit()
    row = packed_lines([later.id])[later.id][0]
    assert (row.quantity, row.withheld, row.to_pack) == (2, 1, 1)
    refund_succeeded(refund.id)
    ship.mark_packed(later.id, person)  # decided: the other one leaves
    db.session.commit()
    assert later.state == "packed"
    # The shopper calls off what is left of the order elsewhere; nothing goes back twice.
    assert cancel_parcels(order.id, [2]).amount == 70_000
    db.session.commit()
    assert broken(database) == []


def take_back(parcel: Parcel, backs: dict[int, Back], person: int, key: str = KEYS[0], **more: Any) -> Any:
    values = {"note": "", "ask_refund": False, "facility_id": parcel.facility_id, **more}
    return parcel_returns.receive_return(parcel.id, backs, person_id=person, request_key=key, **values)


def test_what_comes_back_is_on_the_shelf_or_written_off_once(
    order: Order, shop: Shop, person: int, database: Clone
) -> None:
    first, batik, chair = order.parcels[0], line(order, "PKL-BATIK"), line(order, "PKL-KURSI")
    with pytest.raises(WrongParcelState):
        take_back(first, {batik: Back(1, 0)}, person)
    ship.mark_packed(first.id, person)
    ship.mark_shipped(first.id, "JNE", "", person)
    before = available([shop.batik.id])[shop.batik.id]
    for backs, field in (
        ({batik: Back(3, 1)}, f"restock-{batik}"), ({chair: Back(1, 0)}, f"restock-{chair}"), ({}, "pieces"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refusal:
            take_back(first, backs, person)
        assert field in refusal.value.errors
    noted = take_back(first, {batik: Back(1, 1)}, person, ask_refund=True)
    assert take_back(first, {batik: Back(1, 1)}, person, ask_refund=True).id == noted.id
    db.session.commit()
    assert available([shop.batik.id])[shop.batik.id] == before + 1
    assert first.state == "shipped"
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, refund.reason, refund.amount) == ("proposed", "returned", 200_000)
    agreed(refund)
    take_back(first, {batik: Back(1, 0), chair: Back(0, 2)}, person, KEYS[1])
    db.session.commit()
    with pytest.raises(Invalid) as refusal:  # a refund that would put the same piece on the shelf again
        refunds.propose(order.id, [LineWish(batik, 1, pieces="restock")], reason="returned", person_id=person)
    assert f"pieces-{batik}" in refusal.value.errors
    db.session.rollback()
    assert order.parcels[0].state == "returned"
    assert available([shop.batik.id])[shop.batik.id] == before + 2
    assert order_status(order.id)[0] == "partly_shipped"
    assert broken(database) == []


def test_the_database_takes_no_piece_back_twice(order: Order, person: int) -> None:
    first, batik = order.parcels[0], line(order, "PKL-BATIK")
    ship.mark_packed(first.id, person)
    ship.mark_shipped(first.id, "JNE", "", person)
    noted = take_back(first, {batik: Back(3, 0)}, person)
    db.session.commit()
    values = {"first": first.id, "person": person, "batik": batik, "noted": noted.id}
    for wrong in (
        "INSERT INTO parcel_returns (parcel_id, noted_by, request_key) VALUES (:first, :person, repeat('z', 20));"
        " INSERT INTO parcel_return_lines SELECT max(id), :batik, 1, 0 FROM parcel_returns",
        "UPDATE parcel_return_lines SET restock = 1 WHERE return_id = :noted",
        "DELETE FROM parcel_returns WHERE id = :noted",
    ):
        with pytest.raises(DBAPIError):
            run(wrong, values)
        db.session.rollback()


@pytest.fixture
def lying(shop: Shop, person: int, db_session: Session) -> Parcel:
    """Two batik and a chair made to order, ready at the gallery for eight days."""
    made = make_pickup(shop.pekalongan.id, (shop.batik, 2), (shop.chair, 1))
    parcel = made.parcels[0]
    ship.mark_packed(parcel.id, person)
    ship.mark_ready(parcel.id, person)
    parcel.shipped_at = db_session.scalar(text("SELECT now() - interval '8 days'"))
    db_session.commit()
    return parcel


def give_up(parcel: Parcel, backs: dict[int, Back], person: int, key: str = KEYS[0]) -> Any:
    facility = {"facility_id": parcel.facility_id, "request_key": key}
    return parcel_returns.not_collected(parcel.id, backs, note="", person_id=person, **facility)


def test_what_nobody_collects_is_given_up_after_a_reminder(
    shop: Shop, lying: Parcel, person: int, database: Clone, run_jobs: Callable[[], None]
) -> None:
    order = lying.order
    batik, chair = line(order, "PKL-BATIK"), line(order, "PKL-KURSI")
    backs = {batik: Back(restock=1, write_off=1), chair: Back(write_off=1)}
    assert [pickups.remind_waiting() for _twice in range(2)] == [1, 0]
    run_jobs()
    told = letter(f"parcel:{lying.id}:pickup_waiting")
    last = days.today() + datetime.timedelta(days=6)
    assert format_date(last) in body(told)
    with pytest.raises(pickups.TooEarly):
        give_up(lying, backs, person)
    since = "UPDATE {} SET {} = now() - interval '{} days' WHERE {}"
    db.session.execute(text(since.format("parcels", "shipped_at", 15, f"id = {lying.id}")))
    db.session.commit()
    with pytest.raises(pickups.TooEarly):  # two weeks, but reminded today
        give_up(lying, backs, person)
    db.session.execute(text(since.format("messages", "created_at", 7, "kind = 'pickup_waiting'")))
    db.session.commit()
    for wrong, field in (({batik: Back(1)}, "restock"), ({**backs, chair: Back(restock=1)}, "restock")):
        with pytest.raises(Invalid) as refusal:
            give_up(lying, wrong, person)
        assert any(name.startswith(field) for name in refusal.value.errors)
        db.session.rollback()
    before = available([shop.batik.id])[shop.batik.id]
    first = give_up(lying, backs, person)
    assert give_up(lying, backs, person).id == first.id
    db.session.commit()
    run_jobs()
    assert (lying.state, available([shop.batik.id])[shop.batik.id]) == ("returned", before + 1)
    refund = db.session.scalars(select(Refund).where(Refund.order_id == order.id)).one()
    assert (refund.state, refund.reason, refund.amount) == ("proposed", "not_collected", 685_000)
    refunds.approve(refund.id, make_member("finance").id)
    refund_succeeded(refund.id)
    db.session.commit()
    assert "order_received" not in kinds(order.id)  # nothing of it arrived
    assert broken(database) == []
    with pytest.raises(WrongParcelState):
        give_up(lying, backs, person, KEYS[1])


def test_who_comes_at_the_last_moment_either_has_it_or_is_given_the_money(
    app: Flask, lying: Parcel, person: int, database: Clone, run_jobs: Callable[[], None]
) -> None:
    batik, chair = line(lying.order, "PKL-BATIK"), line(lying.order, "PKL-KURSI")
    pickups.remind_waiting()
    run_jobs()
    for change in ("parcels SET shipped_at", "messages SET created_at"):
        db.session.execute(text(f"UPDATE {change} = now() - interval '15 days'"))
    db.session.commit()
    parcel, order = lying.id, lying.order_id
    backs = {batik: Back(restock=2), chair: Back(write_off=1)}
    asked: dict[str, Any] = {
        "note": "", "person_id": person, "facility_id": lying.facility_id, "request_key": KEYS[2]
    }  # fmt: skip
    db.session.rollback()

    calls = [
        act(app, lambda: parcel_returns.not_collected(parcel, backs, **asked)),
        act(app, lambda: ship.mark_received(parcel, None)),
    ]
    results = while_held(database.addresses[SUPERUSER], f"SELECT FROM parcels WHERE id = {parcel} FOR UPDATE", calls)
    assert [result == "done" or isinstance(result, WrongParcelState) for result in results] == [True, True], results
    assert results.count("done") == 1
    state = db.session.scalar(select(Parcel.state).where(Parcel.id == parcel))
    asked_back = len(db.session.scalars(select(Refund).where(Refund.order_id == order)).all())
    assert (state, asked_back) in (("returned", 1), ("received", 0))
    assert broken(database) == []
