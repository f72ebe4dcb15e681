"""A shopper changes their mind before paying."""

from __future__ import annotations

from storefront.errors import OrderClosed
from storefront.extensions import db
from storefront.orders.expire import end_order
from storefront.orders.models import Order, OrderState


def cancel(order: Order) -> None:
    """Cancel an unpaid order and give its pieces back; commits. Cancelling it again changes nothing.

    Raises OrderClosed when it is paid or has expired, or its payment page cannot be closed now.
    """
    order_id, state = order.id, order.state
    if state == OrderState.CANCELLED:
        return
    if state != OrderState.AWAITING_PAYMENT or not end_order(order_id, OrderState.CANCELLED):
        raise OrderClosed()
    db.session.get_one(Order, order_id, populate_existing=True)
