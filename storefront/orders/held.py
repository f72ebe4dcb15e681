"""Money that is not what we asked for, in amount or currency: it pays nothing and waits for a person to decide."""

from __future__ import annotations

from sqlalchemy import select

from storefront.extensions import db
from storefront.ledger.closed import Counted
from storefront.ledger.sale import book_payment_held
from storefront.mail.owe import owe
from storefront.orders.models import Order
from storefront.payments.models import Payment, PaymentState, Refund
from storefront.payments.said import CURRENCY


def is_held(order_id: int) -> bool:
    """Whether money of an order is held and has not gone back yet."""
    given_back = (
        select(Refund.id).where(Refund.payment_id == Payment.id, Refund.state == "succeeded").exists()
    )
    held = select(Payment.id).where(
        Payment.order_id == order_id,
        Payment.state == PaymentState.HELD.value,
        Payment.held_closed_at.is_(None),
        ~given_back,
    )
    return db.session.scalar(held.limit(1)) is not None


def hold(order: Order, payment: Payment, *, amount: int, currency: str, counted: Counted) -> str:
    """Take note that the provider took `amount` of `currency` instead, at the payment's `held_at`.

    Rupiah are booked, since the provider holds them for us; another currency cannot be. Finance sees the
    payment until it has given the money back, or has said why nothing is to be done. The order stays unpaid. The
    caller has locked both rows.
    """
    payment.state = PaymentState.HELD.value
    payment.taken_amount, payment.taken_currency = amount, currency
    db.session.flush()
    if currency == CURRENCY:
        book_payment_held(payment.id, payment.gateway, amount, order_id=order.id, when=counted)
    owe("payment_held", order.id, key=f"payment:{payment.id}:held")
    return "held"
