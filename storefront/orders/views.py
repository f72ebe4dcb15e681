"""An order as pages, letters and the API show it: plain values, no session behind them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import selectinload

from storefront.catalogue.models import Product
from storefront.days import accounting_day
from storefront.extensions import db
from storefront.facilities import gallery_hours
from storefront.facilities.models import Facility
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
    Parcel,
    ParcelLine,
    ParcelState,
)
from storefront.orders.progress import LEFT
from storefront.orders.report_window import Windows
from storefront.payments.models import LIVING_STATES, Payment, Refund
from storefront.shipping.couriers import tracking_url
from storefront.shipping.models import ShippingMethod
from storefront.shipping.stands import Stand, known

#: Not collected yet, and it may be.
WAITED_FOR = frozenset({ParcelState.WAITING, ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY})
#: Paid, and not yet there.
ON_THE_WAY = frozenset({ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.SHIPPED})


@dataclass(frozen=True)
class LineView:
    """Pieces of a line that lie in one parcel."""

    sku: str
    title: str
    variant_title: str
    quantity: int
    unit_price: int
    net_amount: int
    product_slug: str


@dataclass(frozen=True)
class ParcelView:
    id: int
    position: int
    facility_code: str
    facility_name: str
    facility_slug: str
    facility_address: str
    gallery_hours: str
    time_zone: str
    status: str
    is_pickup: bool
    method_code: str
    method_name: str
    shipping_amount: int
    #: What its facility bears of it, in rupiah.
    shipping_waived: int
    courier: str | None
    tracking: str | None
    ready_by: datetime.date | None
    days_min: int
    days_max: int
    packed_at: datetime.datetime | None
    shipped_at: datetime.datetime | None
    received_at: datetime.datetime | None
    lines: tuple[LineView, ...]
    #: Nobody confirmed it.
    received_by_itself: bool = False
    #: The courier's own page for the number, where we know it.
    track_url: str | None = None
    #: Days on which it is expected to arrive; None for what is collected, has ended, or is not paid.
    arrives_from: datetime.date | None = None
    arrives_until: datetime.date | None = None
    #: *Batas lapor*, once it was received.
    report_until: datetime.date | None = None
    #: The day on which it counts as received if nobody says so; None unless it is on the road.
    received_on: datetime.date | None = None
    #: The fair at whose stand it is collected, and since when it is on its way there.
    stand: Stand | None = None
    left_at: datetime.datetime | None = None

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def has_left(self) -> bool:
        """On its way, ready to be collected, or further."""
        return self.status in LEFT


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
        parcels=_parcels(order, locale),
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


def _parcels(order: Order, locale: str) -> tuple[ParcelView, ...]:
    english = locale == "en"
    rows = db.session.execute(
        select(Parcel, Facility, ShippingMethod)
        .join(Facility, Facility.id == Parcel.facility_id)
        .join(ShippingMethod, ShippingMethod.id == Parcel.method_id)
        .where(Parcel.order_id == order.id, Parcel.merged_at.is_(None))
        .options(selectinload(Parcel.lines).joinedload(ParcelLine.line))
        .order_by(Parcel.position)
    ).all()
    slugs = dict(
        db.session.execute(
            select(Product.id, Product.slug)
            .join(OrderLine, OrderLine.product_id == Product.id)
            # What was made to measure has no page.
            .where(OrderLine.order_id == order.id, Product.published_at.is_not(None))
        ).all()
    )
    windows, stands = Windows.load(), known(row.Parcel.exhibition_id for row in rows)
    return tuple(
        ParcelView(
            id=parcel.id,
            position=parcel.position,
            facility_code=facility.code,
            facility_name=facility.name,
            facility_slug=facility.slug,
            facility_address=", ".join(
                part for part in (facility.address, facility.city, facility.postal_code) if part
            ),
            gallery_hours=gallery_hours.of_facility(facility),
            time_zone=facility.time_zone,
            status=parcel.state,
            is_pickup=parcel.is_pickup,
            method_code=method.code,
            method_name=stands[parcel.exhibition_id].called
            if parcel.exhibition_id
            else method.named(locale, is_free=parcel.shipping_waived > 0),
            shipping_amount=parcel.shipping_amount,
            shipping_waived=parcel.shipping_waived,
            courier=parcel.courier,
            tracking=parcel.tracking,
            ready_by=parcel.ready_by,
            days_min=parcel.days_min,
            days_max=parcel.days_max,
            packed_at=parcel.packed_at,
            shipped_at=parcel.shipped_at,
            received_at=parcel.received_at,
            lines=tuple(
                LineView(
                    sku=part.line.sku,
                    title=part.line.title_en if english else part.line.title,
                    variant_title=part.line.variant_title_en if english else part.line.variant_title,
                    quantity=part.quantity,
                    unit_price=part.line.unit_price,
                    net_amount=part.line.unit_price * part.quantity,
                    product_slug=slugs.get(part.line.product_id, ""),
                )
                for part in sorted(parcel.lines, key=lambda part: part.line.position)
            ),
            received_by_itself=parcel.received_by_itself,
            stand=stands[parcel.exhibition_id] if parcel.exhibition_id else None,
            left_at=parcel.left_at,
            track_url=tracking_url(parcel.courier, parcel.tracking),
            **_expected(parcel, windows),
        )
        for parcel, facility, method in rows
    )


def _expected(parcel: Parcel, windows: Windows) -> dict[str, datetime.date]:
    """The days that a parcel's page promises: arrival, the limit to report, the end of waiting for word."""
    found: dict[str, datetime.date] = {}
    if parcel.received_at is not None:
        found["report_until"] = windows.report_until(parcel.received_at)
    if parcel.is_pickup or parcel.state not in ON_THE_WAY:
        return found
    if parcel.shipped_at is not None and parcel.state == ParcelState.SHIPPED:
        leaves: datetime.date | None = accounting_day(parcel.shipped_at)
        found["received_on"] = windows.counts_as_received_on(parcel.shipped_at, parcel.days_max)
    else:
        leaves = parcel.ready_by
    if leaves is not None:
        found["arrives_from"] = leaves + datetime.timedelta(days=parcel.days_min)
        found["arrives_until"] = leaves + datetime.timedelta(days=parcel.days_max)
    return found


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
