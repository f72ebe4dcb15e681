"""A sale by code that waits for its payment is called off, while the buyer still stands there.

Nothing was paid, so no second person is asked and no till is touched. First the provider closes its page; money that it
took there after all is recorded, and goes back as any that comes after the end of an order (`orders.mark_paid`).
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.counter.voids import sale_of
from storefront.errors import OrderClosed
from storefront.extensions import db
from storefront.orders.cancel import cancel
from storefront.orders.models import Order


class NotCalledOff(OrderClosed):
    """The money came first, or the provider cannot say so now."""

    message = _l(
        "Belum dapat dibatalkan: uangnya sudah masuk, atau penyedianya belum menjawab. Lihat hasilnya di Struk."
    )


def call_off(exhibition_id: int, number: str, person_id: int) -> Order:
    """The order of a sale of this fair, ended; commits, as the provider is asked in between. Again changes nothing.

    Raises NotFound, and NotCalledOff for a sale that is paid, or whose page cannot be closed.
    """
    order = db.session.get_one(Order, sale_of(exhibition_id, number).order_id)
    try:
        cancel(order, by=person_id)
    except OrderClosed as closed:
        raise NotCalledOff() from closed
    return order
