"""Orders paid by bank transfer: counted by themselves where code and amount fit, held where they do not."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from storefront.bank import automatic, transfers
from storefront.bank.models import BankLine, BankMatchPosting, BankReturn, HeldTransfer
from storefront.bank.transfers import NotEnough
from storefront.books.four_eyes import Decided
from storefront.days import today
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.models import JournalEntry
from storefront.mail.models import Message
from storefront.orders.expire import expire_unpaid
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.payments.models import Payment, PaymentEvent, Refund
from storefront.payments.transfer import ALPHABET, codes_in, new_code
from tests.bank_samples import Movement
from tests.banking import (
    Asked,
    ask_for_transfer,
    handle_events,
    open_bank,
    paid,
    settle,
    states,
    take_in,
)
from tests.factories import make_order
from tests.money_out import Books, books_balance
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")


class Bank:
    """The shop, its account, and what it held before."""

    def __init__(self) -> None:
        self.books: Books
        self.books, self.account = open_bank()
        self.shop = self.books.shop
        self.person = self.books.first

    def arrives(self, *movements: Movement) -> list[BankLine]:
        """A file with these movements is taken in, and the jobs have run."""
        lines = take_in(self.account, self.person, *movements)
        settle(self.account)
        return lines

    @property
    def balance(self) -> int:
        return balance(f"bank:{self.account}")


@pytest.fixture
def bank(db_session: Any) -> Bank:
    return Bank()


def state_of(order: Order) -> str:
    db.session.refresh(order)
    return order.state


def kinds() -> list[str]:
    return list(
        db.session.scalars(
            select(JournalEntry.kind).where(JournalEntry.kind != "sale").order_by(JournalEntry.id)
        )
    )


def expired(asked: Asked) -> None:
    """The order's hold has ended, and with it the order."""
    db.session.execute(
        text("UPDATE orders SET expires_at = now() - interval '1 hour' WHERE id = :id"),
        {"id": asked.order.id},
    )
    db.session.execute(text("UPDATE payments SET expires_at = now() - interval '1 hour'"))
    db.session.commit()
    expire_unpaid()
    assert state_of(asked.order) == "expired"


def test_code_and_amount_pay_the_order(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    (line,) = bank.arrives(paid(asked))
    assert state_of(asked.order) == "paid"
    assert line.state == "matched"
    payment = db.session.get_one(Payment, asked.payment.id)
    assert (payment.state, payment.counts, payment.reference, payment.fee) == (
        "succeeded",
        True,
        asked.code,
        None,
    )


def test_the_money_is_booked_to_the_bank_at_once_and_clearing_explains_itself(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked))
    assert (balance("clearing:transfer"), bank.balance) == (0, asked.total)
    sale, payout = db.session.execute(
        text(
            "SELECT source, effective_date, written_by::text, id FROM journal_entries"
            " WHERE id IN (SELECT entry_id FROM postings p JOIN accounts a ON a.id = p.account_id"
            " WHERE a.code = 'clearing:transfer') ORDER BY id"
        )
    ).all()
    assert sale.source == f"payment:{asked.payment.id}:captured"
    assert payout.source.startswith("payout:")
    assert (sale.written_by, sale.effective_date) == (payout.written_by, payout.effective_date)
    assert books_balance()


def test_the_payout_points_at_the_banks_line(bank: Bank) -> None:
    (line,) = bank.arrives(paid(ask_for_transfer((bank.shop.batik, 1))))
    (posting,) = db.session.scalars(
        select(BankMatchPosting.posting_id).where(BankMatchPosting.match_id == line.match_id)
    )
    source = db.session.execute(
        text("SELECT e.source FROM postings p JOIN journal_entries e ON e.id = p.entry_id WHERE p.id = :id"),
        {"id": posting},
    ).scalar_one()
    assert source.startswith("payout:")


@pytest.mark.parametrize(
    "note",
    [
        "{code}",
        "{lower}",
        "batik {spaced} terima kasih",
        "PESANAN/{dotted}/SARI",
        "{first} {rest}",
        "xx{code}yy",
    ],
)
def test_the_code_is_found_however_it_is_written(bank: Bank, note: str) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    code = asked.code
    words = note.format(
        code=code, lower=code.lower(), spaced=" ".join(code), dotted=".".join([code[:2], code[2:5], code[5:]]),
        first=code[:4], rest=code[4:],
    )  # fmt: skip
    bank.arrives(paid(asked, note=words))
    assert state_of(asked.order) == "paid"


def test_codes_have_no_signs_that_are_taken_for_another() -> None:
    assert not set("BGILOSUZ01258") & set(ALPHABET)
    for _ in range(200):
        code = new_code()
        assert codes_in(code) == [code]
        assert len(code) == 8
    assert codes_in("KBAAAA1A") == []
    assert codes_in("KBKBAAAACCCC") == ["KBAAAACC"]  # the first could be none: it holds a B


def test_the_same_file_again_pays_nothing_again(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked))
    assert bank.arrives(paid(asked), Movement(today(), 1, "LAIN")) != []
    settle(bank.account)
    assert (
        db.session.scalar(
            select(func.count()).select_from(PaymentEvent).where(PaymentEvent.gateway == "transfer")
        )
        == 1
    )
    assert bank.balance == asked.total


@pytest.mark.parametrize("difference", [-1_000, 5_000])
def test_another_amount_is_held_and_booked_as_held(bank: Bank, difference: int) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    (line,) = bank.arrives(paid(asked, asked.total + difference))
    assert state_of(asked.order) == "awaiting_payment"
    (held,) = db.session.scalars(select(HeldTransfer))
    assert (held.amount, held.payment_id, held.held_by) == (asked.total + difference, asked.payment.id, None)
    assert line.state == "matched"
    assert (bank.balance, balance("customers:to_return")) == (held.amount, -held.amount)


def test_two_parts_pay_once_a_person_says_so(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked, 60_000), paid(asked, asked.total - 60_000))
    assert state_of(asked.order) == "awaiting_payment"
    transfers.count(asked.payment.id, bank.person)
    db.session.commit()
    handle_events()
    assert state_of(asked.order) == "paid"
    assert (bank.balance, balance("customers:to_return"), balance("clearing:transfer")) == (asked.total, 0, 0)
    assert kinds() == ["transfer_held", "transfer_held", "payout", "transfer_counted", "transfer_counted"]


def test_one_part_is_not_enough(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked, 60_000))
    with pytest.raises(NotEnough) as refused:
        transfers.count(asked.payment.id, bank.person)
    assert "60.000" in str(refused.value.message)


def test_what_is_too_much_stays_held_for_the_shopper(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked, asked.total + 7_000))
    (held,) = transfers.count(asked.payment.id, bank.person)
    db.session.commit()
    handle_events()
    assert state_of(asked.order) == "paid"
    db.session.refresh(held)
    assert held.left == 7_000
    assert (bank.balance, balance("customers:to_return")) == (asked.total + 7_000, -7_000)
    with pytest.raises(Decided):
        transfers.count(asked.payment.id, bank.person)


def test_the_right_amount_after_a_wrong_one_pays(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked, 60_000), paid(asked))
    assert state_of(asked.order) == "paid"
    (held,) = db.session.scalars(select(HeldTransfer))
    assert held.left == 60_000


def test_a_second_transfer_with_the_same_code_goes_back(bank: Bank, run_jobs: Callable[[], None]) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked), paid(asked, day=today() - datetime.timedelta(1)))
    assert state_of(asked.order) == "paid"
    (refund,) = db.session.scalars(select(Refund))
    assert (refund.reason, refund.amount) == ("paid_twice", asked.total)
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    (back,) = db.session.scalars(select(BankReturn))
    assert (back.refund_id, back.amount, back.state, refund.state) == (
        refund.id,
        asked.total,
        "asked",
        "by_bank",
    )
    assert (
        db.session.scalar(select(func.count()).select_from(Message).where(Message.kind == "return_asked"))
        == 1
    )
    assert balance("clearing:transfer") == 0
    assert bank.balance == 2 * asked.total


def test_a_late_transfer_takes_the_pieces_again(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    expired(asked)
    bank.arrives(paid(asked))
    assert state_of(asked.order) == "paid"


def test_a_late_transfer_goes_back_when_the_pieces_are_gone(bank: Bank, run_jobs: Callable[[], None]) -> None:
    asked = ask_for_transfer((bank.shop.batik, 3))
    expired(asked)
    ask_for_transfer((bank.shop.batik, 1))
    bank.arrives(paid(asked))
    assert state_of(asked.order) == "expired"
    (refund,) = db.session.scalars(select(Refund))
    assert refund.reason == "paid_too_late"
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert refund.state == "by_bank"


def test_money_without_a_code_waits_for_a_person(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    lines = bank.arrives(paid(asked, note="LUPA KODE"))
    assert states(lines) == ["open"]
    assert state_of(asked.order) == "awaiting_payment"
    assert transfers.take_for_order(lines[0].id, asked.order.number, person_id=bank.person) == "announced"
    db.session.commit()
    handle_events()
    assert (state_of(asked.order), states(lines)) == ("paid", ["matched"])


def test_a_transfer_for_an_order_that_was_to_be_paid_otherwise_counts(bank: Bank) -> None:
    order = make_order((bank.shop.batik, 1))
    payment = open_payment(order)
    db.session.commit()
    (line,) = bank.arrives(Movement(today(), payment.amount, f"PESANAN {order.number}"))
    transfers.take_for_order(line.id, order.number, person_id=bank.person)
    db.session.commit()
    handle_events()
    assert state_of(order) == "paid"


def test_an_unknown_order_takes_no_money(bank: Bank) -> None:
    (line,) = bank.arrives(Movement(today(), 10_000, "APA INI"))
    with pytest.raises(NotFound):
        transfers.take_for_order(line.id, "KB-0000-0000", person_id=bank.person)


def test_a_line_is_taken_once(bank: Bank) -> None:
    one, two = ask_for_transfer((bank.shop.batik, 1)), ask_for_transfer((bank.shop.batik, 1))
    (line,) = bank.arrives(paid(one, note="TANPA"))
    transfers.take(line.id, one.payment.id, person_id=bank.person)
    with pytest.raises(Decided):
        transfers.take(line.id, two.payment.id, person_id=bank.person)


def test_money_out_and_hundredths_pay_nothing(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    lines = bank.arrives(paid(asked, -asked.total))
    assert states(lines) == ["open"]


def test_the_hold_is_the_transfers_and_a_switch_prolongs_it_once(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    assert asked.order.expires_at - asked.order.placed_at == datetime.timedelta(days=3)
    order = make_order((bank.shop.batik, 1))
    assert order.expires_at - order.placed_at == datetime.timedelta(minutes=60)
    payment = open_payment(order, "transfer")
    assert order.expires_at - order.placed_at == datetime.timedelta(days=3)
    assert payment.expires_at == order.expires_at
    # Back to the other way: its page lives as long as it always does, the order as before.
    other = open_payment(order)
    assert order.expires_at - order.placed_at == datetime.timedelta(days=3)
    assert other.expires_at - order.placed_at < datetime.timedelta(minutes=62)


def test_the_same_payment_started_twice_has_one_code(bank: Bank) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    db.session.execute(
        text("UPDATE payments SET url = NULL, reference = NULL WHERE id = :id"), {"id": asked.payment.id}
    )
    db.session.commit()
    assert start_payment(asked.payment.id).reference == asked.code


def test_one_line_matched_by_many_at_once_pays_once(bank: Bank, wide_app: Flask) -> None:
    asked = ask_for_transfer((bank.shop.batik, 1))
    take_in(bank.account, bank.person, paid(asked), paid(asked, 5))

    def call() -> int:
        with wide_app.app_context():
            return automatic.match_lines(bank.account)

    answers = at_once([call] * 6)
    assert all(isinstance(answer, int) for answer in answers), answers
    db.session.expire_all()
    handle_events()
    assert state_of(asked.order) == "paid"
    assert db.session.scalar(select(func.count()).select_from(HeldTransfer)) == 1
    assert bank.balance == asked.total + 5
