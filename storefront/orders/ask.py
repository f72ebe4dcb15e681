"""Ask the provider what became of a payment, instead of waiting for its word."""

from __future__ import annotations

import datetime

from sqlalchemy import func, insert, select

from storefront.extensions import db, defer
from storefront.orders.payment_events import apply_status
from storefront.payments.gateway import gateway
from storefront.payments.models import LIVING_STATES, Payment, PaymentAttempt

#: A shopper who waits is not asked for more often, in seconds.
NOT_AGAIN_WITHIN = 10


def ask_provider(payment_id: str) -> str:
    """Ask what became of a payment and take note of it; what it came to, in a word.

    Ends the session's transaction, asks outside any, and commits what it learned. Raises LookupError for a
    payment that we do not know, GatewayUnavailable.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise LookupError(payment_id)
    name, reference, since = payment.gateway, payment.reference or payment.id, payment.created_at
    db.session.rollback()
    try:
        status = gateway(name).look_up(reference, since=since)
    except LookupError:
        result, said = "unknown_there", "unknown"
    else:
        said = status.state
        result = apply_status(payment_id, status)
    db.session.execute(
        insert(PaymentAttempt).values(payment_id=payment_id, action="look_up", outcome=said, detail="")
    )
    db.session.commit()
    return result


def ask_soon(order_id: int) -> bool:
    """Queue a question about each page of an order that may still be paid; False when one was asked just now.

    For a shopper who came back and waits: asking teaches us only what the provider says anyway. The caller commits.
    """
    just_now = datetime.timedelta(seconds=NOT_AGAIN_WITHIN)
    asked = (
        select(PaymentAttempt.id)
        .where(
            PaymentAttempt.payment_id == Payment.id,
            PaymentAttempt.action == "look_up",
            PaymentAttempt.at > func.now() - just_now,
        )
        .exists()
    )
    open_pages = db.session.scalars(
        select(Payment.id).where(
            Payment.order_id == order_id,
            Payment.state.in_(LIVING_STATES),
            Payment.url.is_not(None),
            ~asked,
        )
    ).all()
    for payment_id in open_pages:
        defer("orders.ask_provider", payment_id=payment_id, queueing_lock=f"ask:{payment_id}")
    return bool(open_pages)
