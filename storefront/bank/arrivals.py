"""Bank transfers lie on our account when they count: in the books they leave the gateway at the same moment.

So `clearing:transfer` explains itself: each payment is debited and credited there in one transaction, by the
sale and by a payout that points at the bank's line.
"""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.audit.record import record
from storefront.bank import match
from storefront.bank.models import BankLine, HeldTransfer
from storefront.books.models import Payout
from storefront.days import accounting_day
from storefront.extensions import db
from storefront.ledger.clearing import book_payout
from storefront.ledger.transfers import book_transfer_counted
from storefront.orders.arrivals import moves
from storefront.payments.models import Payment
from storefront.payments.transfer import NAME, reference_of
from storefront.payments.transfer_models import Transfer


@moves(NAME)
def into_the_bank(payment: Payment, at: datetime.datetime) -> None:
    """Book what a transfer brought from `clearing:transfer` to its bank account, and tie it to the bank's line."""
    transfer = db.session.get_one(Transfer, payment.id)
    account_id = transfer.bank_account_id
    if account_id is None:
        raise RuntimeError(f"transfer {payment.id} lies nowhere")
    payout = Payout(
        gateway=NAME,
        reference=reference_of(transfer),
        amount=payment.amount,
        bank_account_id=account_id,
        arrived_on=accounting_day(at),
        recorded_at=at,
    )
    db.session.add(payout)
    db.session.flush()
    entry = book_payout(
        payout.id, NAME, payout.amount, account_id, on=payout.arrived_on, person_id=None, posted_at=at
    )
    posting = match.bank_posting(entry, account_id)
    record("payout.recorded", "payout", payout.id, details={"gateway": NAME, "amount": payout.amount})
    lines = _announced(payment.id)
    if lines:
        match.tie(lines, [posting], person_id=None, is_fixed=True)
    else:
        _count_held(payment, posting, account_id, at)


def _announced(payment_id: str) -> list[BankLine]:
    ids = db.session.scalars(
        select(BankLine.id).where(BankLine.payment_id == payment_id, BankLine.state == "announced")
    ).all()
    return match.locked_lines(ids, "announced") if ids else []


def _count_held(payment: Payment, posting: int, account_id: int, at: datetime.datetime) -> None:
    """The money was held before: it is held no longer. Together with the payout nothing moves at the bank."""
    held = list(
        db.session.scalars(
            select(HeldTransfer).where(HeldTransfer.counted_for == payment.id).order_by(HeldTransfer.id)
        )
    )
    if sum(one.counted for one in held) != payment.amount:
        raise RuntimeError(f"transfer {payment.id} is of {payment.amount}, its lines are not")
    postings = [posting]
    for one in held:
        entry = book_transfer_counted(
            one.id, account_id, one.counted, order_id=one.order_id, on=accounting_day(at),
            person_id=one.counted_by, posted_at=at,
        )  # fmt: skip
        postings.append(match.bank_posting(entry, account_id))
    line = db.session.get_one(BankLine, held[0].bank_line_id)
    match.add(match.match_of(line).id, postings)
