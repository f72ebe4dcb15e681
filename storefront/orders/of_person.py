"""The orders that a signed-in person has placed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import column, func, select, table

from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.models import Order, OrderLine
from storefront.pages import Paged

PAGE = 10

#: The one definition of an order's status is a view.
_status = table("order_status", column("order_id"), column("status"))


@dataclass(frozen=True)
class OwnOrder:
    """One order in the list; its page opens for the person who placed it, however old it is."""

    number: str
    placed_at: datetime.datetime
    status: str
    total: int
    pieces: int
    first_title: str
    further_lines: int


class OwnOrders(Paged[OwnOrder]):
    size = PAGE


def orders_of(person_id: int, page: int = 1) -> OwnOrders:
    """A page of the person's own orders, the latest first."""
    own = Order.person_id == person_id
    total = db.session.scalar(select(func.count()).select_from(Order).where(own)) or 0
    found = db.session.execute(
        select(Order, _status.c.status)
        .join(_status, _status.c.order_id == Order.id)
        .where(own)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    ).all()
    lines: dict[int, list[OrderLine]] = {}
    ids = [row.Order.id for row in found]
    for line in db.session.scalars(
        select(OrderLine).where(OrderLine.order_id.in_(ids)).order_by(OrderLine.order_id, OrderLine.position)
    ):
        lines.setdefault(line.order_id, []).append(line)
    return OwnOrders([_row(order, status, lines.get(order.id, [])) for order, status in found], total, page)


def _row(order: Order, status: str, lines: Sequence[OrderLine]) -> OwnOrder:
    first = lines[0] if lines else None
    title = (first.title_en if locale() == "en" else "") or first.title if first else ""
    return OwnOrder(
        number=order.number,
        placed_at=order.placed_at,
        status=status,
        total=order.total,
        pieces=sum(line.quantity for line in lines),
        first_title=title,
        further_lines=max(0, len(lines) - 1),
    )
