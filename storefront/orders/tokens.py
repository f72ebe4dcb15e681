"""The link to an order: a keyed token, computed and never stored (ARCHITECTURE.md, "Cookies and links")."""

from __future__ import annotations

import hmac

from sqlalchemy import func, select

from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.orders.models import Order, Parcel

#: Days after completion during which a link still opens its order.
VALID_DAYS = 180


def order_token(order: Order) -> str:
    """The order's token: the same in every answer and mail until its version is raised."""
    return in_address(keyed_check("storefront order token", f"{order.id}|{order.token_version}"))


def find_order(number: str, token: str) -> Order:
    """The order with this number, for somebody who holds its token.

    Raises NotFound alike for an unknown number, a wrong token and a link that has ended.
    """
    order: Order | None = (
        db.session.scalar(select(Order).where(Order.number == number)) if _plain(number) else None
    )
    # Compared also without an order, so that the answer's time does not tell whether the number exists.
    expected = order_token(order) if order is not None else "-" * 43
    if not hmac.compare_digest(expected.encode(), token.encode(errors="replace")) or order is None:
        raise NotFound()
    if is_over(order):
        raise NotFound()
    return order


def _plain(number: str) -> bool:
    return number.isascii() and "\x00" not in number and len(number) <= 20


def is_over(order: Order) -> bool:
    """Whether an order was completed so long ago that its link opens it no more."""
    last, open_parcels, now = db.session.execute(
        select(
            func.max(Parcel.received_at),
            func.count().filter(Parcel.state.not_in(["received", "returned", "cancelled"])),
            func.now(),
        ).where(Parcel.order_id == order.id)
    ).one()
    completed = last if not open_parcels else order.closed_at
    return completed is not None and (now - completed).days > VALID_DAYS
