"""An order's parcels as pages, letters and the API show them: plain values, no session behind them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from storefront.catalogue.models import Product
from storefront.days import accounting_day
from storefront.extensions import db
from storefront.facilities import gallery_hours
from storefront.facilities.models import Facility
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.orders.progress import LEFT
from storefront.orders.report_window import Windows
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


def parcel_views(order: Order, locale: str) -> tuple[ParcelView, ...]:
    """All parcels of an order that were not put into another, titles in `locale`."""
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
