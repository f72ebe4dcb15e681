"""Payments of an order: opened with it, started at the provider after commit."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import exists, select

from storefront.errors import OrderClosed
from storefront.extensions import db
from storefront.orders.models import Instalment, Order, OrderContact, OrderState
from storefront.orders.numbers import new_payment_id
from storefront.orders.tokens import order_token
from storefront.payments.gateway import PaymentRequest, current_gateway
from storefront.payments.models import Payment
from storefront.payments.start import start

#: A shopper who keeps asking for new payment pages gets the last one again.
MOST_PAYMENTS = 20


def open_payment(order: Order) -> Payment:
    """A new payment for the order's first unpaid instalment, in the caller's transaction.

    Raises OrderClosed when the order is paid, expired or cancelled. A payment page given out before stays
    valid: if both are paid, the second is given back.
    """
    db.session.refresh(order, with_for_update=True)
    if order.state != OrderState.AWAITING_PAYMENT:
        raise OrderClosed()
    instalment = db.session.scalars(
        select(Instalment)
        .where(
            Instalment.order_id == order.id,
            ~exists().where(Payment.instalment_id == Instalment.id, Payment.counts),
        )
        .order_by(Instalment.position)
    ).first()
    if instalment is None:
        raise OrderClosed()
    earlier = payments_of(order)
    if len(earlier) >= MOST_PAYMENTS:
        return earlier[-1]
    return _open(order, instalment)


def open_first_payment(order: Order) -> Payment:
    """The first payment of an order that was placed in the caller's transaction: nobody else knows it yet."""
    return _open(order, order.instalments[0])


def _open(order: Order, instalment: Instalment) -> Payment:
    payment = Payment(
        id=new_payment_id(),
        order_id=order.id,
        instalment_id=instalment.id,
        gateway=current_gateway().name,
        amount=instalment.amount,
        expires_at=order.expires_at,
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
    order = db.session.get_one(Order, payment.order_id)
    contact = db.session.get(OrderContact, order.id)
    request = PaymentRequest(
        id=payment.id,
        amount=payment.amount,
        description=order.number,
        return_url=f"{order_link(order)}&waited=0",
        locale=order.locale,
        expires_at=payment.expires_at,
        email=contact.email if contact else None,
    )
    gateway_name = payment.gateway
    db.session.rollback()
    start(gateway_name, request)
    return db.session.get_one(Payment, payment_id, populate_existing=True)


def order_link(order: Order) -> str:
    """The address of the order's page with its token, absolute, in the order's language."""
    settings = current_app.extensions["settings"]
    prefix = "/en" if order.locale == "en" else ""
    # Built by hand: in a job there is no request, and in one its language is not the order's.
    return f"{settings.base_url.rstrip('/')}{prefix}/orders/{order.number}?token={order_token(order)}"
