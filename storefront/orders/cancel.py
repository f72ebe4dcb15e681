"""An unpaid order is called off: by its shopper, or at a stand by the cashier who sells it."""

from __future__ import annotations

from storefront.errors import OrderClosed
from storefront.extensions import db
from storefront.orders.expire import end_order
from storefront.orders.models import Order, OrderState


def cancel(order: Order, *, by: int | None = None) -> None:
    """Cancel an unpaid order and give its pieces back; commits. Cancelling it again changes nothing.

    `by`: the member of staff who does it, for the audit trail; None: whoever bought it.

    Raises OrderClosed when it is paid or has expired, or its payment page cannot be closed now.
    """
    order_id, state = order.id, order.state
    if state == OrderState.CANCELLED:
        return
    if state != OrderState.AWAITING_PAYMENT or not end_order(order_id, OrderState.CANCELLED, by=by):
        raise OrderClosed()
    db.session.get_one(Order, order_id, populate_existing=True)
