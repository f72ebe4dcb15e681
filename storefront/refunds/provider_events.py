"""What a provider's event does: to an order, to a refund, to a dispute. One transaction for all of it.

Events come twice, in any order, or years late; each takes effect once, by the key of the fact it tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select

from storefront.books.disputes import record_dispute
from storefront.extensions import db, defer
from storefront.orders.payment_events import OF_PAYMENTS, UnknownCapture, apply_to_order, known_payment
from storefront.orders.refund_news import record_refund
from storefront.orders.taken import believed
from storefront.payments.gateway import EventKind, ProviderEvent, gateway
from storefront.payments.models import Payment, PaymentEvent
from storefront.refunds.refund_outcome import record_outcome

OF_REFUNDS = (EventKind.REFUND_SUCCEEDED, EventKind.REFUND_FAILED)
OF_DISPUTES = (EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST)
#: Kept for reconciliation alone, which compares payouts with the provider's and the bank's own lists.
OF_PAYOUTS = (EventKind.PAYOUT_PAID, EventKind.PAYOUT_FAILED, EventKind.PAYOUT_EXPLAINED)
#: Events that say that money has moved: one that we cannot place is shown to finance.
OF_MONEY = (EventKind.PAYMENT_SUCCEEDED, *OF_REFUNDS, *OF_DISPUTES)
#: Results of such an event that a person must look at.
NOT_PLACED = ("unknown_payment", "unknown_refund", "unknown_dispute")
#: A payment whose money the provider has.
TAKEN_STATES = ("succeeded", "held")


class NotYet(Exception):
    """An event speaks of something that we do not know yet, such as a dispute before its payment."""

    def __init__(self, what: str, payment_id: str) -> None:
        #: What it waits for, such as `payment:<id>`.
        self.what, self.payment_id = what, payment_id
        super().__init__(f"waits for {what}")


@dataclass(frozen=True)
class Handled:
    """What an event came to, in a word, and whether a person must look at it all the same."""

    result: str
    needs_person: bool = False


def handle(event_row_id: int, payment_id: str | None = None) -> Handled:
    """Handle a stored event once, in the caller's transaction; handled again it changes nothing.

    `payment_id` is whose payment it is, where that had to be asked (UnknownCapture; '' for nobody's). Raises
    NotYet for one that must wait; any exception leaves the event as it was.
    """
    row = db.session.get_one(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    if row.handled_at is not None:
        return Handled("already_handled")
    event = gateway(row.gateway).read(row.body)
    if payment_id is not None:
        event = replace(event, payment_id=payment_id)
    elif not event.payment_id and event.capture_reference and known_payment(row.gateway, event) is None:
        raise UnknownCapture(row.gateway, event.capture_reference)
    result = "not_ours" if payment_id == "" else apply(row.gateway, event)
    done = Handled(result, event.kind in OF_MONEY and result in NOT_PLACED)
    row.result, row.needs_person = done.result, done.needs_person
    row.attempts += 1
    row.last_error = row.waits_for = row.next_try_at = None
    row.handled_at = db.session.execute(select(func.now())).scalar_one()
    return done


def apply(gateway_name: str, event: ProviderEvent) -> str:
    """Take note of what a provider says, from an event or otherwise; what it came to, in a word. Never commits."""
    if event.kind in OF_PAYOUTS:
        return "kept"
    if event.kind is EventKind.OTHER_MODE:
        return "other_mode"
    if event.kind is EventKind.UNKNOWN and not event.payment_id:
        return "ignored"
    payment_id = known_payment(gateway_name, event)
    if payment_id is None:
        return "unknown_payment"
    event = replace(event, payment_id=payment_id)
    if event.kind in OF_PAYMENTS:
        return apply_to_order(event)
    if event.kind in (*OF_REFUNDS, *OF_DISPUTES):
        _require_taken(payment_id)
    if event.kind in OF_REFUNDS:
        result = record_refund(event, record_outcome)
        # Without our key, a person made it in the provider's own pages: reconciliation lists it.
        return "made_there" if result == "unknown_refund" and event.refund_key is None else result
    if event.kind in OF_DISPUTES:
        return _dispute(event)
    if event.kind is EventKind.REFUNDS_CHANGED:
        defer("orders.look_up_refunds", payment_id=payment_id)
        return "looked_up"
    return "ignored"


def _require_taken(payment_id: str) -> None:
    state = db.session.execute(select(Payment.state).where(Payment.id == payment_id)).scalar_one()
    if state not in TAKEN_STATES:
        raise NotYet(f"payment:{payment_id}", payment_id)


def _dispute(event: ProviderEvent) -> str:
    if not event.dispute_reference:
        return "unknown_dispute"
    outcome = event.kind.removeprefix("dispute_")
    return record_dispute(
        event.payment_id,
        event.dispute_reference,
        event.amount,
        outcome,
        happened_at=believed(event.payment_id, event.happened_at),
    )
