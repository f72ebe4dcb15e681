"""An order's links, and opening it by one, with wrong tokens counted over all processes."""

from __future__ import annotations

from flask import current_app

from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.tokens import find_order, order_token
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


def receipt_link(order: Order, language: str) -> str:
    """The absolute address of the order's receipt with its token, for whoever bought it at a stand."""
    root = current_app.extensions["settings"].base_url.rstrip("/") + ("/en" if language == "en" else "")
    return f"{root}/orders/{order.number}/receipt?token={order_token(order)}"
