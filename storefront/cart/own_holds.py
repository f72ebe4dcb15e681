"""What a shopper holds already: their own unpaid orders, which must never stand in their own way.

Whose they are is decided as for the order's page: by the person who is signed in, or by the tokens in the cookie.
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Request
from sqlalchemy import ColumnElement, func, select

from config import Settings
from storefront.extensions import db
from storefront.orders import order_cookie
from storefront.orders.models import Channel, Order, OrderLine, OrderState
from storefront.orders.tokens import order_token
from storefront.stock.models import Reservation


@dataclass(frozen=True)
class OwnHold:
    """An unpaid order of this shopper and the pieces that it holds."""

    order_id: int
    number: str
    until: datetime.datetime
    #: Rupiah to pay.
    total: int
    #: Variant id → pieces.
    pieces: Mapping[int, int]


def of_visitor(request: Request, settings: Settings, person_id: int | None) -> list[OwnHold]:
    """The living unpaid orders of whoever sent `request`, the oldest first. One query where there is none."""
    tokens = order_cookie.tokens(request, settings)
    if not tokens and person_id is None:
        return []
    whose: ColumnElement[bool] = Order.number.in_(tokens)
    if person_id is not None:
        whose |= Order.person_id == person_id
    return holds_of(order for order in _living(whose) if _is_own(order, tokens, person_id))


def of_person(person_id: int) -> list[OwnHold]:
    """The living unpaid orders of somebody's account, the oldest first."""
    return holds_of(_living(Order.person_id == person_id))


def holds_of(orders: Iterable[Order]) -> list[OwnHold]:
    """These orders with the pieces that they hold now."""
    found = list(orders)
    if not found:
        return []
    pieces: dict[int, dict[int, int]] = {order.id: {} for order in found}
    rows = db.session.execute(
        select(OrderLine.order_id, Reservation.variant_id, func.sum(Reservation.quantity))
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .where(OrderLine.order_id.in_(pieces), Reservation.state == "held")
        .group_by(OrderLine.order_id, Reservation.variant_id)
    )
    for order_id, variant_id, quantity in rows:
        pieces[order_id][variant_id] = int(quantity)
    return [
        OwnHold(order.id, order.number, order.expires_at, order.items_total + order.shipping_total, pieces[order.id])
        for order in found
    ]


def pieces_of(holds: Iterable[OwnHold]) -> dict[int, int]:
    """Variant id → pieces held by all of them."""
    totals: dict[int, int] = {}
    for hold in holds:
        for variant_id, quantity in hold.pieces.items():
            totals[variant_id] = totals.get(variant_id, 0) + quantity
    return totals


def _living(whose: ColumnElement[bool]) -> Sequence[Order]:
    """Online orders that wait to be paid, as they are now, the oldest first."""
    return db.session.scalars(
        select(Order)
        .where(whose, Order.channel == Channel.ONLINE.value)
        .where(Order.state == OrderState.AWAITING_PAYMENT.value, Order.expires_at > func.now())
        .order_by(Order.placed_at, Order.id)
        .execution_options(populate_existing=True)
    ).all()


def _is_own(order: Order, tokens: Mapping[str, str], person_id: int | None) -> bool:
    if person_id is not None and order.person_id == person_id:
        return True
    return hmac.compare_digest(order_token(order).encode(), tokens.get(order.number, "").encode())
