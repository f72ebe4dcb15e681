"""Unpaid orders end: by time, or because the shopper or the provider ended them. Their pieces come back.

First the provider's payment page is closed, outside any transaction; only if that succeeded is the stock
freed. A page that turns out to be paid pays the order instead.
"""

from __future__ import annotations

import datetime

import structlog
from sqlalchemy import ColumnElement, func, insert, select, update

from storefront.audit.record import record
from storefront.crash_points import reach
from storefront.extensions import db
from storefront.mail.owe import owe
from storefront.orders.deposits import give_back_deposits
from storefront.orders.extend import is_extended
from storefront.orders.instalments import lives_until_due
from storefront.orders.models import Order, OrderLine, OrderState, Parcel, ParcelState
from storefront.orders.taken import record_taken
from storefront.payments.gateway import GatewayUnavailable, gateway
from storefront.payments.models import LIVING_STATES, Payment, PaymentAttempt, PaymentState
from storefront.stock.reserve import release

log = structlog.get_logger("storefront.orders")

#: Orders looked at in one run of the periodic job; the rest follow a minute later.
AT_ONCE = 200


def expire_unpaid() -> int:
    """Expire orders whose hold has ended, by the database's clock; returns how many. Commits each by itself.

    May run on several workers at once: whoever locks an order first ends it, the others pass over it.
    """
    due = db.session.scalars(
        select(Order.id)
        .where(Order.state == OrderState.AWAITING_PAYMENT.value, Order.expires_at < func.now())
        .order_by(Order.expires_at)
        .limit(AT_ONCE)
    ).all()
    db.session.rollback()
    ended = sum(_expire(order_id) for order_id in due)
    close_left_over_pages()
    close_outlived_pages()
    return ended


def _expire(order_id: int) -> bool:
    """Whether an order was ended; one that cannot be, because its provider says odd things, stops no other."""
    try:
        return end_order(order_id, OrderState.EXPIRED)
    except Exception as error:
        db.session.rollback()
        log.error("order_not_expired", order_id=order_id, error=type(error).__name__, exc_info=error)
        return False


def close_left_over_pages() -> None:
    """End payments whose time is over though their order is paid by another one, or has ended. Commits each.

    The provider closes its page first; money that it took there after all is recorded, and given back.
    """
    left_over = db.session.scalars(
        select(Payment.order_id)
        .distinct()
        .join(Order, Order.id == Payment.order_id)
        .where(
            Payment.state.in_([PaymentState.CREATED.value, PaymentState.PENDING.value]),
            Payment.expires_at < func.now(),
            Order.state != OrderState.AWAITING_PAYMENT.value,
        )
        .limit(AT_ONCE)
    ).all()
    db.session.rollback()
    for order_id in left_over:
        if close_payment_pages(order_id):
            _end_payments(Payment.order_id == order_id)
            db.session.commit()


def close_outlived_pages() -> None:
    """End payments whose time is over though their order is held on: its hold was extended, or another way of paying
    holds it longer. Commits each. The order goes on; its page offers a new payment.
    """
    outlived = db.session.execute(
        select(Payment.order_id, Payment.id)
        .join(Order, Order.id == Payment.order_id)
        .where(
            Payment.state.in_([PaymentState.CREATED.value, PaymentState.PENDING.value]),
            Payment.expires_at < func.now(),
            Order.state == OrderState.AWAITING_PAYMENT.value,
            Order.expires_at > func.now(),
        )
        .limit(AT_ONCE)
    ).all()
    db.session.rollback()
    for order_id, payment_id in outlived:
        if close_payment_pages(order_id, payment_id):
            _end_payments(Payment.id == payment_id)
            db.session.commit()


def _end_payments(which: ColumnElement[bool], state: PaymentState = PaymentState.EXPIRED) -> None:
    db.session.execute(
        update(Payment).where(which, Payment.state.in_(LIVING_STATES)).values(state=state.value)
    )


def end_order(order_id: int, state: OrderState, *, by: int | None = None) -> bool:
    """Close the payment pages of an unpaid order, then end it as `state` (expired or cancelled); `by`: who of staff.

    Ends the session's transaction and commits its own. False when the order was not ended: it is paid, or
    ended already, or held longer meanwhile, or the provider cannot be reached now.
    """
    if not close_payment_pages(order_id):
        return False
    reach("expiry.after_provider")
    # Waits for whoever has the order: it may be a shopper who has it held longer, as they asked in time.
    order = db.session.scalar(
        select(Order)
        .where(Order.id == order_id, Order.state == OrderState.AWAITING_PAYMENT.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is None:
        db.session.rollback()
        return False
    if state is OrderState.EXPIRED and (is_extended(order) or lives_until_due(order)):
        # Its pages are closed already, so they are ended here too: the shopper opens a new one.
        _end_payments(Payment.order_id == order_id)
        db.session.commit()
        return False
    end_locked_order(order, state)
    if by is not None:
        record("order.called_off", "order", order_id, person_id=by, details={"after": {"state": state.value}})
    reach("expiry.before_commit")
    db.session.commit()
    reach("expiry.after_commit")
    return True


def end_payment_pages(order_id: int) -> bool:
    """Close the payment pages of an unpaid order and end its payments, while the order itself goes on; commits.

    Its page offers a new payment from then on. False when the order is paid, or its money is under way, or the
    provider cannot be reached now; an order that has ended already has nothing to close.
    """
    if not close_payment_pages(order_id):
        return False
    living = select(Order.id).where(Order.id == order_id, Order.state == OrderState.AWAITING_PAYMENT.value)
    if db.session.scalar(living.with_for_update()) is not None:
        _end_payments(Payment.order_id == order_id)
    db.session.commit()
    return True


def end_locked_order(order: Order, state: OrderState) -> None:
    """End an unpaid order that the caller has locked: stock released, parcels cancelled, shopper told."""
    now = db.session.execute(select(func.now())).scalar_one()
    order.state, order.closed_at = state.value, now
    db.session.flush()
    release(list(db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == order.id))))
    db.session.execute(
        update(Parcel)
        .where(Parcel.order_id == order.id, Parcel.state == ParcelState.WAITING.value)
        .values(state=ParcelState.CANCELLED.value)
    )
    _end_payments(
        Payment.order_id == order.id,
        PaymentState.EXPIRED if state is OrderState.EXPIRED else PaymentState.CANCELLED,
    )
    give_back_deposits(order)
    owe(f"order_{state.value}", order.id)


def close_payment_pages(order_id: int, only: str | None = None) -> bool:
    """Close every payment page of an order at its provider, or that of the payment `only`.

    False when one is paid or cannot be closed.
    """
    open_payments = db.session.execute(
        select(Payment.id, Payment.gateway, Payment.reference, Payment.created_at).where(
            Payment.order_id == order_id,
            Payment.state.in_(LIVING_STATES),
            *([Payment.id == only] if only else []),
        )
    ).all()
    db.session.rollback()
    for payment_id, gateway_name, reference, since in open_payments:
        # The id is the idempotency key: a page may exist though we never learned its reference.
        try:
            status = gateway(gateway_name).expire(reference or payment_id, since=since)
        except LookupError:
            continue
        except GatewayUnavailable as error:
            log.warning("payment_page_not_closed", payment_id=payment_id, reason=str(error))
            return False
        # The note comes last: it holds the payment's row, and the order is locked before its payment.
        is_held, is_taken = False, status.state == "succeeded"
        if is_taken:
            record_taken(
                payment_id,
                reference=status.reference,
                amount=status.amount,
                currency=status.currency,
                capture_reference=status.capture_reference,
                fee=status.fee,
                happened_at=status.succeeded_at,
            )
        elif status.state == "pending":
            is_held = hold_while_pending(payment_id)
        db.session.execute(
            insert(PaymentAttempt).values(
                payment_id=payment_id, action="expire", outcome=status.state, detail=""
            )
        )
        db.session.commit()
        if is_taken or is_held:
            return False
    return True


def hold_while_pending(payment_id: str) -> bool:
    """Hold an unpaid order as long as its provider may take to bring money that is on its way. Never commits.

    Once, counted from the end of the page: whoever never pays does not hold the pieces for ever. Whether the
    order is held at this moment.
    """
    payment = db.session.get_one(Payment, payment_id)
    longer = gateway(payment.gateway).settles_within
    until = payment.expires_at + longer
    if not longer or until <= datetime.datetime.now(datetime.UTC):
        return False
    order = db.session.get_one(Order, payment.order_id, with_for_update=True, populate_existing=True)
    if order.state == OrderState.AWAITING_PAYMENT and order.expires_at < until:
        order.expires_at = until
        db.session.flush()
    return True
