"""What the provider says and what we believe are compared day by day; what webhooks missed heals, the rest is shown."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import bank_accounts
from storefront.books.payouts import record_payout
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.book import Leg, book, books_difference, clearing
from storefront.orders.views import order_status
from storefront.payments.gateway import GatewayUnavailable, gateway
from storefront.payments.models import Payment
from storefront.payments.sandbox_books import dispute, fail_refund, pay_out
from storefront.reconciliation import runs
from storefront.reconciliation.models import ReconciledDay
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import propose
from storefront.snapshot import snapshot
from storefront.verify.invariant import check
from storefront.verify.reconciled import INVARIANTS
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import Shop, open_shop
from tests.taking import differences, hear, holds, paid_there, placed, reconciled
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def broken() -> dict[str, object]:
    with snapshot(db.engine) as connection:
        return {f.invariant.name: f.rows for f in check(connection, INVARIANTS) if not f.holds}


def entries() -> list[str]:
    """Sources of all journal entries, by kind of fact."""
    return sorted(db.session.scalars(text("SELECT split_part(source, ':', 3) FROM journal_entries")).all())


def test_a_missed_webhook_heals(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 2), fee=4_000)
    run = reconciled()
    assert (run.state, run.events, run.found) == ("done", 1, 0)
    assert order_status(taken.order_id)[0] == "paid"
    # its word came by the same inbox as a webhook would have brought it
    assert db_session.scalars(text("SELECT result FROM payment_events")).all() == ["paid"]
    found = holds()
    assert (found.ours, found.theirs) == (taken.amount - 4_000, taken.amount - 4_000)
    assert broken() == {}


def test_an_open_payment_is_asked_about_though_no_event_speaks_of_it(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    db_session.execute(text("DELETE FROM sandbox_events"))
    db_session.execute(text("UPDATE payments SET created_at = now() - interval '10 minutes'"))
    db_session.commit()
    run = reconciled()
    assert (run.events, run.healed) == (0, 1)
    assert order_status(taken.order_id)[0] == "paid"
    assert holds().ours == taken.amount


def test_a_line_alone_heals_an_order_that_had_expired(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    db_session.execute(text("DELETE FROM sandbox_events"))
    db_session.execute(text("UPDATE payments SET state = 'expired'"))
    db_session.commit()
    assert reconciled().healed == 1
    assert db_session.get_one(Payment, taken.payment_id, populate_existing=True).counts
    assert differences() == []


def test_every_kind_of_movement_is_found_in_our_books(
    db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    person = make_person().id
    kept, disputed = paid_there((shop.batik, 2), fee=3_000), paid_there((shop.honey, 1))
    hear()
    line = db_session.execute(
        text("SELECT id FROM order_lines WHERE order_id = :id"), {"id": kept.order_id}
    ).scalar_one()
    propose(kept.order_id, [LineWish(line, 1)], reason="returned", person_id=person)
    db_session.commit()
    run_jobs()
    dispute(disputed.payment_id, "opened")
    db_session.commit()
    run = reconciled()
    assert (run.state, run.found) == ("done", 0), [vars(d) for d in differences()]
    assert entries() == ["captured", "captured", "fee", "opened", "succeeded"]
    found = holds()
    assert found.ours == found.theirs == kept.amount - 3_000 - 100_000
    unlinked = db_session.scalar(
        text("SELECT count(*) FROM provider_lines WHERE entry_id IS NULL OR (fee <> 0 AND fee_entry_id IS NULL)")
    )
    assert unlinked == 0
    assert broken() == {}


def test_a_payout_that_the_provider_tells_of_is_written_down_though_less_is_left(
    db_session: Session, shop: Shop
) -> None:
    taken = paid_there((shop.batik, 2))
    hear()
    sent = pay_out()
    assert sent is not None
    payout = {"gateway": "sandbox", "reference": sent.id, "amount": sent.amount, "arrived_on": days.today()}
    first, second = make_person().id, make_person().id
    account = bank_accounts.propose(
        None, bank="Bank Contoh", number="1110001112", holder="RPL Contoh", permission_letter="S-12",
        valid_from=datetime.date(2020, 1, 1), person_id=first,
    )  # fmt: skip
    bank_accounts.approve(account.id, second)
    db_session.commit()
    # What came in lay there already; the payer's bank takes it back from what comes next.
    dispute(taken.payment_id, "opened")
    db_session.commit()
    hear()
    with pytest.raises(Invalid):
        record_payout(**payout, person_id=first)  # type: ignore[arg-type]
    db_session.rollback()
    assert reconciled().found == 0
    with pytest.raises(Invalid):
        record_payout(**payout | {"amount": sent.amount + 1}, person_id=first)  # type: ignore[arg-type]
    record_payout(**payout, person_id=first)  # type: ignore[arg-type]
    db_session.commit()
    assert reconciled().found == 0
    found = holds()
    assert (found.ours, found.theirs, found.under_way) == (-taken.amount, -taken.amount, 0)
    assert broken() == {}


def test_a_payout_is_under_way_until_the_bank_shows_it(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    pay_out()
    db_session.commit()
    assert reconciled().found == 0
    found = holds()
    assert (found.ours, found.theirs, found.under_way) == (taken.amount, 0, taken.amount)
    assert broken() == {}


def test_a_payout_that_never_arrived_is_shown(
    db_session: Session, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    pay_out()
    db_session.commit()
    reconciled()
    later = days.today() + datetime.timedelta(days=7)
    monkeypatch.setattr(days, "today", lambda: later)
    assert reconciled().found == 1
    (missing,) = differences()
    assert (missing.what, missing.theirs, missing.ours) == ("amount", -taken.amount, None)
    holds()


def test_what_the_provider_does_not_know_is_shown_and_nothing_is_changed(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    book("invented:1:x", "correction", days.today(), [Leg(clearing("sandbox"), 700), Leg(books_difference(), -700)])
    db_session.commit()
    run = reconciled()
    assert run.found == 1
    (alone,) = differences()
    assert (alone.what, alone.theirs, alone.ours, alone.amount) == ("entry", None, 700, -700)
    found = holds()
    assert (found.ours, found.theirs, found.differences) == (taken.amount + 700, taken.amount, 700)
    assert entries() == ["captured", "x"]


def test_a_difference_that_goes_away_is_gone(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    db_session.execute(text("UPDATE sandbox_lines SET created_at = created_at + interval '3 days'"))
    db_session.commit()
    assert reconciled().found == 1  # the provider has not written it down yet
    db_session.execute(text("UPDATE sandbox_lines SET created_at = created_at - interval '3 days'"))
    db_session.commit()
    assert reconciled().found == 0
    assert [d.state for d in differences("gone")] == ["gone"]
    assert holds().ours == taken.amount


def test_compared_again_nothing_is_doubled(db_session: Session, shop: Shop) -> None:
    paid_there((shop.batik, 1), fee=1_000)
    book("invented:1:x", "correction", days.today(), [Leg(clearing("sandbox"), 700), Leg(books_difference(), -700)])
    db_session.commit()
    first, again = reconciled(), reconciled()
    assert (first.found, again.found, again.events, again.lines, again.healed) == (1, 0, 0, 0, 0)
    assert len(differences()) == 1
    assert entries() == ["captured", "fee", "x"]


def test_two_runs_at_once_do_no_more_than_one(app: Flask, db_session: Session, shop: Shop) -> None:
    taken = [paid_there((shop.batik, 1), fee=500), paid_there((shop.honey, 1))]
    dispute(taken[0].payment_id, "opened")
    db_session.execute(text("DELETE FROM sandbox_events WHERE type = 'dispute.opened'"))
    db_session.commit()
    ids = [
        db_session.execute(
            text(
                "INSERT INTO reconciliation_runs (gateway, first_day, last_day, state, step)"
                " VALUES ('sandbox', :day, :day, 'running', 'events') RETURNING id"
            ),
            {"day": days.today()},
        ).scalar_one()
        for _ in range(3)
    ]
    db_session.commit()

    def carry_out(run_id: int) -> Callable[[], str]:
        def call() -> str:
            with app.app_context():
                return runs.run(run_id)

        return call

    assert at_once([carry_out(run_id) for run_id in ids]) == ["done"] * 3
    assert entries() == ["captured", "captured", "fee", "opened"]
    assert db_session.scalar(text("SELECT count(*) FROM provider_lines")) == 3
    assert differences() == []
    holds()
    assert broken() == {}


def test_a_provider_that_is_away_ends_the_run_and_the_next_one_goes_on(
    db_session: Session, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = paid_there((shop.batik, 1))
    provider = gateway("sandbox")

    def away(*_: object) -> None:
        raise GatewayUnavailable("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(provider, "balance_lines", away)
        run = reconciled()
    assert (run.state, run.error) == ("failed", "connection refused")
    assert order_status(taken.order_id)[0] == "paid"  # what it had learned before stays
    assert db_session.query(ReconciledDay).count() == 0
    assert reconciled().state == "done"
    assert holds().ours == taken.amount


def test_no_transaction_is_open_while_the_provider_is_asked(
    db_session: Session, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_there((shop.batik, 1), fee=10)
    waiting = placed((shop.honey, 1))
    db_session.execute(text("UPDATE payments SET created_at = now() - interval '10 minutes'"))
    db_session.commit()
    provider, asked = gateway("sandbox"), []

    def watched(name: str) -> Callable[..., object]:
        inner = getattr(provider, name)

        def call(*args: object, **kwargs: object) -> object:
            asked.append((name, db.session().in_transaction()))
            return inner(*args, **kwargs)

        return call

    for name in ("events", "look_up", "payouts", "balance_lines", "look_up_refund"):
        monkeypatch.setattr(provider, name, watched(name))
    reconciled()
    assert {name for name, _ in asked} == {"events", "look_up", "payouts", "balance_lines"}
    assert [name for name, is_open in asked if is_open] == []
    assert order_status(waiting.order_id)[0] == "awaiting_payment"


def test_a_refund_that_came_back_is_taken_back_though_nobody_told_us(
    db_session: Session, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    person = make_person().id
    taken = paid_there((shop.batik, 2))
    hear()
    line = db_session.execute(text("SELECT id FROM order_lines")).scalar_one()
    refund_id = propose(taken.order_id, [LineWish(line, 1)], reason="returned", person_id=person).id
    db_session.commit()
    run_jobs()
    hear()
    fail_refund(db_session.execute(text("SELECT id FROM sandbox_refunds")).scalar_one())
    db_session.execute(text("DELETE FROM sandbox_events WHERE type = 'refund.failed'"))
    db_session.commit()
    run = reconciled()
    assert (run.healed, run.found) == (1, 0)
    state = text("SELECT state FROM refunds WHERE id = :id")
    assert db_session.execute(state, {"id": refund_id}).scalar_one() == "failed"
    assert entries() == ["captured", "succeeded", "taken_back"]
    assert holds().ours == taken.amount


def test_a_charge_of_the_provider_is_borne_by_the_operator(db_session: Session, shop: Shop) -> None:
    taken = paid_there((shop.batik, 1))
    db_session.execute(text("INSERT INTO sandbox_lines (id, kind, amount) VALUES ('txn_monthly', 'fee', -2500)"))
    db_session.commit()
    run = reconciled()
    assert (run.found, run.healed) == (0, 2)
    assert db_session.execute(text("SELECT balance FROM (SELECT a.code, sum(p.amount) AS balance FROM accounts a"
                                   " JOIN postings p ON p.account_id = a.id GROUP BY 1) b WHERE code = 'fees:operator'")
                              ).scalar_one() == 2500
    assert holds().ours == taken.amount - 2500
    assert broken() == {}


OF_CLEARING = "account_id = (SELECT id FROM accounts WHERE code = 'clearing:sandbox')"
BREAKS = [
    ("provider_lines_booked", "UPDATE provider_lines SET amount = amount + 1"),
    ("provider_lines_booked", "UPDATE provider_lines SET fee_entry_id = NULL"),
    ("provider_lines_booked", f"UPDATE postings SET amount = amount - 1 WHERE amount < 0 AND {OF_CLEARING}"),
    ("clearing_known_to_the_provider", "DELETE FROM provider_lines"),
    ("clearing_known_to_the_provider", "UPDATE provider_lines SET entry_id = NULL"),
    ("provider_sum_is_our_balance", "UPDATE provider_lines SET fee = fee + 1"),
    ("provider_sum_is_our_balance", f"UPDATE postings SET amount = amount + 1 WHERE amount > 0 AND {OF_CLEARING}"),
]


@pytest.mark.parametrize(("name", "statement"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)])
def test_a_broken_promise_is_named(database: Clone, shop: Shop, name: str, statement: str) -> None:
    paid_there((shop.batik, 2), fee=4_000)
    reconciled()
    assert broken() == {}
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # what no trigger stops
        connection.execute(statement)  # type: ignore[call-overload]
        assert name in {found.invariant.name for found in check(connection, INVARIANTS) if not found.holds}
        connection.rollback()


def test_every_promise_about_providers_can_fail() -> None:
    assert {invariant.name for invariant in INVARIANTS} == {name for name, _ in BREAKS}
