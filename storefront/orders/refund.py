"""Money that pays nothing goes back to the shopper through the gateway it came by."""

from __future__ import annotations

import datetime
import re

from sqlalchemy import func, insert, select

from storefront.crash_points import reach
from storefront.days import accounting_day
from storefront.extensions import db, defer
from storefront.ledger.book import bank
from storefront.ledger.sale import book_payment_returned
from storefront.mail.owe import owe
from storefront.payments.gateway import (
    EventKind,
    GatewayUnavailable,
    ProviderEvent,
    ProviderRefused,
    gateway,
)
from storefront.payments.models import Payment, PaymentAttempt, Refund

#: What a gateway says when a way of paying knows no refunds (`payments.gateway.ProviderRefused`).
CANNOT_REFUND = "cannot_refund"


class AlsoByBank(Exception):
    """A refund that is paid by bank went through at the provider after all: a person must look."""


def send_refund(refund_id: int) -> None:
    """Ask the provider to give a refund's money back; the refund's id is the idempotency key. Commits.

    What the provider refuses has failed. Raises GatewayUnavailable, so that the job tries again.
    """
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state != "requested":
        db.session.rollback()
        return
    payment = db.session.get_one(Payment, refund.payment_id)
    gateway_name, amount, key = payment.gateway, refund.amount, idempotency_key(refund)
    reference = payment.capture_reference or payment.reference or payment.id
    db.session.rollback()
    try:
        provider_reference = gateway(gateway_name).refund(reference, amount, key)
    except GatewayUnavailable as error:
        _note(payment.id, "unavailable", str(error))
        db.session.commit()
        raise
    except ProviderRefused as error:
        _note(payment.id, "refused", f"{error.code}: {error}")
        record_refund(_said(payment.id, EventKind.REFUND_FAILED, amount, None, key, error.code))
        db.session.commit()
        return
    reach("refund.after_provider")
    refund = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund.state == "requested":
        refund.state = "pending"
    refund.reference = provider_reference
    _note(refund.payment_id, "asked", "")
    db.session.commit()
    reach("refund.after_commit")


def look_up_refunds(payment_id: str) -> None:
    """Ask the provider about a payment's refunds that are under way, and record what it says. Commits each."""
    payment = db.session.get_one(Payment, payment_id)
    reference = payment.capture_reference or payment.reference or payment.id
    provider = gateway(payment.gateway)
    under_way = db.session.scalars(
        select(Refund).where(Refund.payment_id == payment_id, Refund.state == "pending")
    )
    keys = [idempotency_key(refund) for refund in under_way]
    db.session.rollback()
    for key in keys:
        try:
            found = provider.look_up_refund(reference, key)
        except LookupError:
            continue  # not asked for yet, or under another key
        if found.state != "pending":
            kind = EventKind.REFUND_SUCCEEDED if found.state == "succeeded" else EventKind.REFUND_FAILED
            record_refund(_said(payment_id, kind, found.amount, found.reference, key, found.failure))
            db.session.commit()


def _said(
    payment_id: str, kind: EventKind, amount: int, reference: str | None, key: str, failure: str
) -> ProviderEvent:
    """What the provider answered, as its event would say it."""
    return ProviderEvent(
        kind=kind,
        payment_id=payment_id,
        reference=payment_id,
        amount=amount,
        refund_reference=reference,
        refund_key=key,
        failure=failure,
    )


def idempotency_key(refund: Refund) -> str:
    """What the provider knows this try of the refund by, in its answers and events too."""
    return f"refund:{refund.id}" if refund.attempt == 1 else f"refund:{refund.id}:{refund.attempt}"


def record_refund(event: ProviderEvent) -> str:
    """Take note of what became of a refund at the provider; the same news twice changes nothing.

    A refund that a person decided is handed on to the books, which take its shares back.
    """
    refund = _refund_of(event)
    if refund is None:
        return "unknown_refund"
    failed = event.kind is EventKind.REFUND_FAILED
    if refund.state == "succeeded" or (failed and event.refund_key not in (None, idempotency_key(refund))):
        return "already_recorded"
    if refund.state == "by_bank":
        if not failed:
            raise AlsoByBank(f"refund {refund.id}: the provider gave it back, and it is on its way by bank")
        return "already_recorded"
    if refund.proposed_by is not None:
        refund.reference = event.refund_reference
        db.session.flush()
        defer("books.record_refund", refund_id=refund.id, succeeded=not failed, why=event.failure)
        return "handed_on"
    now = db.session.execute(select(func.now())).scalar_one()
    if failed:
        refund.reference, refund.state, refund.finished_at = event.refund_reference, "failed", now
        refund.failure = event.failure[:500]
        hand_to_bank(refund.id, event.failure)
        return "refund_failed"
    refund.reference, refund.state, refund.finished_at = event.refund_reference, "succeeded", now
    db.session.flush()
    payment = db.session.get_one(Payment, refund.payment_id)
    book_payment_returned(
        refund.id, payment.gateway, refund.amount, order_id=refund.order_id, on=accounting_day(now)
    )
    owe("payment_returned", refund.order_id, key=f"refund:{refund.id}:succeeded")
    return "refunded"


def hand_to_bank(refund_id: int, why: str) -> None:
    """Have a refund go by bank if it failed because its way of paying knows no refunds; else a person decides."""
    if why == CANNOT_REFUND:
        defer("bank.return_by_bank", refund_id=refund_id)


def returned_by_bank(
    refund: Refund, bank_account_id: int, *, on: datetime.date, at: datetime.datetime, person_id: int
) -> None:
    """Money that paid nothing has gone back by bank on the day `on`. The refund is locked; never commits."""
    payment = db.session.get_one(Payment, refund.payment_id)
    refund.state, refund.finished_at = "succeeded", at
    db.session.flush()
    book_payment_returned(
        refund.id,
        payment.gateway,
        refund.amount,
        order_id=refund.order_id,
        on=on,
        paid_from=bank(bank_account_id),
        person_id=person_id,
    )
    owe("return_paid", refund.order_id, key=f"refund:{refund.id}:succeeded")


def _refund_of(event: ProviderEvent) -> Refund | None:
    """The refund that an event speaks of, locked: by our own key, else by the provider's id."""
    number = re.fullmatch(r"refund:(\d{1,18})(:\d+)?", event.refund_key or "")
    known = Refund.id == int(number[1]) if number else Refund.reference == event.refund_reference
    return db.session.scalar(
        select(Refund)
        .where(Refund.payment_id == event.payment_id, known)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _note(payment_id: str, outcome: str, detail: str) -> None:
    db.session.execute(
        insert(PaymentAttempt).values(
            payment_id=payment_id, action="refund", outcome=outcome, detail=detail[:500]
        )
    )
