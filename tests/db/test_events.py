"""Events of a provider: late, doubled, out of order, about what is not known, or impossible; none of them can hurt."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.books.four_eyes import Decided
from storefront.books.standing import REACHES, standing
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order, OrderLine
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.views import order_status
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive
from storefront.payments.models import PaymentEvent, Refund, RefundReturn
from storefront.payments.sandbox import SandboxGateway
from storefront.payments.sandbox_books import choose_outcome, dispute, fail_refund
from storefront.refunds import event_tries
from storefront.refunds.event_tries import PAUSES, SHOWN_AFTER, retry, set_aside, try_event
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import propose, try_again
from storefront.snapshot import snapshot
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.factories import make_person
from tests.selling import Shop, open_shop
from tests.taking import Taken, hear, paid_there, placed

pytestmark = pytest.mark.usefixtures("db_session")
WHY = "Pembayaran dari sistem lain, bukan dari toko."
_numbers = itertools.count(1)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def arrive(kind: str, payment_id: str, amount: int = 0, event_id: str = "", **parts: Any) -> int:
    """An event that reaches the inbox, signed; its row."""
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    name = event_id or f"evt_{next(_numbers)}"
    event = {"id": name, "type": kind, "payment": {"id": payment_id, "amount": amount}, **parts}
    body = json.dumps(event).encode()
    receive("sandbox", provider.signed_headers(body), body)
    db.session.commit()
    row_id = db.session.execute(select(PaymentEvent.id).where(PaymentEvent.event_id == name)).scalar_one()
    db.session.rollback()
    return row_id


def event(row_id: int) -> PaymentEvent:
    return db.session.get_one(PaymentEvent, row_id, populate_existing=True)


def jobs_for(row_id: int) -> list[Any]:
    """When the event's next tries are due."""
    query = text(
        "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'orders.handle_payment_event'"
        " AND args ->> 'event_row_id' = CAST(:id AS text) AND scheduled_at IS NOT NULL ORDER BY id"
    )
    return list(db.session.scalars(query, {"id": row_id}))


def broken(*names: str) -> list[str]:
    """Promises that do not hold, of those named, or of all but those that wait for the clock."""
    with snapshot(db.engine) as connection:
        found = [f.invariant.name for f in check(connection, INVARIANTS) if not f.holds]
    return [name for name in found if not names or name in names]


def test_a_dispute_before_its_payment_waits_and_the_payment_is_asked_for(shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    row = arrive("dispute.opened", taken.payment_id, taken.amount, dispute={"id": "dp_1", "amount": taken.amount})
    # the provider, asked at once, says that it has the money: nothing has to wait
    assert try_event(row) == "opened"
    assert order_status(taken.order_id)[0] == "paid"
    assert balance("disputed:sandbox") == taken.amount


def test_what_the_provider_does_not_know_either_waits_until_it_comes(shop: Shop) -> None:
    taken = placed((shop.batik, 1))
    row = arrive("dispute.opened", taken.payment_id, taken.amount, dispute={"id": "dp_1", "amount": taken.amount})
    assert try_event(row) == "waits"
    found = event(row)
    assert (found.handled_at, found.attempts, found.waits_for) == (None, 1, f"payment:{taken.payment_id}")
    assert not found.needs_person
    before = len(jobs_for(row))
    record_payment(taken.payment_id, reference=taken.payment_id, amount=taken.amount)
    db.session.commit()
    woken = db.session.execute(
        text(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'orders.handle_payment_event'"
            " AND args ->> 'event_row_id' = CAST(:id AS text) AND scheduled_at IS NULL AND status = 'todo'"
        ),
        {"id": row},
    ).scalar_one()
    assert (before, woken) == (1, 2)  # its arrival, and the payment that it waited for
    assert try_event(row) == "opened"
    assert event(row).waits_for is None


def test_a_handler_that_fails_is_tried_with_growing_pauses_then_shown(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = paid_there((shop.batik, 1))
    row = arrive("payment.succeeded", taken.payment_id, taken.amount)

    def fail(*_: object) -> None:
        raise RuntimeError("no such table")

    with monkeypatch.context() as broken_handler:
        broken_handler.setattr("storefront.refunds.provider_events.apply", fail)
        shown = []
        for _ in range(len(PAUSES) + 1):
            assert try_event(row) == "failed"
            shown.append(event(row).needs_person)
    found = event(row)
    assert found.last_error == "RuntimeError: no such table"
    assert shown == [False] * (SHOWN_AFTER - 1) + [True] * (len(PAUSES) + 2 - SHOWN_AFTER)
    assert found.next_try_at is None  # only a person tries again
    assert sorted(PAUSES) == list(PAUSES)
    assert len(jobs_for(row)) == len(PAUSES)
    assert standing(dict.fromkeys(REACHES))["events"].count == 1
    assert "events_have_a_job" not in broken()
    person = make_person().id
    db.session.commit()
    retry(row, person)
    db.session.commit()
    assert try_event(row) == "paid"
    found = event(row)
    assert (found.needs_person, found.last_error, found.result) == (False, None, "paid")
    with pytest.raises(Decided):
        retry(row, person)


def test_money_for_nobody_is_kept_shown_and_set_aside_with_a_reason(shop: Shop) -> None:
    row = arrive("payment.succeeded", "pay_unknown0000000000000000", 5_000)
    assert try_event(row) == "unknown_payment"
    assert event(row).needs_person
    quiet = arrive("payment.expired", "pay_unknown0000000000000000", 5_000)
    assert try_event(quiet) == "unknown_payment"
    assert not event(quiet).needs_person  # no money has moved
    person = make_person().id
    db.session.commit()
    with pytest.raises(Invalid):
        set_aside(row, person, "x")
    set_aside(row, person, WHY)
    db.session.commit()
    assert standing(dict.fromkeys(REACHES))["events"].count == 0
    trail = text("SELECT details ->> 'reason' FROM audit_events WHERE action = 'payment_event.set_aside'")
    assert db.session.execute(trail).scalar_one() == WHY


def test_an_unknown_kind_is_kept_and_ignored(shop: Shop) -> None:
    taken = placed((shop.batik, 1))
    row = arrive("customer.birthday", taken.payment_id)
    assert try_event(row) == "ignored"
    assert not event(row).needs_person


def test_what_came_is_kept_as_it_came(shop: Shop, db_session: Session) -> None:
    row = arrive("customer.birthday", "x")
    with pytest.raises(Exception, match="stays as it came"):
        db_session.execute(text("UPDATE payment_events SET body = 'x' WHERE id = :id"), {"id": row})
    db_session.rollback()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_events_in_any_order_and_twice_end_the_same(shop: Shop, order: tuple[int, ...]) -> None:
    """Paid, disputed, won, all of it once more, and before and after it a word that the page had expired."""
    taken = paid_there((shop.batik, 1))
    db.session.execute(text("DELETE FROM sandbox_events"))
    db.session.commit()
    disputed = {"id": "dp_1", "amount": taken.amount}
    news: list[tuple[str, dict[str, Any]]] = [
        ("payment.succeeded", {}),
        ("dispute.opened", {"dispute": disputed}),
        ("dispute.won", {"dispute": disputed}),
        ("payment.expired", {}),
    ]
    rows = [arrive(news[n][0], taken.payment_id, taken.amount, **news[n][1]) for n in (3, *order, *order, 3)]
    for _ in range(3):  # what waits is tried again
        for row in rows:
            try_event(row)
    assert [event(row).handled_at is not None for row in rows] == [True] * 8
    assert order_status(taken.order_id)[0] == "paid"
    assert (balance("clearing:sandbox"), balance("disputed:sandbox")) == (taken.amount, 0)
    sources = db.session.scalars(text("SELECT source FROM journal_entries ORDER BY source")).all()
    assert [source.rpartition(":")[2] for source in sources] == ["opened", "won", "captured"]
    assert broken("entries_name_their_fact", "clearing_balance", "disputes_booked", "captures_booked_once") == []


def test_an_event_that_comes_years_late_changes_nothing_twice(shop: Shop, db_session: Session) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    db_session.execute(text("UPDATE sandbox_payments SET created_at = created_at - interval '3 years'"))
    db_session.commit()
    assert try_event(arrive("payment.succeeded", taken.payment_id, taken.amount)) == "already_recorded"
    assert balance("clearing:sandbox") == taken.amount


def given_back(shop: Shop, run_jobs: Callable[[], None]) -> tuple[Taken, int]:
    """A cloth of two that went back through the sandbox: the payment, and the refund."""
    taken = paid_there((shop.batik, 2))
    hear()
    line = db.session.execute(select(OrderLine.id)).scalar_one()
    person = make_person().id
    wish = [LineWish(line, 1, pieces="restock")]
    refund_id = propose(taken.order_id, wish, reason="returned", person_id=person).id
    db.session.commit()
    run_jobs()
    hear()
    return taken, refund_id


def owed() -> dict[str, int]:
    rows = db.session.execute(
        text("SELECT account_code, -sum(amount)::bigint AS amount FROM reporting.ledger_postings"
             " WHERE account_code LIKE 'owed:%' GROUP BY 1")
    )  # fmt: skip
    return {row.account_code: row.amount for row in rows}


def test_a_refund_that_fails_after_it_went_through_is_taken_back(
    shop: Shop, run_jobs: Callable[[], None]
) -> None:
    taken, refund_id = given_back(shop, run_jobs)
    before = {"owed:PKL:premium": 100_000, "owed:PKL:working_capital": 70_000, "owed:PKL:state_revenue": 30_000}
    halved = {code: amount // 2 for code, amount in before.items()}
    assert owed() == halved | {"owed:PKL:shipping": 10_000}
    shelf = text("SELECT on_hand FROM stock_levels WHERE variant_id = :v")
    assert db.session.execute(shelf, {"v": shop.batik.id}).scalar_one() == 4
    fail_refund(db.session.execute(text("SELECT id FROM sandbox_refunds")).scalar_one(), "closed_account")
    db.session.commit()
    assert hear() == ["refund_came_back"]
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    assert (refund.state, refund.failure) == ("failed", "closed_account")
    assert owed() == before | {"owed:PKL:shipping": 10_000}
    assert balance("clearing:sandbox") == taken.amount
    assert order_status(taken.order_id) == ("paid", taken.amount, 0)
    # the piece is with us whatever became of the money
    assert db.session.execute(shelf, {"v": shop.batik.id}).scalar_one() == 4
    assert db.session.scalars(text("SELECT kind FROM messages ORDER BY id")).all()[-1] == "refund_came_back"
    # sent again, it takes the same shares once more and puts no piece back a second time
    try_again(refund_id, make_person().id)
    db.session.commit()
    run_jobs()
    assert hear() == ["refunded"]
    assert owed() == halved | {"owed:PKL:shipping": 10_000}
    assert db.session.execute(shelf, {"v": shop.batik.id}).scalar_one() == 4
    sources = db.session.scalars(text("SELECT source FROM journal_entries WHERE kind = 'refund' ORDER BY id")).all()
    name = f"refund:{refund_id}"
    assert sources == [f"{name}:succeeded", f"{name}:taken_back", f"{name}:succeeded:2"]
    assert broken(
        "refunds_booked_once", "refund_shares_within_shares", "refund_shares_sum_to_the_refund",
        "refunds_debit_the_shares", "entries_name_their_fact", "clearing_balance",
    ) == []  # fmt: skip


def test_money_paid_twice_that_could_not_go_back_is_held_again(shop: Shop, run_jobs: Callable[[], None]) -> None:
    first = paid_there((shop.batik, 1))
    second = open_payment(db.session.get_one(Order, first.order_id)).id
    db.session.commit()
    start_payment(second)
    choose_outcome(second, "succeeded")
    db.session.commit()
    assert hear() == ["paid", "paid_twice"]
    run_jobs()
    assert hear() == ["refunded"]
    assert balance("customers:to_return") == 0
    fail_refund(db.session.execute(text("SELECT id FROM sandbox_refunds")).scalar_one())
    db.session.commit()
    assert hear() == ["refund_came_back"]
    assert balance("customers:to_return") == -first.amount
    assert db.session.execute(select(RefundReturn.number)).scalar_one() == 1
    assert broken("money_to_return", "clearing_balance", "refunds_booked_once") == []


def test_a_failure_that_is_told_before_the_success_stays_a_failure(
    shop: Shop, run_jobs: Callable[[], None]
) -> None:
    taken = paid_there((shop.batik, 2))
    hear()
    line = db.session.execute(select(OrderLine.id)).scalar_one()
    propose(taken.order_id, [LineWish(line, 1)], reason="returned", person_id=make_person().id)
    db.session.commit()
    run_jobs()
    refund_id = db.session.execute(text("SELECT id FROM sandbox_refunds")).scalar_one()
    fail_refund(refund_id)
    # the success is told last
    later = "UPDATE sandbox_events SET created_at = now() + interval '1 s' WHERE type = 'refund.succeeded'"
    db.session.execute(text(later))
    db.session.commit()
    assert hear() == ["refund_failed", "already_failed"]
    assert balance("clearing:sandbox") == taken.amount
    assert broken("refunds_booked_once", "clearing_balance") == []


def test_news_of_a_refund_that_is_told_twice_books_once(shop: Shop, run_jobs: Callable[[], None]) -> None:
    taken, refund_id = given_back(shop, run_jobs)
    assert refund_succeeded(refund_id) == "already_recorded"
    db.session.rollback()
    body = json.loads(
        db.session.execute(text("SELECT body FROM sandbox_events WHERE type = 'refund.succeeded'")).scalar_one()
    )
    db.session.rollback()
    row = arrive("refund.succeeded", taken.payment_id, refund=body["refund"])
    assert try_event(row) == "already_recorded"


def test_trying_an_event_never_raises_into_the_worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    row = arrive("payment.succeeded", "pay_unknown0000000000000000", 1)
    monkeypatch.setattr(event_tries, "handle", lambda _row: 1 / 0)
    assert try_event(row) == "failed"
    assert event(row).last_error == "ZeroDivisionError: division by zero"


def test_a_dispute_takes_a_shipped_order_back_from_its_funds(shop: Shop, db_session: Session) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    db_session.execute(text("UPDATE parcels SET state = 'packed', packed_at = now()"))
    db_session.execute(text("UPDATE parcels SET state = 'shipped', courier = 'JNE', shipped_at = now()"))
    for outcome in ("opened", "lost"):
        dispute(taken.payment_id, outcome)
        db_session.commit()
    assert hear() == ["opened", "lost"]
    assert set(owed().values()) == {0}
    assert order_status(taken.order_id)[0] == "shipped"  # the goods are with the buyer all the same
    assert broken("disputes_booked", "clearing_balance", "disputes_take_what_is_left") == []


def test_an_event_is_tried_again_where_its_failure_could_not_be_noted(
    shop: Shop, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away: the handler raises into the worker, whose job must not end with it."""
    arrive("payment.succeeded", "pay_unknown0000000000000000", 1)
    monkeypatch.setattr("storefront.refunds.tasks.try_event", lambda _row: 1 / 0)
    run_jobs()
    jobs = "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'orders.handle_payment_event'"
    assert db.session.scalars(text(jobs)).all() == ["todo"]
