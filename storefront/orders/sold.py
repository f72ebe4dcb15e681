"""What a facility has sold: its own lines of paid orders, as sold."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, select

from storefront.days import ACCOUNTING_ZONE
from storefront.extensions import db
from storefront.languages import locale
from storefront.ledger.models import Fund
from storefront.ledger.shares import STANDARD_FUNDS
from storefront.orders.models import Order, OrderLine, OrderLineShare, OrderState

PAGE = 50


@dataclass(frozen=True)
class SoldRow:
    """One line of a paid order; amounts in rupiah, material within working capital."""

    order_number: str
    paid_at: datetime.datetime
    title: str
    variant_title: str
    sku: str
    quantity: int
    net_amount: int
    premium: int
    working_capital: int
    state_revenue: int
    other: int


@dataclass(frozen=True)
class SoldTotals:
    """Sums over all lines of the period, not only the page's."""

    lines: int = 0
    quantity: int = 0
    net_amount: int = 0
    premium: int = 0
    working_capital: int = 0
    state_revenue: int = 0
    other: int = 0


@dataclass(frozen=True)
class SoldPage:
    rows: Sequence[SoldRow]
    totals: SoldTotals
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.totals.lines // PAGE))


@dataclass(frozen=True)
class BestSeller:
    """A product with what it sold in a period."""

    product_id: int
    title: str
    quantity: int
    net_amount: int


def sold(facility_id: int, first: datetime.date, last: datetime.date, page: int = 1) -> SoldPage:
    """The facility's lines of orders paid on the accounting days `first` to `last`, the latest first."""
    where = _paid_between(facility_id, first, last)
    amounts = _fund_amounts()
    statement = (
        select(OrderLine, Order.number, Order.paid_at, *amounts.values())
        .join(Order, Order.id == OrderLine.order_id)
        .where(*where)
        .order_by(Order.paid_at.desc(), OrderLine.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    english = locale() == "en"
    rows = [
        SoldRow(
            order_number=row.number,
            paid_at=row.paid_at,
            title=_title(row.OrderLine.title, row.OrderLine.title_en, english),
            variant_title=_title(row.OrderLine.variant_title, row.OrderLine.variant_title_en, english),
            sku=row.OrderLine.sku,
            quantity=row.OrderLine.quantity,
            net_amount=row.OrderLine.net_amount,
            premium=row.premium,
            working_capital=row.working_capital,
            state_revenue=row.state_revenue,
            other=row.other,
        )
        for row in db.session.execute(statement)
    ]
    return SoldPage(rows, _totals(where), page)


def best_sellers(
    facility_id: int, first: datetime.date, last: datetime.date, limit: int = 5
) -> list[BestSeller]:
    """The products that sold most pieces on the accounting days `first` to `last`."""
    pieces = func.sum(OrderLine.quantity)
    rows = db.session.execute(
        select(
            OrderLine.product_id,
            func.max(OrderLine.title),
            func.max(OrderLine.title_en),
            pieces,
            cast(func.sum(OrderLine.net_amount), BigInteger),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(*_paid_between(facility_id, first, last))
        .group_by(OrderLine.product_id)
        .order_by(pieces.desc(), OrderLine.product_id)
        .limit(limit)
    )
    english = locale() == "en"
    return [BestSeller(id_, _title(title, en, english), n, net) for id_, title, en, n, net in rows]


def _paid_between(
    facility_id: int, first: datetime.date, last: datetime.date
) -> tuple[ColumnElement[bool], ...]:
    # Bounds on paid_at itself, so that its index answers.
    start = datetime.datetime.combine(first, datetime.time(), ACCOUNTING_ZONE)
    end = datetime.datetime.combine(last + datetime.timedelta(days=1), datetime.time(), ACCOUNTING_ZONE)
    return (
        OrderLine.facility_id == facility_id,
        Order.state == OrderState.PAID.value,
        Order.paid_at >= start,
        Order.paid_at < end,
    )


def _fund_amounts() -> dict[str, ColumnElement[int]]:
    """For each colour of money, what a line gives to it."""
    kind = case((Fund.code.in_(STANDARD_FUNDS), Fund.code), else_="other")
    of_line = (
        select(func.coalesce(func.sum(OrderLineShare.amount), 0))
        .join(Fund, Fund.id == OrderLineShare.fund_id)
        .where(OrderLineShare.order_line_id == OrderLine.id)
        .correlate(OrderLine)
    )
    return {
        name: cast(of_line.where(kind == name).scalar_subquery(), BigInteger).label(name)
        for name in (*STANDARD_FUNDS, "other")
    }


def _totals(where: tuple[ColumnElement[bool], ...]) -> SoldTotals:
    lines = (
        select(OrderLine.id, OrderLine.quantity, OrderLine.net_amount)
        .join(Order, Order.id == OrderLine.order_id)
        .where(*where)
        .cte("lines")
    )
    kind = case((Fund.code.in_(STANDARD_FUNDS), Fund.code), else_="other")
    rows = db.session.execute(
        select(kind, cast(func.sum(OrderLineShare.amount), BigInteger))
        .join(Fund, Fund.id == OrderLineShare.fund_id)
        .join(lines, lines.c.id == OrderLineShare.order_line_id)
        .group_by(kind)
    )
    shares: dict[str, int] = {name: amount for name, amount in rows}  # noqa: C416
    sums = select(func.count(), func.sum(lines.c.quantity), cast(func.sum(lines.c.net_amount), BigInteger))
    count, quantity, net = db.session.execute(sums).one()
    return SoldTotals(
        count, quantity or 0, net or 0, **{k: shares.get(k, 0) for k in (*STANDARD_FUNDS, "other")}
    )


def _title(title: str, title_en: str, english: bool) -> str:
    return title_en if english and title_en else title
