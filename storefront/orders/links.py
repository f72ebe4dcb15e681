"""Opening an order by its link, with wrong tokens counted over all processes."""

from __future__ import annotations

from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.tokens import find_order
from storefront.people import attempts


def open_by_link(number: str, token: str | None, address: str | None) -> Order:
    """The order `number` for somebody at the network address `address` who holds its token.

    Only wrong tokens are written down (and committed at once), so reading an order writes nothing. Raises
    `NotFound` for a wrong one, `attempts.TooManyTries` after many of them.
    """
    if not token:
        raise NotFound()
    try:
        return find_order(number, token)
    except NotFound:
        attempt = attempts.begin("order_token", number[:40], address)
        db.session.commit()
        attempts.check(attempt)
        raise
