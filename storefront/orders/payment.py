"""Payments of an order: opened with it, started at the provider after commit."""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.errors import OrderClosed
from storefront.extensions import db
from storefront.orders.holding_times import holding_times
from storefront.orders.instalments import is_agreed, next_unpaid
from storefront.orders.models import Order, OrderState
from storefront.orders.numbers import new_payment_id
from storefront.orders.payment_request import order_link, payment_request
from storefront.payments.gateway import current_gateway
from storefront.payments.gateway import gateway as find_gateway
from storefront.payments.models import Payment
from storefront.payments.start import start

__all__ = ["open_payment", "order_link", "payments_of", "start_payment"]

#: A shopper who keeps asking for new payment pages gets the last one again.
MOST_PAYMENTS = 20


def open_payment(order: Order, gateway_name: str | None = None) -> Payment:
    """A new payment for the order's first unpaid instalment, in the caller's transaction.

    Through the gateway of that name, by default the one that new payments go through. One that holds pieces
    longer than the order is held yet prolongs its hold, counted from when it was placed. A payment page given
    out before stays valid: if both are paid, the second is given back. Raises OrderClosed when the order is
    paid, expired or cancelled.
    """
    db.session.refresh(order, with_for_update=True)
    if order.state != OrderState.AWAITING_PAYMENT:
        raise OrderClosed()
    instalment = next_unpaid(order.id)
    if instalment is None:
        raise OrderClosed()
    earlier = [payment for payment in payments_of(order) if payment.instalment_id == instalment.id]
    if len(earlier) >= MOST_PAYMENTS:
        return earlier[-1]
    gateway = find_gateway(gateway_name) if gateway_name else current_gateway()
    hold = holding_times(order.placed_at).of(gateway)
    if gateway_name and order.placed_at + hold > order.expires_at:
        order.expires_at = order.placed_at + hold
        db.session.flush()
    now = datetime.datetime.now(datetime.UTC)
    # A page lives as long as its gateway holds pieces, however long another one holds them; one that can follow lives
    # until the day that was agreed.
    follows = is_agreed(order) and gateway.pages_follow
    expires_at = order.expires_at if follows else min(order.expires_at, now + hold)
    # A provider may not open a page for as short as the order is still held; at the hold's end we close it.
    earliest = now + gateway.shortest_page
    payment = Payment(
        id=new_payment_id(),
        order_id=order.id,
        instalment_id=instalment.id,
        gateway=gateway.name,
        amount=instalment.amount,
        expires_at=max(expires_at, earliest) if gateway.shortest_page else expires_at,
    )
    db.session.add(payment)
    db.session.flush()
    return payment


def payments_of(order: Order) -> list[Payment]:
    """All payments of an order, oldest first."""
    return list(
        db.session.scalars(
            select(Payment).where(Payment.order_id == order.id).order_by(Payment.created_at, Payment.id)
        )
    )


def start_payment(payment_id: str) -> Payment:
    """Make sure the provider has a payment page for a payment; the same call again changes nothing.

    Called after commit: it ends the session's transaction, talks to the provider, and commits what it
    learned. When the provider is down the payment comes back with `url` None.
    """
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    if payment.url is not None:
        return payment
    request = payment_request(payment)
    gateway_name = payment.gateway
    db.session.rollback()
    start(gateway_name, request)
    return db.session.get_one(Payment, payment_id, populate_existing=True)
