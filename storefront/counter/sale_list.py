"""A stand's sales, the latest first: found again to print a receipt or to undo one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from storefront.counter.models import CounterSale, Till, TillSession
from storefront.days import begins
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.pages import Paged
from storefront.people.models import Person

PAGE = 25


@dataclass(frozen=True)
class SaleRow:
    """A sale in the list; rupiah."""

    sale: CounterSale
    number: str
    total: int
    state: str
    till: str
    cashier: str


class SalePage(Paged[SaleRow]):
    size = PAGE


def listed(
    exhibition_id: int, *, day: datetime.date | None = None, late: bool = False, q: str = "", page: int = 1
) -> SalePage:
    """Sales of a fair: of one day, those that came late alone, or those whose number holds `q`."""
    where: list[ColumnElement[bool]] = [CounterSale.exhibition_id == exhibition_id]
    if day is not None:
        where += [CounterSale.sold_at >= begins(day), CounterSale.sold_at < begins(day + datetime.timedelta(days=1))]
    if late:
        where.append(CounterSale.is_late.is_(True))
    if q:
        where.append(Order.number.contains(q.strip().upper(), autoescape=True))
    base = select(CounterSale).join(Order, Order.id == CounterSale.order_id).where(*where)
    total = db.session.scalar(base.with_only_columns(func.count())) or 0
    rows = db.session.execute(
        base.join(TillSession, TillSession.id == CounterSale.session_id)
        .join(Till, Till.id == TillSession.till_id)
        .join(Person, Person.id == CounterSale.cashier_id)
        .with_only_columns(CounterSale, Order.number, Order.total, Order.state, Till.name, Person.name)
        .order_by(CounterSale.sold_at.desc(), CounterSale.order_id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    return SalePage([SaleRow(*row) for row in rows], total, page)
