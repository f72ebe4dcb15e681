"""Money that pays nothing goes back to the shopper through the gateway it came by."""

from __future__ import annotations

import datetime
import re

from sqlalchemy import func, insert, select

from storefront.crash_points import reach
from storefront.extensions import db, defer
from storefront.ledger.closed import counting
from storefront.ledger.sale import book_payment_returned
from storefront.mail.owe import owe
from storefront.payments.gateway import EventKind, GatewayUnavailable, ProviderEvent, gateway
from storefront.payments.models import Payment, PaymentAttempt, Refund


def send_refund(refund_id: int) -> None:
    """Ask the provider to give a refund's money back; the refund's id is the idempotency key. Commits.

    Raises GatewayUnavailable, so that the job tries again.
    """
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state != "requested":
        db.session.rollback()
        return
    payment = db.session.get_one(Payment, refund.payment_id)
    gateway_name, reference, amount = payment.gateway, payment.reference or payment.id, refund.amount
    key = idempotency_key(refund)
    db.session.rollback()
    try:
        provider_reference = gateway(gateway_name).refund(reference, amount, key)
    except GatewayUnavailable as error:
        _note(payment.id, "unavailable", str(error))
        db.session.commit()
        raise
    reach("refund.after_provider")
    refund = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund.state == "requested":
        refund.state = "pending"
    refund.reference = provider_reference
    _note(refund.payment_id, "asked", "")
    db.session.commit()
    reach("refund.after_commit")


def idempotency_key(refund: Refund) -> str:
    """What the provider knows this try of the refund by, in its answers and events too."""
    return f"refund:{refund.id}" if refund.attempt == 1 else f"refund:{refund.id}:{refund.attempt}"


def record_refund(event: ProviderEvent, happened_at: datetime.datetime | None = None) -> str:
    """Take note of what became of a refund at the provider, at `happened_at` or now; the same news twice
    changes nothing.

    A refund that a person decided is handed on to the books, which take its shares back.
    """
    refund = _refund_of(event)
    if refund is None:
        return "unknown_refund"
    failed = event.kind is EventKind.REFUND_FAILED
    if refund.state == "succeeded" or (failed and event.refund_key not in (None, idempotency_key(refund))):
        return "already_recorded"
    if refund.proposed_by is not None:
        refund.reference = event.refund_reference
        db.session.flush()
        defer(
            "books.record_refund",
            refund_id=refund.id,
            succeeded=not failed,
            why=event.failure,
            happened_at=happened_at.isoformat() if happened_at else None,
        )
        return "handed_on"
    now = db.session.execute(select(func.now())).scalar_one()
    if failed:
        refund.reference, refund.state, refund.finished_at = event.refund_reference, "failed", now
        refund.failure = event.failure[:500]
        return "refund_failed"
    counted = counting(happened_at or now)
    refund.reference, refund.state, refund.finished_at = event.refund_reference, "succeeded", counted.at
    db.session.flush()
    payment = db.session.get_one(Payment, refund.payment_id)
    book_payment_returned(refund.id, payment.gateway, refund.amount, order_id=refund.order_id, when=counted)
    owe("payment_returned", refund.order_id, key=f"refund:{refund.id}:succeeded")
    return "refunded"


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
