"""A new order takes the place of the shopper's own unpaid one: one is cancelled and the other placed, or neither.

First, outside any transaction, the old order's payment pages are closed at their provider. Then, in the checkout's
transaction, the old order is locked: whoever has it first, a payment or this, decides, and the other finds it so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.cart.own_holds import OwnHold, pieces_of
from storefront.cart.view import CartView
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.orders.expire import end_payment_pages
from storefront.orders.models import Order, OrderState
from storefront.payments.models import LIVING_STATES, Payment


class NotReplaced(DomainError):
    """The old order is paid, or money for it is on its way; nothing new was ordered."""

    code, status = "not_replaced", 409
    message = _(
        "Pesanan lama sudah dibayar, berakhir, atau pembayarannya sedang berjalan, jadi tidak kami ganti. Pesanan baru "
        "belum dibuat; lihat dahulu pesanan lama Anda."
    )


def in_the_way(view: CartView, holds: Sequence[OwnHold], wished: Collection[str] = ()) -> list[OwnHold]:
    """The holds that an order of this cart has to replace: those `wished` by number, and as many more as it takes."""
    found = [hold for hold in holds if hold.number in wished]
    for line in view.lines:
        if line.available is None:
            continue
        short = line.quantity - line.available - pieces_of(found).get(line.variant_id, 0)
        for hold in holds:
            held = hold.pieces.get(line.variant_id, 0)
            if short > 0 and held and hold not in found:
                found.append(hold)
                short -= held
    return found


def close_pages(holds: Sequence[OwnHold]) -> None:
    """Close the payment pages of the orders to be replaced, and commit; from then on they are paid by new pages only.

    Raises NotReplaced when one is paid, or its money is under way, or its provider cannot be reached.
    """
    for hold in holds:
        if not end_payment_pages(hold.order_id):
            raise NotReplaced()


def lock(order_ids: Sequence[int]) -> list[Order]:
    """The orders to be replaced, locked until the transaction ends; always in the order of their ids.

    Raises NotReplaced when one is not unpaid any more, or a payment page was opened for it meanwhile.
    """
    orders = list(
        db.session.scalars(
            select(Order)
            .where(Order.id.in_(order_ids), Order.state == OrderState.AWAITING_PAYMENT.value)
            .order_by(Order.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    living = select(Payment.id).where(Payment.order_id.in_(order_ids), Payment.state.in_(LIVING_STATES))
    if len(orders) != len(set(order_ids)) or db.session.scalar(living.limit(1)) is not None:
        raise NotReplaced()
    return orders
