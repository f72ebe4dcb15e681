"""What became of a refund at the provider: it went through, it failed, or it went through and came back."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from sqlalchemy import func, select

from storefront.extensions import db, defer
from storefront.ledger.book import When, bank
from storefront.ledger.closed import Counted, counting
from storefront.ledger.models import Account, JournalEntry, Posting
from storefront.ledger.sale import book_payment_came_back, book_payment_returned, refund_source
from storefront.mail.owe import owe
from storefront.orders.models import Order
from storefront.orders.taken import believed
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import OF_VAIN_MONEY, Payment, Refund, RefundReturn

#: What a gateway says when a way of paying knows no refunds (`payments.gateway.ProviderRefused`).
CANNOT_REFUND = "cannot_refund"
#: What the books make of a refund with lines: the refund, and what the provider says of it.
Books = Callable[[Refund, ProviderEvent, datetime.datetime | None], str]


class AlsoByBank(Exception):
    """A refund that is paid by bank went through at the provider after all: a person must look."""


def idempotency_key(refund: Refund) -> str:
    """What the provider knows this try of the refund by, in its answers and events too."""
    return f"refund:{refund.id}" if refund.attempt == 1 else f"refund:{refund.id}:{refund.attempt}"


def hand_on(refund: Refund, event: ProviderEvent, happened_at: datetime.datetime | None = None) -> str:
    """Have the books take note by a job of their own."""
    defer(
        "books.record_refund",
        refund_id=refund.id,
        succeeded=event.kind is EventKind.REFUND_SUCCEEDED,
        why=event.failure,
        happened_at=happened_at.isoformat() if happened_at else None,
    )
    return "handed_on"


def record_refund(event: ProviderEvent, books: Books = hand_on) -> str:
    """Take note of what became of a refund at the provider; the same news twice changes nothing.

    A refund with lines is for `books`, which take its shares back; money that paid nothing has none. Failing is
    final for a try: what is said of an earlier one, or that a failed one went through before it failed, comes to
    nothing. One that had gone through and fails came back: an entry of its own takes it back.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == event.payment_id))
    # The order first: what becomes of its refunds is recorded one after the other.
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    refund = _refund_of(event)
    if refund is None:
        return "unknown_refund"
    failed = event.kind is EventKind.REFUND_FAILED
    if refund.state == ("failed" if failed else "succeeded") or (
        event.refund_key not in (None, idempotency_key(refund))
    ):
        return "already_recorded"
    if refund.state == "by_bank":
        if not failed:
            raise AlsoByBank(f"refund {refund.id}: the provider gave it back, and it is on its way by bank")
        return "already_recorded"
    if refund.state == "failed":
        return "already_failed"
    if refund.state == "succeeded" and not went_by_provider(refund):
        return "already_recorded"  # it had failed there before, and was paid by bank
    if event.refund_reference:
        refund.reference = event.refund_reference
        db.session.flush()
    if refund.reason not in OF_VAIN_MONEY:
        return books(refund, event, believed(event.payment_id, event.happened_at))
    now = _now()
    counted = counting(believed(event.payment_id, event.happened_at) or now)
    if not failed:
        return _went_back(refund, counted)
    if refund.state == "succeeded":
        return _came_back(refund, event.failure, counted)
    refund.state, refund.finished_at, refund.failure = "failed", now, event.failure[:500]
    hand_to_bank(refund.id, event.failure)
    return "refund_failed"


def hand_to_bank(refund_id: int, why: str) -> None:
    """Have a refund go by bank if it failed because its way of paying knows no refunds; else a person decides."""
    if why == CANNOT_REFUND:
        defer("bank.return_by_bank", refund_id=refund_id)


def returned_by_bank(
    refund: Refund, bank_account_id: int, *, on: datetime.date, at: datetime.datetime, person_id: int
) -> None:
    """Money that paid nothing has gone back by bank on the day `on`. The refund is locked; never commits."""
    payment = db.session.get_one(Payment, refund.payment_id)
    number = 1 + times_returned(refund.id)
    refund.state, refund.finished_at = "succeeded", at
    db.session.flush()
    book_payment_returned(
        refund.id,
        payment.gateway,
        refund.amount,
        order_id=refund.order_id,
        when=When(on=on),
        number=number,
        paid_from=bank(bank_account_id),
        person_id=person_id,
    )
    owe("return_paid", refund.order_id, key=refund_source(refund.id, number))


def times_returned(refund_id: int) -> int:
    """How often a refund has come back so far."""
    query = select(func.count()).select_from(RefundReturn).where(RefundReturn.refund_id == refund_id)
    return db.session.execute(query).scalar_one()


def went_by_provider(refund: Refund) -> bool:
    """Whether the last time that a refund went through it did so at the provider, rather than by bank."""
    source = refund_source(refund.id, 1 + times_returned(refund.id))
    query = (
        select(Posting.id)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .join(Account, Account.id == Posting.account_id)
        .where(JournalEntry.source == source, Account.gateway.is_not(None))
    )
    return db.session.scalar(query.limit(1)) is not None


def note_return(refund: Refund, failure: str, at: datetime.datetime) -> int:
    """Write down that a refund came back; which time it was."""
    number = 1 + times_returned(refund.id)
    db.session.add(
        RefundReturn(
            refund_id=refund.id,
            number=number,
            attempt=refund.attempt,
            reference=refund.reference,
            failure=failure[:500],
            at=at,
        )
    )
    refund.state, refund.finished_at, refund.failure = "failed", at, failure[:500]
    db.session.flush()
    owe("refund_came_back", refund.order_id, key=refund_source(refund.id, number, came_back=True))
    return number


def _went_back(refund: Refund, counted: Counted) -> str:
    refund.state, refund.finished_at, refund.failure = "succeeded", counted.at, None
    db.session.flush()
    payment = db.session.get_one(Payment, refund.payment_id)
    number = 1 + times_returned(refund.id)
    book_payment_returned(
        refund.id,
        payment.gateway,
        refund.amount,
        order_id=refund.order_id,
        when=counted,
        number=number,
    )
    owe("payment_returned", refund.order_id, key=refund_source(refund.id, number))
    return "refunded"


def _came_back(refund: Refund, failure: str, counted: Counted) -> str:
    payment = db.session.get_one(Payment, refund.payment_id)
    number = note_return(refund, failure, counted.at)
    book_payment_came_back(
        refund.id,
        payment.gateway,
        refund.amount,
        order_id=refund.order_id,
        when=counted,
        number=number,
    )
    return "refund_came_back"


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return now


def _refund_of(event: ProviderEvent) -> Refund | None:
    """The refund that an event speaks of, locked: by our own key, else by the provider's id."""
    number = re.fullmatch(r"refund:(\d{1,18})(:\d+)?", event.refund_key or "")
    if number is None and event.refund_reference is None:
        return None
    known = Refund.id == int(number[1]) if number else Refund.reference == event.refund_reference
    return db.session.scalar(
        select(Refund)
        .where(Refund.payment_id == event.payment_id, known)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
