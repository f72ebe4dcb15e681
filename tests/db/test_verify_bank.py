"""The promises around the bank: kept by a shop that has lived with it, named when one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from storefront import create_app
from storefront.bank import payment_files, payment_shapes, return_batches, returns, transfers
from storefront.bank.models import BankReturn, HeldTransfer
from storefront.bank.payment_shape import USUAL
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.payments.models import Refund
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_failed
from storefront.refunds.refund_parts import LineWish
from storefront.verify import bank, books, clearing, orders, passed_on, shares
from storefront.verify.invariant import check
from tests.bank_samples import Movement
from tests.banking import ask_for_transfer, open_bank, paid, settle, take_in
from tests.clones import Clone, TestServer, settings_for, worker_name
from tests.later_books import without_checks

#: What of the whole the bank touches.
INVARIANTS = (
    *bank.INVARIANTS, *books.INVARIANTS, *clearing.INVARIANTS, *passed_on.INVARIANTS, *orders.INVARIANTS,
    *shares.INVARIANTS,
)  # fmt: skip


def live() -> None:
    """Transfers that fit, in parts, too much, twice and lost; money back of each kind; a payout; lines set aside."""
    made, account = open_bank()
    shop, first = made.shop, made.first
    whole = ask_for_transfer((shop.batik, 1))
    parts = ask_for_transfer((shop.honey, 1))
    take_in(
        account, first, paid(whole), paid(parts, 50_000), paid(parts, parts.total - 45_000), paid(whole, 3_000),
        Movement(today(), -6_500, "BIAYA ADM"),
    )  # fmt: skip
    settle(account)
    transfers.count(parts.payment.id, first)
    db.session.commit()
    settle(account)
    refund = refunds.propose(
        whole.order.id, [LineWish(whole.order.lines[0].id, amount=10_000)], reason="goodwill", person_id=first
    )
    refund_failed(refund.id, "cannot_refund")
    db.session.commit()
    returns.of_refund(refund.id)
    held = [one for one in db.session.scalars(select(HeldTransfer).order_by(HeldTransfer.id)) if one.left]
    for one in held:
        returns.of_held(one.id, first)
    db.session.commit()
    backs = db.session.scalars(select(BankReturn).order_by(BankReturn.id)).all()
    for back in backs:
        order = db.session.get_one(Order, back.order_id)
        returns.give_account(order, back.id, bank="Bank Contoh", number="777000111", holder="Sari Pertiwi")
    # The last one waits with its account.
    batch = return_batches.propose([back.id for back in backs[:-1]], first)
    db.session.commit()
    return_batches.approve(batch.id, made.second)
    payment_shapes.approve(payment_shapes.propose(USUAL, first).id, made.second)
    db.session.commit()
    payment_files.make([], [back.id for back in backs[:-1]], pay_on=today(), person_id=first)
    for back in backs[:2]:
        return_batches.mark_paid(back.id, reference=f"FT-{back.id}00000", paid_on=today(), person_id=first)
    db.session.commit()
    assert db.session.get_one(Refund, refund.id).state == "succeeded"


@pytest.fixture(scope="module")
def lived_in(database_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = database_server.clone(f"storefront_bank_{worker_name()}")
    app = create_app(settings_for(clone.addresses, Path(tmp_path_factory.mktemp("bank"))))
    app.config["TESTING"] = True
    with app.app_context():
        live()
        db.session.remove()
        db.engine.dispose()
    yield clone
    clone.close()


@pytest.fixture
def connection(lived_in: Clone) -> Iterator[psycopg.Connection]:
    """One that no trigger and no foreign key stops; what it does is undone."""
    with psycopg.connect(lived_in.addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection
        connection.rollback()


def broken(connection: psycopg.Connection) -> dict[str, int]:
    found = {f.invariant.name: f.count for f in check(connection, INVARIANTS) if not f.holds}
    found.pop("sandbox_agrees", None)  # these orders were paid without asking the sandbox
    return found


def test_the_promises_hold_on_a_shop_that_has_lived_with_its_bank(connection: psycopg.Connection) -> None:
    assert broken(connection) == {}
    kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM journal_entries").fetchall()}
    assert kinds >= {"sale", "payout", "transfer_held", "transfer_counted", "transfer_returned", "refund"}


BREAKS = [
    ("transfers_reach_the_bank", "UPDATE payouts SET amount = amount + 1 WHERE gateway = 'transfer'"),
    ("transfers_reach_the_bank", "DELETE FROM payouts WHERE gateway = 'transfer'"),
    ("transfer_clearing_explains_itself", "UPDATE postings SET amount = amount + 1 WHERE amount < 0 AND account_id ="
                                          " (SELECT id FROM accounts WHERE code = 'clearing:transfer')"),
    ("transfers_have_their_line", "DELETE FROM bank_match_postings"),
    ("transfers_have_their_line", "UPDATE bank_matches SET is_fixed = false"),
    ("bank_matches_even", "UPDATE bank_lines SET amount = amount + 1"),
    ("bank_matches_even", "UPDATE bank_lines SET hundredths = 1 WHERE amount > 0"),
    ("bank_matches_even", without_checks("bank_lines") + "; UPDATE bank_lines SET match_id = NULL"),
    ("announced_lines_are_counted", without_checks("bank_lines") + "; UPDATE bank_lines SET state = 'announced'"),
    ("held_transfers_booked", "UPDATE held_transfers SET amount = amount + 1"),
    ("held_transfers_booked", "DELETE FROM journal_entries WHERE kind = 'transfer_counted'"),
    ("bank_returns_booked", "UPDATE bank_returns SET amount = amount + 1"),
    ("bank_returns_booked", "UPDATE bank_returns SET paid_on = paid_on - 1"),
    ("bank_returns_booked", "DELETE FROM journal_entries WHERE kind = 'transfer_returned'"),
    ("returns_follow_their_cause", "UPDATE refunds SET state = 'by_bank', finished_at = NULL"),
    ("returns_follow_their_cause", "UPDATE held_transfers SET returned = 0"),
    ("returns_follow_their_cause", without_checks("bank_returns") + "; DELETE FROM bank_returns;"
                                   " UPDATE refunds SET state = 'by_bank', finished_at = NULL"),
    ("returns_decided_by_two", without_checks("return_batches")
                               + "; UPDATE return_batches SET approved_by = proposed_by"),
    ("returns_decided_by_two", without_checks("return_batches") + "; UPDATE return_batches SET state = 'proposed'"),
    ("shoppers_accounts_are_deleted", "UPDATE return_accounts SET given_at = now() - interval '31 days'"),
    ("shoppers_accounts_are_deleted", without_checks("bank_returns") + "; UPDATE bank_returns SET state = 'paid'"),
    ("payment_files_pay_once", "UPDATE payment_files SET amount = amount + 1"),
    ("payment_files_pay_once", "UPDATE payment_file_lines SET is_living = false"),
    ("payment_files_pay_once", "UPDATE payment_file_shapes SET approved_at = NULL, approved_by = NULL"),
    ("payment_files_pay_once", "UPDATE bank_returns SET amount = amount + 1"),
    ("payment_files_pay_once", "DROP INDEX payment_file_lines_return;"
                               " INSERT INTO payment_file_lines (file_id, position, return_id, amount)"
                               " SELECT file_id, position + 100, return_id, amount"
                               " FROM payment_file_lines"),
    ("money_to_return", "UPDATE held_transfers SET returned = returned + 1 WHERE counted + returned < amount"),
    ("refunds_booked_once", "UPDATE bank_returns SET bank_account_id = 999 WHERE refund_id IS NOT NULL"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "statement"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)]
)
def test_a_broken_promise_is_named(connection: psycopg.Connection, name: str, statement: str) -> None:
    connection.execute(statement)  # type: ignore[call-overload]
    assert name in broken(connection)


def test_every_promise_about_the_bank_can_fail() -> None:
    assert {invariant.name for invariant in bank.INVARIANTS} <= {name for name, _ in BREAKS}
