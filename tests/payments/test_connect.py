"""Working capital that goes to facilities by transfers of the charges it came with, and comes back with refunds."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from stripe import RequestsClient

from storefront import crash_points, days
from storefront.books import (
    attention,
    connected_accounts,
    settle,
    settle_paid,
    transfer_back,
    transfer_send,
    transfer_sweep,
)
from storefront.books.connect_models import FacilityTransfer, TransferReversal
from storefront.books.connected_accounts import TransfersOff
from storefront.books.disputes import record_dispute
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import FeeBearer, Settlement
from storefront.books.settle import MoreThanOwed, Wish
from storefront.books.settle_paid import GoesByTransfer, Paid
from storefront.books.transfer_back import part_to_come_back
from storefront.books.transfer_plan import NotTransferable
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.models import Account, JournalEntry, Posting
from storefront.orders.models import Order
from storefront.payments.gateway import GatewayUnavailable
from storefront.payments.models import Payment, Refund
from storefront.reconciliation import runs
from storefront.reconciliation.compare import explained
from storefront.snapshot import snapshot
from storefront.verify import transferred
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.clones import Clone
from tests.factories import make_paid_order
from tests.money_out import LONG_AGO
from tests.payments.connecting import CAPITAL, Shop, register
from tests.threads import at_once

RunJobs = Callable[[], None]


@pytest.fixture
def app(connect_app: Flask) -> Flask:
    return connect_app


@pytest.fixture(autouse=True)
def nothing_is_held_while_stripe_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks Stripe holds no transaction open, here and in the worker's threads."""
    ask = RequestsClient.request_with_retries

    def watched(self: RequestsClient, *args: Any, **more: Any) -> Any:
        assert not db.session().in_transaction(), f"a transaction is open during {args[:2]}"
        return ask(self, *args, **more)

    monkeypatch.setattr(RequestsClient, "request_with_retries", watched)


def entry(source: str) -> dict[str, int]:
    """The postings of an entry by account."""
    rows = db.session.execute(
        select(Account.code, Posting.amount)
        .join(Posting, Posting.account_id == Account.id)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.source == source)
    )
    return {row.code: row.amount for row in rows}


def transfers() -> list[FacilityTransfer]:
    db.session.expire_all()
    return list(db.session.scalars(select(FacilityTransfer).order_by(FacilityTransfer.id)))


def reversals() -> list[TransferReversal]:
    db.session.expire_all()
    return list(db.session.scalars(select(TransferReversal).order_by(TransferReversal.id)))


def state_of(settlement_id: int) -> str:
    db.session.expire_all()
    return db.session.get_one(Settlement, settlement_id).state


def broken() -> dict[str, Any]:
    """The promises that do not hold, with the rows that break them."""
    db.session.rollback()
    with snapshot(db.engine) as connection:
        return {f.invariant.name: f.rows for f in check(connection, INVARIANTS) if not f.holds}


def reconciled() -> None:
    """Compared with Stripe's own books, the clearing account is explained to the rupiah, and every promise holds."""
    run = runs.ask("stripe", None)
    db.session.commit()
    assert runs.run(run.id) == "done"
    sums = explained("stripe")
    differences = text("SELECT what, theirs, ours FROM reconciliation_differences WHERE state = 'open'")
    assert db.session.execute(differences).all() == []
    assert (sums.unexplained, sums.differences, sums.not_compared, sums.under_way) == (0, 0, 0, 0)
    assert sums.ours == sums.theirs
    assert not [row for row in attention.gateway_balances() if row.difference]
    assert broken() == {}


# ── made once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_working_capital_goes_from_the_charge_to_the_facility(shop: Shop, run_jobs: RunJobs) -> None:
    order_id = shop.buy()
    held = balance("clearing:stripe")
    settlement_id = shop.approved()
    assert [(t.state, t.amount) for t in transfers()] == [("planned", CAPITAL)]
    assert shop.there() == 0, "nobody waits for Stripe while a form is answered"
    run_jobs()
    (made,) = transfers()
    assert (made.state, made.attempt, made.reversed) == ("made", 1, 0)
    assert shop.there() == CAPITAL
    assert entry(f"settlement:{settlement_id}:transfer:{made.id}") == {
        "owed:PKL:working_capital": CAPITAL, "clearing:stripe": -CAPITAL,
    }  # fmt: skip
    assert balance("clearing:stripe") == held - CAPITAL
    paid = db.session.get_one(Settlement, settlement_id)
    assert (paid.state, paid.transferred, paid.paid_on) == ("paid", CAPITAL, days.today())
    there = shop.fake.tell("object", id=made.reference)
    number = db.session.get_one(Order, order_id).number
    assert there["transfer_group"] == number
    assert there["metadata"] == {
        "key": made.key, "payment": made.payment_id, "order": number, "facility": "PKL",
        "settlement": str(settlement_id),
    }  # fmt: skip
    reconciled()


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "fail"])
def test_a_lost_answer_makes_no_second_transfer(shop: Shop, fault: str) -> None:
    shop.buy()
    settlement_id = shop.approved()
    shop.fake.tell("faults", faults=[{"kind": fault, "path": "/transfers", "method": "POST", "times": 3}])
    with pytest.raises(GatewayUnavailable):
        transfer_send.send_transfers(settlement_id)
    shop.fake.tell("faults", faults=[])
    assert state_of(settlement_id) == "approved"
    db.session.rollback()
    transfer_send.send_transfers(settlement_id)
    transfer_send.send_transfers(settlement_id)
    assert (state_of(settlement_id), shop.there()) == ("paid", CAPITAL)
    reconciled()


class Killed(BaseException):
    """What dying is, within one process."""


@pytest.mark.parametrize("point", ["transfer.after_provider", "transfer.after_commit"])
def test_a_job_that_was_killed_is_repeated(shop: Shop, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    shop.buy()
    settlement_id = shop.approved()
    die_at(monkeypatch, point, lambda: transfer_send.send_transfers(settlement_id))
    transfer_send.send_transfers(settlement_id)
    assert (state_of(settlement_id), shop.there()) == ("paid", CAPITAL)
    assert len(transfers()) == 1
    reconciled()


def die_at(monkeypatch: pytest.MonkeyPatch, point: str, step: Callable[[], Any]) -> None:
    """The process of a step dies at `point`."""

    def die() -> None:
        raise Killed

    monkeypatch.setattr(crash_points, "end", die)
    monkeypatch.setattr(crash_points, "chosen", point)
    db.session.rollback()
    with pytest.raises(Killed):
        step()
    monkeypatch.setattr(crash_points, "chosen", None)
    db.session.rollback()
    db.session.expunge_all()


def test_reconciliation_books_what_a_dead_job_had_made(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = shop.buy()
    settlement_id = shop.approved()
    die_at(monkeypatch, "transfer.after_provider", lambda: transfer_send.send_transfers(settlement_id))
    reconciled()
    assert state_of(settlement_id) == "paid"
    shop.give_back(order_id)
    (back,) = reversals()
    back_id = back.id
    die_at(monkeypatch, "reversal.after_provider", lambda: transfer_back.reverse_transfer(back_id))
    stripe_knows_no_refund(shop, order_id)
    assert reversals()[0].state == "made"


def stripe_knows_no_refund(shop: Shop, order_id: int) -> None:
    """Compared with Stripe, whose books lack the refund alone that `give_back` only said."""
    run = runs.ask("stripe", None)
    db.session.commit()
    assert runs.run(run.id) == "done"
    open_ones = db.session.execute(text("SELECT what FROM reconciliation_differences WHERE state = 'open'"))
    refunded = db.session.scalars(select(Refund.amount).where(Refund.order_id == order_id)).all()
    assert [row.what for row in open_ones] == ["entry"] * len(refunded)
    given = sum(refunded)
    sums = explained("stripe")
    assert (sums.unexplained, sums.not_compared, sums.differences) == (0, 0, -given)
    assert not [row for row in attention.gateway_balances() if row.difference]
    assert broken() == {}


def test_the_job_twice_at_once_transfers_once(shop: Shop, app: Flask) -> None:
    shop.buy()
    settlement_id = shop.approved()
    db.session.rollback()

    def send() -> None:
        with app.app_context():
            transfer_send.send_transfers(settlement_id)

    assert at_once([send, send]) == [None, None]
    assert (state_of(settlement_id), shop.there()) == ("paid", CAPITAL)
    assert len(entry(f"settlement:{settlement_id}:transfer:{transfers()[0].id}")) == 2


def test_what_has_waited_for_an_hour_is_asked_for_again(
    shop: Shop, run_jobs: RunJobs, database: Clone, switched_off: Callable[[], None]
) -> None:
    order_id = shop.buy()
    settlement_id = shop.approved()
    lose_jobs(database)
    assert transfer_sweep.ask_again() == 1
    db.session.commit()
    run_jobs()
    assert state_of(settlement_id) == "paid"
    shop.give_back(order_id)
    assert transfer_sweep.ask_again() == 0, "too young to be lost"
    shop.buy()
    shop.approved(35_000)
    lose_jobs(database)
    switched_off()
    assert transfer_sweep.ask_again() == 1, "what must come back, and no new transfer"
    db.session.commit()
    run_jobs()
    assert [back.state for back in reversals()] == ["made"]


def lose_jobs(database: Clone) -> None:
    """Every job is gone, and what was planned has waited for an hour."""
    db.session.rollback()
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM procrastinate_jobs")
        for table in ("facility_transfers", "transfer_reversals"):
            connection.execute(f"UPDATE {table} SET planned_at = planned_at - interval '61 minutes'")  # type: ignore[call-overload]


# ── how much, and of what ─────────────────────────────────────────────────────────────────────────────────


def test_the_oldest_charges_go_first_each_up_to_its_capital(shop: Shop) -> None:
    batik = shop.books.shop.batik
    orders = [shop.buy((batik, 1)) for _ in range(3)]
    shop.sent(50_000)
    of_order = dict(db.session.execute(select(Payment.order_id, Payment.id)).all())
    assert [(t.payment_id, t.amount) for t in transfers()] == [
        (of_order[orders[0]], 35_000), (of_order[orders[1]], 15_000),
    ]  # fmt: skip
    shop.sent(55_000)
    assert sorted(t.amount for t in transfers()[2:]) == [20_000, 35_000]
    assert (shop.there(), balance("owed:PKL:working_capital")) == (105_000, 0)
    reconciled()


def test_what_did_not_come_by_stripe_is_paid_by_bank_as_before(shop: Shop) -> None:
    shop.buy()
    make_paid_order((shop.books.shop.batik, 1))  # in the sandbox
    db.session.commit()
    by_transfer, by_bank = shop.proposed(CAPITAL + 35_000)
    assert (by_transfer.goes_by_transfer, by_transfer.amount) == (True, CAPITAL)
    assert (by_bank.goes_by_transfer, by_bank.amount) == (False, 35_000)
    settle.approve([by_transfer.id, by_bank.id], shop.books.second)
    db.session.commit()
    transfer_send.send_transfers(by_transfer.id)
    settle_paid.mark_paid(Paid(by_bank.id, "TRX-1", days.today()), shop.books.first)
    db.session.commit()
    assert balance("owed:PKL:working_capital") == 0
    assert broken() == {}


def test_other_funds_shipping_and_facilities_without_an_account_go_by_bank(shop: Shop) -> None:
    shop.buy((shop.books.shop.batik, 1), (shop.books.shop.honey, 1))
    funds = shop.books.funds
    found = settle.propose(
        [
            Wish(shop.books.pekalongan, funds["premium"], 10),
            Wish(shop.books.pekalongan, None, 10),
            Wish(shop.books.ambon, funds["working_capital"], 10),
        ],
        person_id=shop.books.first,
    )
    assert not any(settlement.goes_by_transfer for settlement in found)


def test_what_was_settled_by_bank_took_the_oldest_sales(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    batik = shop.books.shop.batik
    with monkeypatch.context() as earlier:
        earlier.setattr("storefront.payments.connect.is_on", lambda: False)
        shop.buy((batik, 1))
        (by_bank,) = shop.proposed(35_000)
        settle.approve([by_bank.id], shop.books.second)
        settle_paid.mark_paid(Paid(by_bank.id, "TRX-1", days.today()), shop.books.first)
        db.session.commit()
    second = shop.buy((batik, 1))
    with pytest.raises(MoreThanOwed):
        shop.proposed(35_001)
    shop.sent(35_000)
    (made,) = transfers()
    assert db.session.get_one(Payment, made.payment_id).order_id == second
    reconciled()


def test_a_fee_that_the_fund_bears_is_not_transferred(shop: Shop, run_jobs: RunJobs) -> None:
    db.session.add(
        FeeBearer(
            fund_id=shop.books.funds["working_capital"], valid_from=days.today(), legal_basis="SK-1/2026",
            proposed_by=shop.books.first, approved_by=shop.books.second, approved_at=func.now(),
        )
    )  # fmt: skip
    order_id = shop.buy()
    fee = db.session.scalars(select(Payment.fee).where(Payment.order_id == order_id)).one()
    assert fee
    with pytest.raises(MoreThanOwed):
        shop.proposed(CAPITAL - fee + 1)
    db.session.rollback()
    shop.sent(CAPITAL - fee)
    assert shop.there() == CAPITAL - fee
    shop.give_back(order_id)
    run_jobs()
    # Half of the capital was taken; the whole fee is still borne.
    assert shop.there() == 35_000 - fee
    assert broken() == {}
    shop.give_back(order_id)
    run_jobs()
    assert shop.there() == 0
    assert broken() == {}


def test_two_proposals_at_once_never_transfer_the_same_rupiah(shop: Shop, app: Flask) -> None:
    shop.buy()

    def propose() -> int:
        with app.app_context():
            (found,) = settle.propose([shop.wish(CAPITAL)], person_id=shop.books.first)
            db.session.commit()
            return found.id

    db.session.rollback()
    answers = at_once([propose, propose])
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert sum(isinstance(answer, MoreThanOwed) for answer in answers) == 1


def test_two_settlements_approved_at_once_share_the_charges(shop: Shop, app: Flask) -> None:
    batik = shop.books.shop.batik
    for _ in range(2):
        shop.buy((batik, 1))
    ids = [found.id for _ in range(2) for found in shop.proposed(35_000)]
    db.session.rollback()

    def approve(settlement_id: int) -> Callable[[], None]:
        def call() -> None:
            with app.app_context():
                settle.approve([settlement_id], shop.books.second)
                db.session.commit()
                transfer_send.send_transfers(settlement_id)

        return call

    assert at_once([approve(one) for one in ids]) == [None, None]
    assert [state_of(one) for one in ids] == ["paid", "paid"]
    assert (shop.there(), len({t.payment_id for t in transfers()})) == (70_000, 2)
    reconciled()


def test_the_database_refuses_more_than_the_capital(shop: Shop, db_session: Session) -> None:
    shop.buy()
    settlement_id = shop.approved(10_000)
    payment_id = transfers()[0].payment_id
    for change in (
        "INSERT INTO facility_transfers (settlement_id, payment_id, amount, key) VALUES (:s, :p, 60001, 'x')",
        "UPDATE facility_transfers SET amount = amount - 1",
        "DELETE FROM facility_transfers",
        "UPDATE facility_transfers SET state = 'made'",
        "UPDATE facility_transfers SET reversed = 1",
        "INSERT INTO transfer_reversals (transfer_id, source, amount, key)"
        " SELECT id, 'refund:1:1', amount + 1, 'y' FROM facility_transfers",
    ):
        with pytest.raises(DBAPIError):
            db_session.execute(text(change), {"s": settlement_id, "p": payment_id})
        db_session.rollback()


# ── refunds ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_refunded_before_is_not_transferred(shop: Shop) -> None:
    order_id = shop.buy()
    shop.give_back(order_id)
    with pytest.raises(MoreThanOwed):
        shop.proposed(CAPITAL)
    db.session.rollback()
    shop.sent(35_000)
    assert shop.there() == 35_000
    assert reversals() == []


def test_a_refund_between_proposal_and_approval_is_seen(shop: Shop) -> None:
    order_id = shop.buy()
    make_paid_order((shop.books.shop.batik, 1))
    db.session.commit()
    (found, _by_bank) = shop.proposed(CAPITAL + 1)
    shop.give_back(order_id)
    with pytest.raises((MoreThanOwed, NotTransferable)):
        settle.approve([found.id], shop.books.second)


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_refund_takes_the_transfer_back_in_proportion(shop: Shop, run_jobs: RunJobs, pieces: int) -> None:
    order_id = shop.buy()
    settlement_id = shop.sent()
    refund_id = shop.give_back(order_id, pieces)
    taken = 35_000 * pieces
    assert balance("receivable:PKL:working_capital") == taken
    held = balance("clearing:stripe")
    run_jobs()
    (back,) = reversals()
    assert (back.state, back.amount, back.source) == ("made", taken, f"refund:{refund_id}:1")
    assert entry(f"settlement:{settlement_id}:transfer:{back.transfer_id}:reversed:{back.id}") == {
        "clearing:stripe": taken, "receivable:PKL:working_capital": -taken,
    }  # fmt: skip
    assert balance("receivable:PKL:working_capital") == 0
    assert balance("clearing:stripe") == held + taken
    assert transfers()[0].reversed == taken
    assert shop.there() == CAPITAL - taken
    stripe_knows_no_refund(shop, order_id)


def test_many_small_refunds_end_with_nothing_there(shop: Shop, run_jobs: RunJobs) -> None:
    tempeh = shop.books.shop.tempeh
    order_id = shop.buy((tempeh, 7))
    shop.sent(20_000)
    for _ in range(7):
        shop.give_back(order_id)
        run_jobs()
    assert (shop.there(), transfers()[0].reversed) == (0, 20_000)
    assert broken() == {}


def test_a_part_that_was_transferred_comes_back_in_part(shop: Shop, run_jobs: RunJobs) -> None:
    order_id = shop.buy()
    shop.sent(40_000)
    shop.give_back(order_id)
    run_jobs()
    assert shop.there() == 20_000
    # The rest of the 35,000 of capital that are left can still be settled.
    assert balance("owed:PKL:working_capital") == -15_000
    shop.sent(15_000)
    assert shop.there() == 35_000
    stripe_knows_no_refund(shop, order_id)


def test_a_refund_while_the_transfer_is_on_its_way_comes_back_after_it(shop: Shop, run_jobs: RunJobs) -> None:
    order_id = shop.buy()
    settlement_id = shop.approved()
    shop.give_back(order_id)
    (back,) = reversals()
    assert transfer_back.reverse_transfer(back.id) == "waits"
    run_jobs()
    run_jobs()
    assert (state_of(settlement_id), reversals()[0].state) == ("paid", "made")
    assert shop.there() == 35_000
    assert balance("receivable:PKL:working_capital") == balance("owed:PKL:working_capital") == 0
    assert broken() == {}


def test_a_lost_dispute_takes_the_transfer_back(shop: Shop, run_jobs: RunJobs) -> None:
    order_id = shop.buy()
    shop.sent()
    payment = db.session.scalars(select(Payment).where(Payment.order_id == order_id)).one()
    dispute = shop.fake.tell("disputes/open", intent=payment.capture_reference)["id"]
    record_dispute(payment.id, dispute, payment.amount, "opened")
    db.session.commit()
    assert reversals() == [], "the bank has not decided"
    shop.fake.tell("disputes/close", dispute=dispute, outcome="lost")
    record_dispute(payment.id, dispute, payment.amount, "lost")
    db.session.commit()
    run_jobs()
    (back,) = reversals()
    assert (back.state, back.amount) == ("made", CAPITAL)
    assert shop.there() == 0
    reconciled()


def test_nothing_of_a_disputed_payment_is_transferred(shop: Shop) -> None:
    order_id = shop.buy()
    payment = db.session.scalars(select(Payment).where(Payment.order_id == order_id)).one()
    record_dispute(payment.id, "du_1", payment.amount, "opened")
    db.session.commit()
    (found,) = shop.proposed(CAPITAL)
    assert not found.goes_by_transfer


def test_a_reversal_whose_answer_was_lost_happens_once(shop: Shop) -> None:
    order_id = shop.buy()
    shop.sent()
    shop.give_back(order_id)
    (back,) = reversals()
    back_id = back.id
    db.session.rollback()
    shop.fake.tell(
        "faults", faults=[{"kind": "drop_after", "path": "/reversals", "method": "POST", "times": 3}]
    )
    with pytest.raises(GatewayUnavailable):
        transfer_back.reverse_transfer(back_id)
    shop.fake.tell("faults", faults=[])
    assert transfer_back.reverse_transfer(back_id) == "made"
    assert transfer_back.reverse_transfer(back_id) == "waits"
    assert shop.there() == 35_000
    stripe_knows_no_refund(shop, order_id)


def test_an_empty_account_leaves_the_receivable_until_it_has_money(shop: Shop) -> None:
    order_id = shop.buy()
    shop.sent()
    shop.fake.tell("accounts/empty", account=shop.account)
    shop.give_back(order_id)
    (back,) = reversals()
    back_id = back.id
    db.session.rollback()
    assert transfer_back.reverse_transfer(back_id) == "short"
    (back,) = reversals()
    assert (back.state, back.failure, back.attempt) == ("planned", "balance_insufficient", 2)
    assert balance("receivable:PKL:working_capital") == 35_000
    stripe_knows_no_refund(shop, order_id)
    # Another sale's capital arrives there, so Stripe can take the money back.
    shop.buy()
    owed = -balance("owed:PKL:working_capital") - balance("receivable:PKL:working_capital")
    assert owed == CAPITAL - 35_000
    shop.sent(owed)
    assert balance("receivable:PKL:working_capital") == 0, "the settlement took it in"
    db.session.rollback()
    assert transfer_back.reverse_transfer(back_id) == "made"
    # It came back twice, so it is owed again.
    assert balance("owed:PKL:working_capital") == -35_000
    assert broken() == {}


def test_a_reversal_that_stripe_refuses_stays_a_receivable_and_is_shown(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = shop.buy()
    shop.sent()
    shop.fake.tell("accounts/empty", account=shop.account)
    shop.give_back(order_id)
    (back,) = reversals()
    back_id = back.id
    db.session.rollback()
    monkeypatch.setattr(transfer_back, "PATIENCE", transfer_back.PATIENCE * 0)
    assert transfer_back.reverse_transfer(back_id) == "failed"
    assert reversals()[0].state == "failed"
    assert balance("receivable:PKL:working_capital") == 35_000
    transfer_back.try_again(back_id, shop.books.first)
    db.session.commit()
    assert reversals()[0].state == "planned"
    assert broken() == {}


# ── what Stripe refuses ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def refused(shop: Shop) -> tuple[int, int]:
    """Two transfers, of which Stripe refused the second; the settlement's id and the second's."""
    batik = shop.books.shop.batik
    for _ in range(2):
        shop.buy((batik, 1))
    settlement_id = shop.approved(70_000)
    second = transfers()[1]
    charge = shop.fake.tell("object", id=db.session.get_one(Payment, second.payment_id).capture_reference)[
        "latest_charge"
    ]
    # Somebody has passed the whole charge on, in Stripe's own pages.
    amount = shop.fake.tell("object", id=charge)["amount"]
    elsewhere = shop.fake.tell("accounts/open")["id"]
    shop.fake.tell(
        "transfers/make", destination=elsewhere, source_transaction=charge, amount=amount, currency="idr"
    )
    second_id = second.id
    db.session.rollback()
    transfer_send.send_transfers(settlement_id)
    return settlement_id, second_id


def test_a_refused_transfer_is_shown_and_can_be_left(shop: Shop, refused: tuple[int, int]) -> None:
    settlement_id, second_id = refused
    assert [(t.state, t.failure) for t in transfers()] == [("made", ""), ("failed", "invalid_request")]
    assert state_of(settlement_id) == "approved"
    with pytest.raises(Decided):
        settle.reject(settlement_id, shop.books.first)
    db.session.rollback()
    transfer_send.drop(second_id, shop.books.first)
    db.session.commit()
    paid = db.session.get_one(Settlement, settlement_id)
    assert (paid.state, paid.amount, paid.transferred) == ("paid", 70_000, 35_000)
    assert balance("owed:PKL:working_capital") == -35_000, "what did not go is owed as before"
    assert settle.sum_in(shop.books.pekalongan, shop.books.funds["working_capital"], settle.PENDING) == 0
    assert broken() == {}


def test_a_refused_transfer_can_be_tried_again(shop: Shop, run_jobs: RunJobs) -> None:
    shop.buy()
    closed = str(shop.fake.tell("accounts/open", can_receive=False)["id"])
    register(shop.books, shop.books.pekalongan, closed, valid_from=days.today())
    db.session.commit()
    settlement_id = shop.sent()
    (refused,) = transfers()
    assert (refused.state, refused.failure) == ("failed", "insufficient_capabilities_for_transfer")
    shop.fake.tell("accounts/allow", account=closed)
    transfer_send.try_again(refused.id, shop.books.first)
    db.session.commit()
    run_jobs()
    assert (state_of(settlement_id), transfers()[0].attempt) == ("paid", 2)
    reconciled()


def test_a_charge_whose_money_went_to_our_bank_before_is_shown(shop: Shop, run_jobs: RunJobs) -> None:
    shop.buy()
    shop.fake.tell("balance", is_paid_out=True)
    settlement_id = shop.sent()
    (refused,) = transfers()
    assert (refused.state, refused.failure) == ("failed", "own_balance_insufficient")
    shop.fake.tell("balance", is_paid_out=False)
    transfer_send.try_again(refused.id, shop.books.first)
    db.session.commit()
    run_jobs()
    assert state_of(settlement_id) == "paid"
    reconciled()


def test_a_transfer_whose_capital_was_taken_back_meanwhile_is_still_right(
    shop: Shop, run_jobs: RunJobs
) -> None:
    order_id = shop.buy()
    shop.fake.tell("balance", is_paid_out=True)
    settlement_id = shop.sent()
    shop.give_back(order_id)
    shop.fake.tell("balance", is_paid_out=False)
    transfer_send.try_again(transfers()[0].id, shop.books.first)
    db.session.commit()
    run_jobs()
    run_jobs()
    assert (state_of(settlement_id), shop.there()) == ("paid", 35_000)
    assert broken() == {}


def test_a_settlement_of_which_nothing_went_is_turned_down(shop: Shop) -> None:
    order_id = shop.buy()
    closed = str(shop.fake.tell("accounts/open", can_receive=False)["id"])
    register(shop.books, shop.books.pekalongan, closed, valid_from=days.today())
    db.session.commit()
    settlement_id = shop.sent()
    shop.give_back(order_id)
    transfer_send.drop(transfers()[0].id, shop.books.first)
    db.session.commit()
    assert (state_of(settlement_id), [r.state for r in reversals()]) == ("rejected", ["dropped"])
    assert balance("owed:PKL:working_capital") == -35_000
    assert broken() == {}


def test_transfers_are_not_written_down_or_undone_by_hand(shop: Shop) -> None:
    shop.buy()
    settlement_id = shop.approved()
    with pytest.raises(GoesByTransfer):
        settle_paid.mark_paid(Paid(settlement_id, "TRX-1", days.today()), shop.books.first)
    db.session.rollback()
    transfer_send.send_transfers(settlement_id)
    with pytest.raises(GoesByTransfer):
        settle_paid.reverse(
            settlement_id, on=days.today(), reason="Salah transfer.", person_id=shop.books.second
        )


# ── off ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def switched_off(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def switch() -> None:
        monkeypatch.setattr("storefront.payments.connect.is_on", lambda: False)
        monkeypatch.setattr(transfer_send, "is_on", lambda: False)
        monkeypatch.setattr(transfer_sweep, "is_on", lambda: False)

    return switch


def test_while_it_is_off_everything_goes_by_bank(shop: Shop, switched_off: Callable[[], None]) -> None:
    shop.buy()
    switched_off()
    (found,) = shop.proposed()
    assert not found.goes_by_transfer
    assert found.bank_account_id


def test_switched_off_after_the_proposal_nothing_is_approved(
    shop: Shop, switched_off: Callable[[], None]
) -> None:
    shop.buy()
    (found,) = shop.proposed()
    switched_off()
    with pytest.raises(TransfersOff):
        settle.approve([found.id], shop.books.second)


def test_switched_off_after_the_approval_nothing_is_sent_but_refunds_come_back(
    shop: Shop, switched_off: Callable[[], None], run_jobs: RunJobs
) -> None:
    first = shop.buy()
    shop.sent()
    shop.buy()
    waiting = shop.approved()
    switched_off()
    shop.give_back(first)
    run_jobs()
    assert state_of(waiting) == "approved"
    assert (shop.there(), [r.state for r in reversals()]) == (35_000, ["made"])


# ── four eyes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_registers_their_own_account(shop: Shop, db_session: Session) -> None:
    found = connected_accounts.propose(
        shop.books.ambon, account="acct_ambon12345", permission_letter="S-8", valid_from=LONG_AGO,
        person_id=shop.books.first,
    )  # fmt: skip
    found_id = found.id
    db_session.commit()
    with pytest.raises(FourEyes):
        connected_accounts.approve(found_id, shop.books.first)
    db_session.rollback()
    for change in (
        "approved_by = proposed_by, approved_at = now()",
        "account = 'acct_another1234'",
        "approved_by = NULL, approved_at = now()",
    ):
        with pytest.raises(DBAPIError):
            db_session.execute(
                text(f"UPDATE connected_accounts SET {change} WHERE id = :id"), {"id": found_id}
            )
        db_session.rollback()


@pytest.mark.parametrize(
    "account", ["", "acct_", "acct_ü1234567", "ba_12345678", "acct_1234567\n", "acct_12 345678"]
)
def test_an_account_looks_like_one(shop: Shop, account: str) -> None:
    with pytest.raises(Invalid) as refusal:
        connected_accounts.propose(
            shop.books.ambon, account=account, permission_letter="S-8", valid_from=LONG_AGO,
            person_id=shop.books.first,
        )  # fmt: skip
    assert list(refusal.value.errors) == ["account"]


def test_an_account_belongs_to_one_facility(shop: Shop) -> None:
    with pytest.raises(Invalid):
        register(shop.books, shop.books.ambon, shop.account)


def test_a_new_account_ends_the_one_before_it(shop: Shop, db_session: Session) -> None:
    new = register(shop.books, shop.books.pekalongan, "acct_newone1234", valid_from=days.today())
    db_session.commit()
    found = connected_accounts.find_in_force(shop.books.pekalongan, days.today())
    assert found is not None
    assert found.id == new
    with pytest.raises(DBAPIError):
        db_session.execute(text("UPDATE connected_accounts SET valid_to = NULL"))


def test_an_end_takes_two_people(shop: Shop, db_session: Session) -> None:
    shop.buy()
    shop.sent()
    account = connected_accounts.find_in_force(shop.books.pekalongan, days.today())
    assert account is not None
    account_id = account.id
    yesterday = days.today() - datetime.timedelta(days=1)
    with pytest.raises(Invalid):
        connected_accounts.propose_end(account_id, yesterday, shop.books.first)
    connected_accounts.propose_end(account_id, days.today(), shop.books.first)
    db_session.commit()
    with pytest.raises(FourEyes):
        connected_accounts.approve_end(account_id, shop.books.first)
    db_session.rollback()
    connected_accounts.approve_end(account_id, shop.books.second)
    db_session.commit()
    assert (
        connected_accounts.find_in_force(shop.books.pekalongan, days.today() + datetime.timedelta(days=1))
        is None
    )


#: What breaks each promise about transfers.
BREAKS = (
    ("transfers_booked_once", "UPDATE facility_transfers SET amount = amount - 1"),
    ("transfers_booked_once", "UPDATE transfer_reversals SET amount = amount + 1"),
    ("transfers_booked_once", "UPDATE journal_entries SET source = source || 'x' WHERE source LIKE '%:transfer:%'"),
    ("transfers_are_their_settlement", "UPDATE settlements SET transferred = transferred - 1"),
    ("transfers_are_their_settlement", "UPDATE facility_transfers SET state = 'planned', reference = NULL,"
     " made_at = NULL, reversed = 0"),
    ("transfers_within_capital", "UPDATE transfer_reversals SET state = 'dropped', reference = NULL, made_at = NULL"),
    ("reversals_add_up", "UPDATE facility_transfers SET reversed = reversed + 1"),
    ("connected_accounts_decided_by_two", "ALTER TABLE connected_accounts DROP CONSTRAINT connected_accounts_check;"
     " UPDATE connected_accounts SET approved_by = proposed_by"),
)  # fmt: skip


def test_every_promise_about_transfers_can_fail(shop: Shop, run_jobs: RunJobs, database: Clone) -> None:
    order_id = shop.buy()
    shop.sent()
    shop.give_back(order_id)
    run_jobs()
    db.session.rollback()
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        for name, statement in BREAKS:
            connection.execute("SET LOCAL session_replication_role = replica")
            assert not [f for f in check(connection, transferred.INVARIANTS) if not f.holds]
            connection.execute(statement)  # type: ignore[call-overload]
            assert name in {
                f.invariant.name for f in check(connection, transferred.INVARIANTS) if not f.holds
            }
            connection.rollback()
    assert {name for name, _ in BREAKS} == {invariant.name for invariant in transferred.INVARIANTS}


# ── the sum of it ─────────────────────────────────────────────────────────────────────────────────────────


@given(
    capital=st.integers(1, 10**9),
    part=st.integers(0, 100),
    fee=st.integers(0, 10**6),
    steps=st.lists(st.integers(1, 10**9), max_size=8),
)
def test_no_more_stays_there_than_the_capital_that_is_left(
    capital: int, part: int, fee: int, steps: list[int]
) -> None:
    fee = min(fee, capital)
    there = (capital - fee) * part // 100
    left = capital
    for step in steps:
        taken = min(step, left)
        if not taken:
            break
        back = part_to_come_back(there, taken, left, left - taken - fee)
        assert 0 <= back <= there
        there, left = there - back, left - taken
        assert there <= max(0, left - fee)
    if not left:
        assert there == 0
