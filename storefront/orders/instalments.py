"""Orders that are paid in parts: how the total is divided, what is due next, and how long the order lives."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from storefront.extensions import db
from storefront.orders.models import Instalment, Order, OrderState
from storefront.payments.models import Payment

WHOLE = 10_000


@dataclass(frozen=True)
class Part:
    """A part of an order's total, in rupiah, and until when it is paid."""

    amount: int
    due_at: datetime.datetime


@dataclass(frozen=True)
class PartView:
    """An instalment as pages show it."""

    id: int
    position: int
    amount: int
    due_at: datetime.datetime
    #: None: it is not paid.
    paid_at: datetime.datetime | None


def parts_of(total: int, deposit_bp: int) -> list[int]:
    """`total` rupiah as one or two amounts: the first is `deposit_bp` of 10,000 of it, rounded half up.

    Neither part is ever nothing: a share that rounds to nothing or to all of it leaves one rupiah to the other, unless
    it is the whole. Raises ValueError for a share that is none.
    """
    if total < 1 or not 1 <= deposit_bp <= WHOLE:
        raise ValueError(f"{deposit_bp} of {total}")
    if deposit_bp == WHOLE or total == 1:
        return [total]
    first = min(max((total * deposit_bp * 2 + WHOLE) // (2 * WHOLE), 1), total - 1)
    return [first, total - first]


def next_unpaid(order_id: int) -> Instalment | None:
    """The first instalment that no payment counts for; None when all are paid."""
    return db.session.scalars(
        select(Instalment)
        .where(
            Instalment.order_id == order_id,
            ~exists().where(Payment.instalment_id == Instalment.id, Payment.counts),
        )
        .order_by(Instalment.position)
    ).first()


def counted_before(order_id: int) -> Sequence[Payment]:
    """The payments that count for instalments of an order, in their order."""
    return db.session.scalars(
        select(Payment)
        .join(Instalment, Instalment.id == Payment.instalment_id)
        .where(Payment.order_id == order_id, Payment.counts)
        .order_by(Instalment.position)
    ).all()


def schedule(order_id: int) -> list[PartView]:
    """An order's instalments with what is paid of them."""
    rows = db.session.execute(
        select(Instalment, Payment.succeeded_at)
        .outerjoin(Payment, (Payment.instalment_id == Instalment.id) & Payment.counts)
        .where(Instalment.order_id == order_id)
        .order_by(Instalment.position)
    )
    return [PartView(part.id, part.position, part.amount, part.due_at, paid_at) for part, paid_at in rows]


def lives_until_due(order: Order) -> bool:
    """Whether an unpaid order goes on whatever becomes of one payment page: its instalment is not overdue yet.

    True for orders that are not held for a gateway's hold but until a day that was agreed.
    """
    if order.state != OrderState.AWAITING_PAYMENT or not is_agreed(order):
        return False
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return order.expires_at > now


def is_agreed(order: Order) -> bool:
    """Whether days of payment were agreed for the order, as in a quote, rather than a gateway's hold."""
    return order.channel == "quote"
