"""Money that pays nothing goes back to the shopper through the gateway it came by."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from storefront.crash_points import reach
from storefront.days import accounting_day
from storefront.extensions import db
from storefront.ledger.sale import book_payment_returned
from storefront.mail.owe import owe
from storefront.payments.gateway import EventKind, GatewayUnavailable, gateway
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
    db.session.rollback()
    try:
        provider_reference = gateway(gateway_name).refund(reference, amount, f"refund:{refund_id}")
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


def record_refund(payment_id: str, reference: str | None, kind: EventKind) -> str:
    """Take note of what became of a refund at the provider; the same news twice changes nothing."""
    refund = db.session.scalar(
        select(Refund)
        .where(Refund.payment_id == payment_id, (Refund.reference == reference) | Refund.reference.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if refund is None:
        return "unknown_refund"
    if refund.state in ("succeeded", "failed"):
        return "already_recorded"
    now = db.session.execute(select(func.now())).scalar_one()
    refund.reference = reference
    refund.finished_at = now
    if kind is EventKind.REFUND_FAILED:
        refund.state = "failed"
        return "refund_failed"
    refund.state = "succeeded"
    db.session.flush()
    payment = db.session.get_one(Payment, payment_id)
    book_payment_returned(
        refund.id, payment.gateway, refund.amount, order_id=refund.order_id, on=accounting_day(now)
    )
    owe("payment_returned", refund.order_id, key=f"refund:{refund.id}:succeeded")
    return "refunded"


def _note(payment_id: str, outcome: str, detail: str) -> None:
    db.session.execute(
        insert(PaymentAttempt).values(
            payment_id=payment_id, action="refund", outcome=outcome, detail=detail[:500]
        )
    )
