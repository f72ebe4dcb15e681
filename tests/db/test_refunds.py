"""Refunds that a person decides: never more than was paid, shares back to the rupiah, pieces where they belong."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.books.four_eyes import FourEyes
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.views import order_status
from storefront.payments.gateway import PaymentRequest, gateway
from storefront.payments.inbox import receive
from storefront.payments.models import Payment, Refund
from storefront.payments.sandbox import SandboxGateway
from storefront.refunds.refund_outcome import refund_failed, refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import refundable
from storefront.refunds.refunds import RefundDecided, approve, propose, reject, try_again
from tests.factories import (
    make_facility,
    make_member,
    make_order,
    make_paid_order,
    make_person,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def order(db_session: Session) -> Order:
    """A paid order: 3 × 33,333 of TGG (net) and 1 × 485,001 of PKB (profit), 10,000 shipping each."""
    make_rule()
    second = make_facility("PKB", city="Kotawaringin Barat", province="Kalimantan Tengah")
    make_rule(basis="profit", facility=second, valid_from=datetime.date(2023, 1, 1))
    first = make_variant(make_product(make_workshop(make_facility("TGG"))), stock=5, price=33_333)
    other = make_variant(make_product(make_workshop(second)), stock=1, price=485_001, material_cost=5_000)
    order = make_paid_order((first, 3), (other, 1))
    db_session.commit()
    return order


def balances(session: Session) -> dict[str, int]:
    rows = session.execute(
        text("SELECT account_code, sum(amount)::bigint FROM reporting.ledger_postings GROUP BY 1")
    )
    return {code: amount for code, amount in rows if amount}


def give_back(order: Order, *wishes: LineWish, **values: object) -> Refund:
    """Propose and let the provider confirm at once."""
    refund = propose(order.id, wishes, person_id=make_member("finance").id, reason="returned", **values)  # type: ignore[arg-type]
    if refund.state == "proposed":
        approve(refund.id, make_member("finance").id)
    assert refund_succeeded(refund.id) == "refunded"
    db.session.commit()
    return refund


def test_everything_back_leaves_nothing(order: Order, db_session: Session) -> None:
    lines = [LineWish(line.id, line.quantity, pieces="restock") for line in order.lines]
    give_back(order, *lines, shipping={parcel.id: 10_000 for parcel in order.parcels})
    assert balances(db_session) == {}
    assert order_status(order.id) == ("refunded", 605_000, 605_000)
    assert db_session.scalars(text("SELECT on_hand FROM stock_levels ORDER BY variant_id")).all() == [5, 1]
    assert {parcel.state for parcel in order.parcels} == {"cancelled"}
    left = refundable(order)
    assert left is not None
    assert left.total == 0


def test_one_piece_back_takes_its_proportion(order: Order, db_session: Session) -> None:
    give_back(order, LineWish(order.lines[0].id, 1, pieces="write_off"))
    # shares of 99,999 were 49,999 / 35,000 / 15,000; a third of each by largest remainder
    assert balances(db_session)["owed:TGG:premium"] == -49_999 + 16_666
    assert balances(db_session)["owed:TGG:working_capital"] == -35_000 + 11_667
    assert balances(db_session)["owed:TGG:state_revenue"] == -15_000 + 5_000
    assert order_status(order.id)[0] == "partly_refunded"
    moves = db_session.execute(
        text("SELECT quantity, reason FROM stock_movements WHERE source LIKE 'refund:%' ORDER BY id")
    )
    assert [tuple(row) for row in moves] == [(1, "returned"), (-1, "damaged")]
    rows = db_session.execute(text("SELECT fund, amount FROM reporting.refund_shares ORDER BY fund"))
    assert {row.fund: row.amount for row in rows} == {
        "premium": 16_666, "working_capital": 11_667, "state_revenue": 5_000
    }  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_sequence_of_partial_refunds_ends_at_nothing(data: st.DataObject) -> None:
    make_rule({"premium": 3333, "working_capital": 3333, "state_revenue": 3334}) if not db.session.scalar(
        text("SELECT count(*) FROM split_rules")
    ) else None
    price = data.draw(st.integers(min_value=1, max_value=1_000_003))
    order = make_paid_order((make_variant(stock=3, price=price), 3), shipping=0)
    before = balances(db.session())
    line = order.lines[0]
    rest = line.net_amount
    for last in (False, False, False, True):
        amount = rest if last else data.draw(st.integers(min_value=0, max_value=rest))
        if amount:
            give_back(order, LineWish(line.id, 0, amount))
        rest -= amount
    after = balances(db.session())
    code = f"owed:{line.facility_code}:"
    assert not any(account.startswith(code) for account in after), "every share is back where it began"
    assert any(account.startswith(code) for account in before)


def test_what_was_passed_on_already_becomes_a_receivable(order: Order, db_session: Session) -> None:
    facility_id = order.lines[0].facility_id
    premium = text("SELECT id FROM accounts WHERE code = 'owed:TGG:premium'")
    account = db_session.execute(premium).scalar_one()
    entry = text(
        "INSERT INTO journal_entries (source, kind, effective_date) "
        "VALUES ('test:paid', 'settlement', now()) RETURNING id"
    )
    entry_id = db_session.execute(entry).scalar_one()
    posting = text("INSERT INTO postings (entry_id, account_id, amount) VALUES (:e, :a, :x)")
    other = db_session.execute(
        text("INSERT INTO accounts (code, kind) VALUES ('bank:0', 'asset') RETURNING id")
    ).scalar_one()
    for target, amount in ((account, 49_999), (other, -49_999)):
        db_session.execute(posting, {"e": entry_id, "a": target, "x": amount})
    db_session.commit()
    give_back(order, LineWish(order.lines[0].id, 3))
    found = balances(db_session)
    assert found["receivable:TGG:premium"] == 49_999
    assert "owed:TGG:premium" not in found
    assert facility_id is not None


def test_above_the_limit_another_person_approves(order: Order, db_session: Session) -> None:
    person, second = make_member("finance"), make_member("finance")
    refund = propose(
        order.id,
        [LineWish(line.id, line.quantity) for line in order.lines],
        reason="lost",
        person_id=person.id,
    )
    assert refund.state == "proposed"
    with pytest.raises(FourEyes):
        approve(refund.id, person.id)
    approve(refund.id, second.id)
    assert refund.state == "requested"
    with pytest.raises(RefundDecided):
        reject(refund.id, second.id)


def test_a_large_refund_in_small_pieces_is_a_large_one(order: Order, db_session: Session) -> None:
    cheap, dear = order.lines
    first = propose(
        order.id, [LineWish(dear.id, 0, 485_001)], reason="goodwill", person_id=make_member("finance").id
    )
    assert first.state == "requested"
    colleague = make_member("finance")
    small = propose(order.id, [LineWish(cheap.id, 0, 15_000)], reason="goodwill", person_id=colleague.id)
    assert small.state == "proposed"
    db_session.commit()
    alone = text(
        "INSERT INTO refunds (payment_id, order_id, amount, reason, state, proposed_by)"
        " SELECT payment_id, order_id, :amount, 'goodwill', 'requested', :person FROM refunds WHERE id = :first"
        " RETURNING id"
    )
    part = text("INSERT INTO refund_lines VALUES (:refund, :line, 0, :amount, 'none')")
    for amount, message in ((14_998, None), (14_999, "reaches the limit")):
        values = {"amount": amount, "person": colleague.id, "first": first.id}
        refund_id = db_session.execute(alone, values).scalar_one()
        db_session.execute(part, {"refund": refund_id, "line": cheap.id, "amount": amount})
        with pytest.raises(DBAPIError, match=message) if message else nullcontext():
            db_session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        db_session.rollback()


def test_the_database_refuses_the_same_person_too(order: Order, db_session: Session) -> None:
    person = make_member("finance")
    refund = propose(
        order.id, [LineWish(order.lines[1].id, 1)], reason="lost", person_id=person.id, may_decide=False
    )
    db_session.commit()
    with pytest.raises(DBAPIError, match="refunds_four_eyes"):
        db_session.execute(
            text(
                "UPDATE refunds SET state = 'requested', approved_by = proposed_by, approved_at = now() WHERE id = :id"
            ),
            {"id": refund.id},
        )
    db_session.rollback()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"quantity": 4}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 0, "amount": 100_000}, "amount"),
        ({"quantity": 1, "amount": 0}, "amount"),
        ({"quantity": 0, "amount": 5, "pieces": "restock"}, "pieces"),
        ({"quantity": 1, "pieces": "thrown"}, "pieces"),
    ],
)
def test_more_than_is_left_is_refused_beside_its_field(
    order: Order, wish: dict[str, object], field: str
) -> None:
    line = order.lines[0]
    with pytest.raises(Invalid) as refused:
        propose(order.id, [LineWish(line.id, **wish)], reason="returned", person_id=make_person().id)  # type: ignore[arg-type]
    assert f"{field}-{line.id}" in refused.value.errors
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM refunds")) == 0


def test_nothing_and_nobody(order: Order) -> None:
    with pytest.raises(Invalid):
        propose(order.id, [], reason="returned", person_id=make_person().id)
    with pytest.raises(NotFound):
        propose(order.id, [LineWish(10**9, 1)], reason="returned", person_id=make_person().id)
    unpaid = make_order((make_variant(stock=1), 1))
    with pytest.raises(NotFound):
        propose(unpaid.id, [LineWish(unpaid.lines[0].id, 1)], reason="returned", person_id=make_person().id)


def test_goodwill_is_spread_over_the_lines(order: Order, db_session: Session) -> None:
    refund = propose(order.id, [], goodwill=10_000, reason="goodwill", person_id=make_person().id)
    amounts = db_session.scalars(text("SELECT amount FROM refund_lines ORDER BY order_line_id")).all()
    assert sum(amounts) == refund.amount == 10_000
    assert amounts == [1_709, 8_291]  # of 99,999 and 485,001
    with pytest.raises(Invalid):
        propose(order.id, [], goodwill=10**9, reason="goodwill", person_id=make_person().id)


def test_a_refused_refund_is_sent_again_under_a_new_key(order: Order, db_session: Session) -> None:
    person = make_member("finance")
    refund = propose(order.id, [LineWish(order.lines[0].id, 1)], reason="returned", person_id=person.id)
    refund_failed(refund.id, "card closed")
    assert (refund.state, refund.failure) == ("failed", "card closed")
    try_again(refund.id, person.id)
    assert (refund.state, refund.attempt) == ("requested", 2)


def test_through_the_gateway_and_back(
    order: Order, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    payment = db_session.scalars(select(Payment)).one()
    provider.start(PaymentRequest(payment.id, payment.amount, "", "http://x", "id", payment.expires_at))
    refund = propose(
        order.id, [LineWish(order.lines[0].id, 1)], reason="returned", person_id=make_person().id
    )
    refund_id = refund.id
    db_session.commit()
    run_jobs()
    told = text("SELECT body FROM sandbox_events WHERE type = 'refund.succeeded'")
    body = db_session.execute(told).scalar_one()
    for event_id in ("evt_a", "evt_b"):
        raw = json.dumps(json.loads(body) | {"id": event_id}).encode()
        receive("sandbox", provider.signed_headers(raw), raw)
    db_session.commit()
    run_jobs()
    db_session.expire_all()
    assert db_session.get_one(Refund, refund_id).state == "succeeded"
    assert balances(db_session)["clearing:sandbox"] == 605_000 - 33_333


def test_two_people_refund_the_same_line_at_once(order: Order, app: Flask, db_session: Session) -> None:
    line_id, order_id = order.lines[1].id, order.id
    people = [make_member("finance").id for _ in range(4)]
    db_session.commit()
    results: list[str] = []
    gate = threading.Barrier(len(people))

    def refund(person_id: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                propose(order_id, [LineWish(line_id, 1)], reason="returned", person_id=person_id)
                db.session.commit()
                results.append("proposed")
            except Invalid:
                db.session.rollback()
                results.append("refused")

    threads = [threading.Thread(target=refund, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["proposed"] + ["refused"] * 3
    assert db_session.scalar(text("SELECT sum(amount) FROM refund_lines")) == 485_001


def test_one_form_sent_by_two_requests_at_once_makes_one_refund(
    order: Order, app: Flask, db_session: Session
) -> None:
    line_id, order_id, person_id = order.lines[0].id, order.id, make_member("finance").id
    db_session.commit()
    made: list[int] = []
    gate = threading.Barrier(4)

    def send() -> None:
        with app.app_context():
            gate.wait()
            wish = [LineWish(line_id, 1)]
            key = "formulir-0123456789"
            refund = propose(order_id, wish, reason="returned", person_id=person_id, request_key=key)
            made.append(refund.id)
            db.session.commit()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert db_session.scalar(text("SELECT count(*) FROM refunds")) == 1


def test_no_pieces_bring_nothing_by_themselves(order: Order) -> None:
    """All pieces are back for less than they cost: what is left goes back only as a written amount."""
    line = order.lines[0]
    give_back(order, LineWish(line.id, 3, 60_000))
    with pytest.raises(Invalid):
        propose(order.id, [LineWish(line.id)], reason="returned", person_id=make_person().id)
    db.session.rollback()
    assert give_back(order, LineWish(line.id, 0, 39_999)).amount == 39_999
