"""The provider's fees: booked as it reports them, borne by whom a dated setting names.

A fee is spread over the order's facilities by net amount, by largest remainder. What facilities' funds do not
bear, the operator bears.
"""

from __future__ import annotations

import datetime

from sqlalchemy import select, text

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.ledger.closed import counting
from storefront.ledger.fee_bearers import OPERATOR, bearer_on
from storefront.ledger.fees import book_fee as book_entry
from storefront.ledger.models import Fund
from storefront.ledger.take_back import Taken
from storefront.money import split
from storefront.orders.models import Order
from storefront.payments.gateway import gateway
from storefront.payments.models import Payment

BY_FACILITY = text(
    """
    SELECT facility_id, facility_code, sum(net_amount)::bigint AS net_amount, min(position) AS position
      FROM order_lines WHERE order_id = :order_id GROUP BY facility_id, facility_code ORDER BY position"""
)


def book_fee(payment_id: str, amount: int, *, at: datetime.datetime | None = None) -> str:
    """Take note of what the provider kept of a payment, in rupiah. Told again, it changes nothing.

    It counts on the day on which its payment counts, or on the day of `at` (by default now) when that month is
    closed, and burdens whom the setting of the payment's day names. The fee of a payment that paid nothing belongs
    to no facility: the operator bears it. Returns what it came to, in a word. Raises LookupError for a payment that
    has not succeeded. Never commits.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise LookupError(payment_id)
    # The order first, as whoever records what became of its money does.
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    taken_at = payment.succeeded_at or payment.held_at
    if taken_at is None:
        raise LookupError(payment_id)
    if payment.fee is not None:
        return "already_booked"
    if not payment.is_of_rupiah:
        return "other_currency"
    if amount < 0 or amount > payment.received:
        raise ValueError(f"payment {payment_id}: a fee of {amount}")
    payment.fee = amount
    db.session.flush()
    if not amount:
        return "no_fee"
    paid_at = order.paid_at if payment.counts and order.paid_at else taken_at
    book_entry(
        payment.id,
        payment.gateway,
        amount,
        borne_by_facilities(payment, amount, accounting_day(paid_at)) if payment.counts else [],
        order_id=payment.order_id,
        when=counting(paid_at, known_at=at),
    )
    return "booked"


class FeeNotKnown(Exception):
    """The provider does not say yet what it keeps: ask again later."""


def learn_fee(payment_id: str) -> str:
    """Ask the provider what it keeps of a payment, and book it; commits. Ends the session's transaction first.

    Returns what it came to, in a word. Raises FeeNotKnown, GatewayUnavailable.
    """
    payment = db.session.get_one(Payment, payment_id)
    name, reference, known = payment.gateway, payment.reference or payment.id, payment.fee
    since = payment.created_at
    db.session.rollback()
    if known is not None:
        return "already_booked"
    fee = gateway(name).look_up(reference, since=since).fee
    if fee is None:
        raise FeeNotKnown(payment_id)
    result = book_fee(payment_id, fee)
    db.session.commit()
    return result


def borne_by_facilities(payment: Payment, amount: int, on: datetime.date) -> list[Taken]:
    """What each facility's fund bears of a fee `on` a day; nothing when the operator bears it."""
    bearer = bearer_on(on)
    if bearer == OPERATOR:
        return []
    fund_id = db.session.execute(select(Fund.id).where(Fund.code == bearer)).scalar_one()
    rows = db.session.execute(BY_FACILITY, {"order_id": payment.order_id}).all()
    parts = split(amount, [row.net_amount for row in rows])
    return [
        Taken(row.facility_id, row.facility_code, part, fund_id, bearer)
        for row, part in zip(rows, parts, strict=True)
    ]
