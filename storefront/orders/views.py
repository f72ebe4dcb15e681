"""An order as pages, letters and the API show it: plain values, no session behind them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select, text

from storefront.extensions import db
from storefront.ledger.fee_bearers import borne_by
from storefront.ledger.models import Fund
from storefront.ledger.shares import LineShare, MoneySplit, sum_shares
from storefront.orders.instalments import PartView, next_unpaid, schedule
from storefront.orders.models import (
    Channel,
    Order,
    OrderAddress,
    OrderContact,
    OrderLine,
    OrderLineShare,
    OrderNote,
    ParcelState,
)
from storefront.orders.parcel_views import WAITED_FOR, ParcelView, parcel_views
from storefront.payments.models import LIVING_STATES, Payment, Refund


@dataclass(frozen=True)
class PaymentView:
    id: str
    state: str
    amount: int
    url: str | None
    expires_at: datetime.datetime
    gateway: str


@dataclass(frozen=True)
class RefundView:
    """Money that goes back, in rupiah; `finished_at` once the provider has sent it."""

    amount: int
    requested_at: datetime.datetime
    finished_at: datetime.datetime | None


@dataclass(frozen=True)
class OrderView:
    id: int
    number: str
    locale: str
    channel: str
    status: str
    items_total: int
    shipping_total: int
    total: int
    paid: int
    refunded: int
    placed_at: datetime.datetime
    expires_at: datetime.datetime
    paid_at: datetime.datetime | None
    parcels: tuple[ParcelView, ...]
    #: The one that counts, else the youngest that may still be paid, else the youngest.
    payment: PaymentView | None
    contact: OrderContact | None
    address: OrderAddress | None
    note: OrderNote | None
    money: MoneySplit
    #: Given back or on the way, the earliest first; not what somebody only proposes.
    refunds: tuple[RefundView, ...] = ()
    wants_news: bool = True
    #: Its instalments, with what is paid of them; ordinary orders have one.
    instalments: tuple[PartView, ...] = ()

    @property
    def due(self) -> int:
        """Rupiah of the instalment that is paid next; the total of an ordinary order."""
        return next((part.amount for part in self.instalments if part.paid_at is None), self.total)

    @property
    def living(self) -> tuple[ParcelView, ...]:
        """Parcels that were not called off."""
        return tuple(parcel for parcel in self.parcels if parcel.status != ParcelState.CANCELLED)

    @property
    def at_stands(self) -> tuple[ParcelView, ...]:
        """Those that somebody may still collect at a fair's stand."""
        return tuple(parcel for parcel in self.parcels if parcel.stand and parcel.status in WAITED_FOR)

    @property
    def left(self) -> tuple[ParcelView, ...]:
        """Those that have left the facility, or lie ready."""
        return tuple(parcel for parcel in self.living if parcel.has_left)

    @property
    def may_be_cancelled(self) -> tuple[ParcelView, ...]:
        """Paid and not packed yet; nothing of what was quoted."""
        if self.channel == Channel.QUOTE:
            return ()
        return tuple(parcel for parcel in self.parcels if parcel.status == ParcelState.TO_PACK)


def order_status(order_id: int) -> tuple[str, int, int]:
    """The order's derived status, and how many rupiah were paid and given back (view `order_status`)."""
    row = db.session.execute(
        text("SELECT status, paid, refunded FROM order_status WHERE order_id = :id"), {"id": order_id}
    ).one()
    return row.status, row.paid, row.refunded


def order_view(order: Order, *, locale: str) -> OrderView:
    """Everything about an order, titles in `locale`; a handful of queries whatever its size."""
    status, paid, refunded = order_status(order.id)
    return OrderView(
        id=order.id,
        number=order.number,
        locale=order.locale,
        channel=order.channel,
        status=status,
        items_total=order.items_total,
        shipping_total=order.shipping_total,
        total=order.items_total + order.shipping_total,
        paid=paid,
        refunded=refunded,
        placed_at=order.placed_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        parcels=parcel_views(order, locale),
        payment=payment_view(order),
        contact=db.session.get(OrderContact, order.id),
        address=db.session.get(OrderAddress, order.id),
        note=db.session.get(OrderNote, order.id),
        money=order_money(order.id),
        refunds=_refunds(order.id),
        wants_news=order.wants_news,
        instalments=tuple(schedule(order.id)),
    )


def order_money(order_id: int) -> MoneySplit:
    """*Ke mana uang Anda* for an order: the shares its lines were sold with, and who bears the fee."""
    paid_on = func.accounting_date(func.coalesce(Order.paid_at, func.now()))
    rows = db.session.execute(
        select(OrderLineShare, Fund.code, borne_by(paid_on))
        .join(OrderLine, OrderLine.id == OrderLineShare.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Fund, Fund.id == OrderLineShare.fund_id)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position, OrderLineShare.position)
    ).all()
    return sum_shares(
        [
            LineShare(
                share.position, share.fund_id, code, share.basis_points, share.amount, share.is_material
            )
            for share, code, _bearer in rows
        ],
        fee_borne_by=rows[0][2] if rows else None,
    )


def _refunds(order_id: int) -> tuple[RefundView, ...]:
    # One that the provider refused is finance's to send again: for the shopper it is still on its way.
    rows = db.session.scalars(
        select(Refund)
        .where(Refund.order_id == order_id, Refund.state.not_in(("proposed", "rejected")))
        .order_by(Refund.id)
    )
    return tuple(
        RefundView(row.amount, row.requested_at, row.finished_at if row.state == "succeeded" else None)
        for row in rows
    )


def payment_view(order: Order) -> PaymentView | None:
    """The payment that pages speak of (see `OrderView.payment`)."""
    payments = list(
        db.session.scalars(
            select(Payment)
            .where(Payment.order_id == order.id)
            .order_by(Payment.created_at.desc(), Payment.id)
        )
    )
    due = next_unpaid(order.id)
    if due is not None:  # of what is unpaid, whatever was paid before
        payments = [p for p in payments if p.instalment_id == due.id]
    chosen = next((p for p in payments if p.counts), None) or next(
        (p for p in payments if p.state in LIVING_STATES), payments[0] if payments else None
    )
    if chosen is None:
        return None
    return PaymentView(
        chosen.id, chosen.state, chosen.amount, chosen.url, chosen.expires_at, chosen.gateway
    )
