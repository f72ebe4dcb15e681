"""What the database refuses of the books' own people: nobody decides alone, and nothing decided is rewritten.

The statements are sent as the web's role, as a hole in the code would send them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.books import deposit, settle
from storefront.books.settle import Wish
from storefront.catalogue.models import Variant
from storefront.embedded import WEB
from storefront.extensions import db
from storefront.refunds.refund_limits import SHIPPED
from tests.clones import Clone
from tests.factories import make_paid_order
from tests.money_out import PKL_PREMIUM, PKL_STATE, give_back, open_books

#: A refund with its parts, asked for by the person of another one.
REFUND = """WITH r AS (INSERT INTO refunds (payment_id, order_id, amount, reason, state, proposed_by)
                       SELECT payment_id, order_id, {amount}, 'goodwill', '{state}', proposed_by FROM refunds
                        WHERE proposed_by IS NOT NULL LIMIT 1 RETURNING id)
            INSERT INTO refund_lines SELECT r.id, l.order_line_id, 0, {amount}, 'none' FROM r, (
                        SELECT order_line_id FROM refund_lines WHERE quantity = 0 LIMIT 1) l"""
SETTLEMENT = """INSERT INTO settlements (facility_id, fund_id, amount, bank_account_id, state, proposed_by,
                                         approved_by, approved_at, paid_on, paid_by, bank_reference)
                SELECT facility_id, fund_id, {amount}, bank_account_id, '{state}', proposed_by, approved_by, now(),
                       paid_on, paid_by, 'TRF-999' FROM settlements WHERE state = 'paid' LIMIT 1"""
DISTRIBUTION = """INSERT INTO premium_distributions (facility_id, workshop_id, distributed_on, people, amount,
                                                     entered_by)
                  SELECT facility_id, workshop_id, {day}, 6, 1, entered_by FROM premium_distributions LIMIT 1"""
CLOSED = "(SELECT max(month) FROM periods)"

#: What is sent, and what of the refusal says that it is the right one.
REFUSED = {
    "a refund above the limit is sent by one person": (
        REFUND.format(amount=500_000, state="requested"), "reaches the limit"),
    "a limit of refunds that was agreed on": ("UPDATE refund_limits SET approved_at = now()", "proposed stays"),
    "a refund that waits is sent by nobody": (
        REFUND.format(amount=1, state="proposed") + "; UPDATE refunds SET state = 'requested' WHERE state = 'proposed'",
        "waits for a second person"),
    "a refund's amount": ("UPDATE refunds SET amount = amount + 1", "stays"),
    "a refund's proposer": ("UPDATE refunds SET proposed_by = proposed_by + 1", "stays"),
    "a refund's approver": (
        "UPDATE refunds SET approved_by = (SELECT max(id) FROM people), approved_at = now()", "stays"),
    "more is taken from a share than it got": (
        """INSERT INTO refund_shares SELECT (SELECT min(id) FROM refunds), order_line_id, position, fund_id, amount + 1
             FROM order_line_shares ON CONFLICT DO NOTHING""", "more is taken back"),
    "a lost dispute takes what was refunded": (
        """INSERT INTO dispute_shares SELECT (SELECT min(id) FROM disputes), order_line_id, position, fund_id, amount
             FROM refund_shares LIMIT 1""", "more is taken back"),
    "a settlement that nobody proposed": (SETTLEMENT.format(amount=1, state="approved"), "begins as proposed"),
    "a payment that nobody proposed": (SETTLEMENT.format(amount=1, state="paid"), "begins as proposed"),
    "a settlement's fund": ("UPDATE settlements SET fund_id = NULL", "stays"),
    "a settlement's account": ("UPDATE settlements SET bank_account_id = bank_account_id + 1", "stays"),
    "a deposit's day": ("UPDATE deposits SET due_on = due_on + 1", "stays"),
    "a deposit's line afterwards": (
        """INSERT INTO deposit_lines (deposit_id, posting_id, amount) SELECT max(d.id), min(p.id), -min(p.amount)
             FROM deposits d, postings p""", "none follows"),
    "a distribution's people": ("UPDATE premium_distributions SET people = people - 1", "stays"),
    "a distribution's day": (f"UPDATE premium_distributions SET distributed_on = {CLOSED}", "stays"),
    "a distribution in a closed month": (DISTRIBUTION.format(day=CLOSED), "is closed"),
    "a distribution before a closed month": (DISTRIBUTION.format(day=f"{CLOSED} - 1"), "is closed"),
    "a returned budget's order": ("UPDATE budget_returns SET reference = 'SP2D-78'", "stays"),
    "more budget than was deposited": (
        """INSERT INTO budget_returns (facility_id, fund_id, amount, reference, returned_on, bank_account_id,
                                       proposed_by)
           SELECT facility_id, fund_id, 999999999, 'SP2D-79', returned_on, bank_account_id, proposed_by
             FROM budget_returns LIMIT 1""", "only"),
    "an account's end by one person": (
        "UPDATE bank_accounts SET valid_to = current_date WHERE approved_at IS NOT NULL", "without a second person"),
    "an account's end, proposed and approved at once": (
        """UPDATE bank_accounts SET valid_to = current_date, end_on = current_date, end_proposed_by = proposed_by,
                  end_approved_by = approved_by WHERE approved_at IS NOT NULL""", "approved as it was proposed"),
    "a rule's end by one person": (
        "UPDATE split_rules SET valid_to = current_date + 1 WHERE approved_at IS NOT NULL AND valid_to IS NULL",
        "without a second person"),
    "a satker's codes": ("UPDATE satkers SET revenue_account = '425999'", "stays"),
    "a closed month's hash": ("UPDATE periods SET hash = sha256('x')", "stays as it was closed"),
    "a closed month's people": ("UPDATE periods SET closed_by = closed_by + 1", "stays as it was closed"),
    "a month that is opened with another hash": (
        """UPDATE periods SET state = 'reopened', reopened_at = now(), reopened_by = closed_by, hash = sha256('x'),
                  reopen_reason = 'Salah catat'""", "stays as it was closed"),
    "a payment's amount": ("UPDATE payments SET amount = amount + 1", "stays as it was made"),
    "a payment's fee": ("UPDATE payments SET fee = fee + 1 WHERE fee > 0", "stays as it was made"),
    "a payment's order": ("UPDATE payments SET order_id = order_id + 1", "stays as it was made"),
    "a fund's code": ("UPDATE funds SET code = 'other' WHERE code = 'premium'", "permission denied"),
    "a facility's code": ("UPDATE facilities SET code = 'ZZZ' WHERE code = 'PKL'", "its code stays"),
}  # fmt: skip


@pytest.fixture
def web(lived_in: Clone) -> Iterator[psycopg.Connection]:
    """The web's role on a shop that has lived; what it does is undone."""
    with psycopg.connect(lived_in.addresses[WEB]) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses_to_change(web: psycopg.Connection, what: str) -> None:
    statement, why = REFUSED[what]
    with pytest.raises(psycopg.Error, match=why):
        web.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")  # type: ignore[call-overload]


def test_the_same_refund_below_the_limit_is_sent_by_one_person(web: psycopg.Connection) -> None:
    sent = REFUND.format(amount=1, state="requested")
    web.execute(f"{sent}; SET CONSTRAINTS ALL IMMEDIATE")  # type: ignore[call-overload]


def test_rules_and_database_have_one_limit(web: psycopg.Connection) -> None:
    assert web.execute("SELECT refund_limit(current_date)").fetchone() == (SHIPPED,)


def test_the_database_approves_no_settlement_of_what_is_owed_no_more(db_session: Session) -> None:
    books = open_books()
    (settlement,) = settle.propose(
        [Wish(books.pekalongan, books.funds["premium"], PKL_PREMIUM)], person_id=books.first
    )
    give_back(books, "premium", 1, "refund:1000:succeeded")
    approve = text(
        "UPDATE settlements SET state = 'approved', approved_by = :second, approved_at = now() WHERE id = :id"
    )
    with pytest.raises(DBAPIError, match="1 more than what PKL:premium is owed"):
        db_session.execute(approve, {"second": books.second, "id": settlement.id})


def test_a_sale_while_a_deposit_is_proposed_waits_for_the_next(app: Flask, db_session: Session) -> None:
    books = open_books()
    batik, bought = books.shop.batik.id, []

    def buy() -> None:
        with app.app_context():
            make_paid_order((db.session.get_one(Variant, batik), 1))
            db.session.commit()

    def between(connection: object, cursor: object, statement: str, *rest: object) -> None:
        """A sale is booked after the state's revenue was added up, and before it is carried."""
        if "AS oldest" in statement and not bought:
            bought.append(statement)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(buy).result()

    event.listen(db.engine, "after_cursor_execute", between)
    try:
        found = deposit.propose(books.pekalongan, person_id=books.first)
        db_session.commit()
    finally:
        event.remove(db.engine, "after_cursor_execute", between)
    assert bought
    assert found.amount == sum(line.amount for line in found.lines) == PKL_STATE
    assert deposit.propose(books.pekalongan, person_id=books.first).amount == PKL_STATE // 2
