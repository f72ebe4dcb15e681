"""What a provider's event does to an order."""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import exists, func, select

from storefront.extensions import db, defer
from storefront.orders.expire import end_locked_order, hold_while_pending
from storefront.orders.fee import hand_on_fee
from storefront.orders.mark_paid import AmountDiffers, record_other_outcome, record_payment
from storefront.orders.models import Order, OrderState
from storefront.orders.refund import record_refund
from storefront.payments.gateway import EventKind, ProviderEvent, gateway
from storefront.payments.models import LIVING_STATES, Payment, PaymentEvent, PaymentState
from storefront.payments.said import CURRENCY

log = structlog.get_logger("storefront.orders")

#: What is kept for reconciliation alone: it compares payouts with the provider's and the bank's own lists.
OF_PAYOUTS = (EventKind.PAYOUT_PAID, EventKind.PAYOUT_FAILED, EventKind.PAYOUT_EXPLAINED)


class UnknownCapture(Exception):
    """An event names captured money of which we do not know whose it is yet: ask the provider."""

    def __init__(self, gateway_name: str, capture_reference: str) -> None:
        self.gateway_name, self.capture_reference = gateway_name, capture_reference
        super().__init__(f"{gateway_name}: {capture_reference}")

    def ask(self) -> str:
        """Our id of the payment, asked of the provider between transactions; empty when it knows none of ours.

        Raises GatewayUnavailable.
        """
        try:
            return gateway(self.gateway_name).look_up(self.capture_reference).payment_id or ""
        except LookupError:
            return ""


def handle_payment_event(event_row_id: int, payment_id: str | None = None) -> str:
    """Handle a stored event once, in the caller's transaction; handled again it changes nothing.

    `payment_id` is whose payment it is, where that had to be asked (UnknownCapture). Returns what it came to,
    in a word. Any other exception leaves the event waiting; the job notes it and tries again.
    """
    event = db.session.get_one(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    if event.handled_at is not None:
        return "already_handled"
    said = gateway(event.gateway).read(event.body)
    if payment_id is not None:
        said = replace(said, payment_id=payment_id)
    elif not said.payment_id and said.capture_reference and _known_payment(event.gateway, said) is None:
        raise UnknownCapture(event.gateway, said.capture_reference)
    result = _apply(event.gateway, said)
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
    if event.kind in OF_PAYOUTS:
        return "kept"
    if event.kind is EventKind.OTHER_MODE:
        return "other_mode"
    if event.kind is EventKind.UNKNOWN and not event.payment_id:
        return "ignored"
    payment_id = _known_payment(gateway_name, event)
    if payment_id is None:
        return "unknown_payment"
    event = replace(event, payment_id=payment_id)
    match event.kind:
        case EventKind.PAYMENT_SUCCEEDED:
            return _payment_succeeded(event)
        case EventKind.PAYMENT_PENDING:
            is_held = hold_while_pending(event.payment_id)
            result = record_other_outcome(event.payment_id, PaymentState.PENDING)
            return "on_its_way" if is_held else result
        case EventKind.PAYMENT_FAILED:
            return record_other_outcome(event.payment_id, PaymentState.FAILED)
        case EventKind.PAYMENT_EXPIRED:
            return _payment_expired(event.payment_id)
        case EventKind.REFUND_SUCCEEDED | EventKind.REFUND_FAILED:
            return record_refund(event)
        case EventKind.REFUNDS_CHANGED:
            defer("orders.look_up_refunds", payment_id=event.payment_id)
            return "looked_up"
        case EventKind.DISPUTE_OPENED | EventKind.DISPUTE_WON | EventKind.DISPUTE_LOST:
            return _hand_on_dispute(event)
        case _:
            return "ignored"


def _hand_on_dispute(event: ProviderEvent) -> str:
    """What a dispute takes from whom is for the books to say; one payment's news are told them in order."""
    if not event.dispute_reference:
        return "unknown_dispute"
    defer(
        "books.record_dispute",
        payment_id=event.payment_id,
        reference=event.dispute_reference,
        amount=event.amount,
        outcome=event.kind.removeprefix("dispute_"),
        lock=f"dispute:{event.payment_id}",
    )
    return "handed_on"


def _known_payment(gateway_name: str, event: ProviderEvent) -> str | None:
    """The payment that an event speaks of, if it went through this gateway; one of another is refused."""
    if event.payment_id:
        named = Payment.id == event.payment_id
    elif event.capture_reference:
        named = Payment.capture_reference == event.capture_reference
    else:
        return None
    return db.session.scalar(select(Payment.id).where(named, Payment.gateway == gateway_name))


def _payment_succeeded(event: ProviderEvent) -> str:
    if event.currency != CURRENCY:
        raise AmountDiffers(f"payment {event.payment_id}: the provider says {event.amount} {event.currency}")
    result = record_payment(
        event.payment_id,
        reference=event.reference,
        amount=event.amount,
        capture_reference=event.capture_reference,
    )
    if result != "already_recorded":
        hand_on_fee(event.payment_id, event.fee)
    return result


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
