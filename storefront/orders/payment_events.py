"""What a provider's event does to an order."""

from __future__ import annotations

import datetime

import structlog
from sqlalchemy import exists, func, select

from storefront.extensions import db, defer
from storefront.orders.expire import end_locked_order
from storefront.orders.mark_paid import record_other_outcome, record_payment
from storefront.orders.models import Order, OrderState
from storefront.orders.refund import record_refund
from storefront.payments.gateway import EventKind, ProviderEvent, gateway
from storefront.payments.models import LIVING_STATES, Payment, PaymentEvent, PaymentState

log = structlog.get_logger("storefront.orders")


def handle_payment_event(event_row_id: int) -> str:
    """Handle a stored event once, in the caller's transaction; handled again it changes nothing.

    Returns what it came to, in a word. Any exception leaves the event waiting; the job notes it and tries
    again.
    """
    event = db.session.get_one(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    if event.handled_at is not None:
        return "already_handled"
    result = _apply(event.gateway, gateway(event.gateway).read(event.body))
    event.result = result
    event.attempts += 1
    event.last_error = None
    event.handled_at = db.session.execute(select(func.now())).scalar_one()
    return result


def note_failure(event_row_id: int, error: BaseException) -> None:
    """Write down why an event could not be handled, for finance to see."""
    event = db.session.get_one(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    event.attempts += 1
    event.last_error = f"{type(error).__name__}: {error}"[:1000]


def _apply(gateway_name: str, event: ProviderEvent) -> str:
    if not _is_ours(gateway_name, event):
        return "unknown_payment"
    happened_at = _happened_at(event)
    match event.kind:
        case EventKind.PAYMENT_SUCCEEDED:
            result = record_payment(
                event.payment_id, reference=event.reference, amount=event.amount, happened_at=happened_at
            )
            if event.fee:
                defer("books.book_fee", payment_id=event.payment_id, amount=event.fee)
            return result
        case EventKind.PAYMENT_PENDING:
            return record_other_outcome(event.payment_id, PaymentState.PENDING)
        case EventKind.PAYMENT_FAILED:
            return record_other_outcome(event.payment_id, PaymentState.FAILED)
        case EventKind.PAYMENT_EXPIRED:
            return _payment_expired(event.payment_id)
        case EventKind.REFUND_SUCCEEDED | EventKind.REFUND_FAILED:
            return record_refund(event, happened_at)
        case EventKind.DISPUTE_OPENED | EventKind.DISPUTE_WON | EventKind.DISPUTE_LOST:
            return _hand_on_dispute(event, happened_at)
        case _:
            return "ignored"


def _happened_at(event: ProviderEvent) -> datetime.datetime | None:
    """When the provider says that it happened; None where it says nothing, or what cannot be: then it is now."""
    if event.happened_at is None:
        return None
    can_be = select(event.happened_at >= Payment.created_at, event.happened_at <= func.now())
    is_after, is_past = db.session.execute(can_be.where(Payment.id == event.payment_id)).one()
    return event.happened_at if is_after and is_past else None


def _hand_on_dispute(event: ProviderEvent, happened_at: datetime.datetime | None) -> str:
    """What a dispute takes from whom is for the books to say; one payment's news are told them in order."""
    if not event.dispute_reference:
        return "unknown_dispute"
    defer(
        "books.record_dispute",
        payment_id=event.payment_id,
        reference=event.dispute_reference,
        amount=event.amount,
        outcome=event.kind.removeprefix("dispute_"),
        happened_at=happened_at.isoformat() if happened_at else None,
        lock=f"dispute:{event.payment_id}",
    )
    return "handed_on"


def _is_ours(gateway_name: str, event: ProviderEvent) -> bool:
    """Whether the event speaks of a payment that went through this gateway; one of another is refused."""
    return bool(
        db.session.scalar(
            select(exists().where(Payment.id == event.payment_id, Payment.gateway == gateway_name))
        )
    )


def _payment_expired(payment_id: str) -> str:
    """The provider closed a page. Without another living payment the order ends with it."""
    order_id = db.session.execute(select(Payment.order_id).where(Payment.id == payment_id)).scalar_one()
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    result = record_other_outcome(payment_id, PaymentState.EXPIRED)
    living = db.session.scalar(
        select(exists().where(Payment.order_id == order_id, Payment.state.in_(LIVING_STATES)))
    )
    if order.state == OrderState.AWAITING_PAYMENT and not living:
        end_locked_order(order, OrderState.EXPIRED)
        return "order_expired"
    return result
