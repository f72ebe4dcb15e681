"""What a provider's word about a payment does to its order, however we come by it: an event, or our own question."""

from __future__ import annotations

from sqlalchemy import exists, select

from storefront.extensions import db, defer
from storefront.orders.expire import end_locked_order, hold_while_pending
from storefront.orders.extend import is_extended
from storefront.orders.instalments import lives_until_due
from storefront.orders.mark_paid import record_other_outcome
from storefront.orders.models import Order, OrderState
from storefront.orders.taken import record_taken
from storefront.payments.gateway import EventKind, ProviderEvent, ProviderStatus, gateway
from storefront.payments.models import LIVING_STATES, Payment, PaymentState

#: The words of a provider about a payment itself.
OF_PAYMENTS = (
    EventKind.PAYMENT_SUCCEEDED,
    EventKind.PAYMENT_PENDING,
    EventKind.PAYMENT_FAILED,
    EventKind.PAYMENT_EXPIRED,
)


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


def known_payment(gateway_name: str, event: ProviderEvent) -> str | None:
    """The payment that an event speaks of, if it went through this gateway; one of another is refused."""
    if event.payment_id:
        named = Payment.id == event.payment_id
    elif event.capture_reference:
        named = Payment.capture_reference == event.capture_reference
    else:
        return None
    return db.session.scalar(select(Payment.id).where(named, Payment.gateway == gateway_name))


def apply_to_order(event: ProviderEvent) -> str:
    """Take note of an event about a payment that we know, of a kind in OF_PAYMENTS; returns what it came to."""
    match event.kind:
        case EventKind.PAYMENT_SUCCEEDED:
            return record_taken(
                event.payment_id,
                reference=event.reference,
                amount=event.amount,
                currency=event.currency,
                capture_reference=event.capture_reference,
                fee=event.fee,
                happened_at=event.happened_at,
            )
        case EventKind.PAYMENT_PENDING:
            if _has_failed(event.payment_id):
                # Begun anew, or old news that was overtaken: only the provider can tell.
                defer(
                    "orders.ask_provider",
                    payment_id=event.payment_id,
                    queueing_lock=f"ask:{event.payment_id}",
                )
                return "asked"
            is_held = hold_while_pending(event.payment_id)
            result = record_other_outcome(event.payment_id, PaymentState.PENDING)
            return "on_its_way" if is_held else result
        case EventKind.PAYMENT_FAILED:
            return record_other_outcome(event.payment_id, PaymentState.FAILED)
        case EventKind.PAYMENT_EXPIRED:
            return payment_expired(event.payment_id)
        case _:
            raise ValueError(event.kind)


def _has_failed(payment_id: str) -> bool:
    """Whether a payment has failed; locks its order, then itself, so that no failure comes between."""
    order_id = db.session.execute(select(Payment.order_id).where(Payment.id == payment_id)).scalar_one()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    return payment.state == PaymentState.FAILED


def apply_status(payment_id: str, status: ProviderStatus) -> str:
    """The same for what the provider answers when it is asked; `open` says nothing new."""
    match status.state:
        case "succeeded":
            return record_taken(
                payment_id,
                reference=status.reference,
                amount=status.amount,
                currency=status.currency,
                capture_reference=status.capture_reference,
                fee=status.fee,
                happened_at=status.succeeded_at,
            )
        case "pending":
            hold_while_pending(payment_id)
            return record_other_outcome(payment_id, PaymentState.PENDING)
        case "failed":
            return record_other_outcome(payment_id, PaymentState.FAILED)
        case "expired":
            return payment_expired(payment_id)
        case _:
            return "nothing_changed"


def payment_expired(payment_id: str) -> str:
    """The provider closed a page. Without another living payment the order ends with it, unless it is held longer."""
    order_id = db.session.execute(select(Payment.order_id).where(Payment.id == payment_id)).scalar_one()
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    result = record_other_outcome(payment_id, PaymentState.EXPIRED)
    living = db.session.scalar(
        select(exists().where(Payment.order_id == order_id, Payment.state.in_(LIVING_STATES)))
    )
    # Not when its shopper has it held longer, or a day was agreed: the page ended when it was to end, and a new one can
    # be opened.
    goes_on = living or is_extended(order) or lives_until_due(order)
    if order.state == OrderState.AWAITING_PAYMENT and not goes_on:
        end_locked_order(order, OrderState.EXPIRED)
        return "order_expired"
    return result
