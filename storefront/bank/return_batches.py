"""Batches of money back by bank: proposed by one person, approved by another, paid with the bank's reference."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.audit.record import record
from storefront.bank import match
from storefront.bank.models import BankReturn, HeldTransfer, ReturnBatch
from storefront.bank.returns import delete_account, locked
from storefront.books import bank_accounts
from storefront.books.booking_day import require_booking_day
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.days import accounting_day
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.book import bank
from storefront.ledger.models import JournalEntry
from storefront.ledger.transfers import book_transfer_returned
from storefront.mail.owe import owe
from storefront.orders.models import Order
from storefront.orders.refund import returned_by_bank
from storefront.payments.models import Refund
from storefront.refunds.refund_outcome import refund_succeeded

SHORTEST_REFERENCE, LONGEST_REFERENCE = 3, 80


def propose(return_ids: Sequence[int], person_id: int) -> ReturnBatch:
    """Propose to pay these returns together, to the accounts that their shoppers gave. Raises Invalid, Decided."""
    if not return_ids:
        raise Invalid({"pick": _("Pilih setidaknya satu pengembalian.")})
    found = _locked(return_ids)
    if any(one.state != "given" for one in found):
        raise Decided()
    batch = ReturnBatch(proposed_by=person_id)
    db.session.add(batch)
    db.session.flush()
    for one in found:
        one.state, one.batch_id = "proposed", batch.id
    db.session.flush()
    _record(batch, "proposed", person_id, found)
    return batch


def approve(batch_id: int, person_id: int) -> ReturnBatch:
    """A second person agrees: each may be paid. Raises FourEyes, Decided, NotFound."""
    batch, found = _waiting(batch_id)
    require_second(batch.proposed_by, person_id)
    batch.state, batch.approved_by, batch.approved_at = "approved", person_id, moment(None)
    db.session.flush()
    for one in found:
        one.state = "approved"
    db.session.flush()
    _record(batch, "approved", person_id, found)
    return batch


def reject(batch_id: int, person_id: int) -> ReturnBatch:
    """Decide against a batch, or take one's own back; its returns may be proposed again. Raises Decided, NotFound."""
    batch, found = _waiting(batch_id)
    batch.state, batch.rejected_by, batch.rejected_at = "rejected", person_id, moment(None)
    db.session.flush()
    for one in found:
        one.state, one.batch_id = "given", None
    db.session.flush()
    _record(batch, "rejected", person_id, found)
    return batch


def mark_paid(
    return_id: int, *, reference: str, paid_on: datetime.date, person_id: int, line_id: int | None = None
) -> BankReturn:
    """The bank has sent the money: book it on that day, and delete the shopper's account.

    With `line_id` it is tied to that line of the bank, whose account it was paid from. Raises Invalid by field
    (`bank_reference`, `paid_on`), PeriodClosed, NoBankAccount, NotEven, Decided, NotFound.
    """
    found = locked(return_id)
    if found.state != "approved":
        raise Decided()
    reference = " ".join(reference.split())
    if not SHORTEST_REFERENCE <= len(reference) <= LONGEST_REFERENCE:
        raise Invalid({"bank_reference": _("Tulis nomor referensi bank, 3 sampai 80 karakter.")})
    batch = db.session.get_one(ReturnBatch, found.batch_id)
    assert batch.approved_at is not None  # an approved batch says when
    require_booking_day(paid_on, field="paid_on", since=accounting_day(batch.approved_at))
    line = None
    if line_id is not None:
        (line,) = match.locked_lines([line_id])
        if line.amount != -found.amount:
            raise match.NotEven()
    account_id = line.bank_account_id if line else bank_accounts.in_force(None, paid_on).id
    found.state, found.paid_on, found.bank_reference = "paid", paid_on, reference
    found.paid_by, found.bank_account_id = person_id, account_id
    delete_account(found.id)
    db.session.flush()
    source = _book(found, account_id, paid_on, person_id)
    if line is not None:
        entry = db.session.execute(select(JournalEntry.id).where(JournalEntry.source == source)).scalar_one()
        match.tie([line], [match.bank_posting(entry, account_id)], person_id=person_id, is_fixed=True)
    record(
        "bank_return.paid",
        "bank_return",
        found.id,
        person_id=person_id,
        details={"amount": found.amount, "order_id": found.order_id, "paid_on": paid_on.isoformat()},
    )
    return found


def _book(found: BankReturn, account_id: int, on: datetime.date, person_id: int) -> str:
    """Book a return that was paid; the source of its entry."""
    if found.held_id is not None:
        held = db.session.get_one(HeldTransfer, found.held_id, with_for_update=True, populate_existing=True)
        held.returned += found.amount
        db.session.flush()
        book_transfer_returned(
            found.id, account_id, found.amount, order_id=found.order_id, on=on, person_id=person_id
        )
        owe("return_paid", found.order_id, key=f"bank_return:{found.id}:paid")
        return f"bank_return:{found.id}:paid"
    refund = db.session.get_one(Refund, found.refund_id, with_for_update=True, populate_existing=True)
    if refund.proposed_by is not None:
        refund_succeeded(refund.id, on=on, paid_from=bank(account_id))
    else:
        now = moment(None)
        at = now if accounting_day(now) == on else days.begins(on)
        returned_by_bank(refund, account_id, on=on, at=at, person_id=person_id)
    return f"refund:{refund.id}:succeeded"


def _locked(return_ids: Sequence[int]) -> list[BankReturn]:
    """The returns, all their orders locked first and in one order. Raises NotFound."""
    ids = sorted(set(return_ids))
    orders = select(BankReturn.order_id).where(BankReturn.id.in_(ids))
    db.session.scalars(
        select(Order.id).where(Order.id.in_(orders)).order_by(Order.id).with_for_update()
    ).all()
    return [locked(return_id) for return_id in ids]


def _waiting(batch_id: int) -> tuple[ReturnBatch, list[BankReturn]]:
    """A batch that waits and its returns, all locked: orders first, as whoever changes a return does."""
    ids = db.session.scalars(select(BankReturn.id).where(BankReturn.batch_id == batch_id)).all()
    found = _locked(ids)
    batch = db.session.get(ReturnBatch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None:
        raise NotFound()
    if batch.state != "proposed":
        raise Decided()
    return batch, [one for one in found if one.batch_id == batch_id]


def _record(batch: ReturnBatch, what: str, person_id: int, found: Sequence[BankReturn]) -> None:
    record(
        f"return_batch.{what}",
        "return_batch",
        batch.id,
        person_id=person_id,
        details={"returns": [one.id for one in found], "amount": sum(one.amount for one in found)},
    )
