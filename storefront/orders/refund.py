"""Money that goes back: asked of the provider, and asked about."""

from __future__ import annotations

from sqlalchemy import insert, select

from storefront.crash_points import reach
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.refund_news import (
    Books,
    hand_on,
    idempotency_key,
    record_refund,
    returned_by_bank,
)
from storefront.payments.gateway import (
    EventKind,
    GatewayUnavailable,
    ProviderEvent,
    ProviderRefused,
    gateway,
)
from storefront.payments.models import Payment, PaymentAttempt, Refund
from storefront.payments.said import CASH

__all__ = ["idempotency_key", "look_up_refunds", "record_refund", "returned_by_bank", "send_refund"]


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
        if gateway_name == CASH:  # nobody stands at the till any more: it goes back by bank
            raise ProviderRefused("cannot_refund", "cash is given back at its stand, or by bank")
        provider_reference = gateway(gateway_name).refund(reference, amount, key)
    except GatewayUnavailable as error:
        _note(payment.id, "unavailable", str(error))
        db.session.commit()
        raise
    except ProviderRefused as error:
        # The note after the order is locked: what it says of the payment holds that row too.
        record_refund(_said(payment.id, EventKind.REFUND_FAILED, amount, None, key, error.code))
        _note(payment.id, "refused", f"{error.code}: {error}")
        db.session.commit()
        return
    reach("refund.after_provider")
    # The order first, as whoever records what became of its money does.
    db.session.get_one(Order, refund.order_id, with_for_update=True, populate_existing=True)
    refund = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund.state == "requested":
        refund.state = "pending"
    refund.reference = provider_reference
    _note(refund.payment_id, "asked", "")
    db.session.commit()
    reach("refund.after_commit")


def look_up_refunds(payment_id: str, books: Books = hand_on) -> int:
    """Ask the provider about a payment's refunds that are under way or went through, and record what it says.

    One that went through may have come back since. How many had news. Commits each. Raises GatewayUnavailable.
    """
    news = 0
    payment = db.session.get_one(Payment, payment_id)
    reference = payment.capture_reference or payment.reference or payment.id
    provider = gateway(payment.gateway)
    asked_about = db.session.scalars(
        select(Refund).where(Refund.payment_id == payment_id, Refund.state.in_(("pending", "succeeded")))
    )
    keys = [idempotency_key(refund) for refund in asked_about if not refund.is_made_there]
    db.session.rollback()
    for key in keys:
        try:
            found = provider.look_up_refund(reference, key)
        except LookupError:
            continue  # not asked for yet, or under another key
        if found.state != "pending":
            kind = EventKind.REFUND_SUCCEEDED if found.state == "succeeded" else EventKind.REFUND_FAILED
            said = _said(payment_id, kind, found.amount, found.reference, key, found.failure)
            news += record_refund(said, books) not in ("already_recorded", "already_failed")
            db.session.commit()
    return news


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


def _note(payment_id: str, outcome: str, detail: str) -> None:
    db.session.execute(
        insert(PaymentAttempt).values(
            payment_id=payment_id, action="refund", outcome=outcome, detail=detail[:500]
        )
    )
