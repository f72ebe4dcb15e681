"""What a facility must pack and send, and what it may know of the buyer while it does.

Only a facility's own parcels and lines are ever read here. Whether a buyer's name, address and phone show is
decided by `needs_buyer` and nowhere else.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from storefront.days import accounting_day, begins, today
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.models import (
    Order,
    OrderAddress,
    OrderContact,
    OrderLine,
    OrderNote,
    Parcel,
    ParcelLine,
    ParcelState,
)
from storefront.payments.models import Refund
from storefront.shipping.models import ShippingMethod

#: A buyer's data are masked so long after the parcel was received (PRODUCT.md).
MASKED_AFTER = timedelta(days=30)
#: States a facility sees. Unpaid parcels (`waiting`) are nobody's work yet.
VISIBLE = tuple(state for state in ParcelState if state is not ParcelState.WAITING)
#: States in which the facility has something to do.
OPEN = (ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY)
PAGE = 25
#: Days for which a parcel that was called off is shown on the first screen.
CALLED_OFF_SHOWN = 7


@dataclass(frozen=True)
class ParcelRow:
    """A parcel in a list: no buyer in it."""

    id: int
    order_number: str
    #: Parcel 1, 2 … of its order.
    position: int
    state: str
    is_pickup: bool
    method_name: str
    #: Promised day.
    ready_by: datetime.date | None
    paid_at: datetime.datetime | None
    pieces: int
    #: Title of the first line, and how many further lines there are.
    first_title: str
    further_lines: int
    courier: str | None
    tracking: str | None
    #: Whole accounting days since it was paid.
    age_days: int
    #: Not sent although the promised day is over.
    is_late: bool


@dataclass(frozen=True)
class ParcelPage:
    """One page of a list of parcels."""

    rows: Sequence[ParcelRow]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class PackedLine:
    """Pieces of one line that lie in a parcel."""

    sku: str
    title: str
    variant_title: str
    workshop: str
    quantity: int
    unit_price: int

    @property
    def net_amount(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class Buyer:
    """For the address label. Fields may be missing: a pickup has no address, an erased buyer nothing."""

    name: str | None
    phone: str | None
    line1: str | None
    district: str | None
    city: str | None
    province: str | None
    postal_code: str | None
    #: For a card that lies in the parcel, and for the courier; nothing of it goes to the workshop.
    gift_note: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ParcelSheet:
    """One parcel as its facility works on it."""

    id: int
    order_number: str
    position: int
    state: str
    is_pickup: bool
    method_name: str
    shipping_amount: int
    #: What the facility bears of it, in rupiah.
    shipping_waived: int
    ready_by: datetime.date | None
    paid_at: datetime.datetime | None
    packed_at: datetime.datetime | None
    shipped_at: datetime.datetime | None
    received_at: datetime.datetime | None
    courier: str | None
    tracking: str | None
    lines: tuple[PackedLine, ...]
    #: None when the reader may not see it, or the parcel does not need it (any more).
    buyer: Buyer | None
    #: The parcel does not need the buyer's data any more, whoever reads.
    is_masked: bool

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def net_amount(self) -> int:
        return sum(line.net_amount for line in self.lines)


def needs_buyer(
    state: str,
    *,
    shipped_at: datetime.datetime | None,
    received_at: datetime.datetime | None,
    days_max: int,
    now: datetime.datetime,
) -> bool:
    """Whether a parcel still needs its buyer's name, address and phone.

    From payment until 30 days after it was received. One whose receipt nobody noted counts as received
    after the longest time on the road. Unpaid and cancelled parcels need nobody.
    """
    if state in (ParcelState.WAITING, ParcelState.CANCELLED):
        return False
    arrived = received_at or (shipped_at + timedelta(days=days_max) if shipped_at else None)
    return arrived is None or now < arrived + MASKED_AFTER


def counts(facility_id: int) -> dict[str, int]:
    """How many parcels the facility has in each visible state."""
    rows = db.session.execute(
        select(Parcel.state, func.count())
        .where(Parcel.facility_id == facility_id, Parcel.state.in_(VISIBLE))
        .group_by(Parcel.state)
    )
    found = {state: count for state, count in rows}  # noqa: C416
    return {state.value: found.get(state.value, 0) for state in VISIBLE}


def parcels(facility_id: int, state: str | None = None, page: int = 1, limit: int = PAGE) -> ParcelPage:
    """The facility's parcels: what is open first, the earliest promised day on top; then the latest."""
    chosen = [ParcelState(state)] if state in set(VISIBLE) else list(VISIBLE)
    where = (Parcel.facility_id == facility_id, Parcel.state.in_(chosen))
    total = db.session.scalar(select(func.count()).select_from(Parcel).where(*where)) or 0
    is_open = case((Parcel.state.in_(OPEN), 0), else_=1)
    soonest = case((Parcel.state.in_(OPEN), Parcel.ready_by))
    statement = (
        _with_order()
        .where(*where)
        .order_by(is_open, soonest.nulls_last(), case((is_open == 0, Parcel.id)), Parcel.id.desc())
        .offset((page - 1) * limit)
        .limit(limit)
    )
    found = db.session.execute(statement).all()
    lines = _lines([row.Parcel.id for row in found])
    day = today()
    return ParcelPage([_row(row, lines.get(row.Parcel.id, []), day) for row in found], total, page)


def parcel(
    facility_id: int, parcel_id: int, *, with_buyer: bool, now: datetime.datetime | None = None
) -> ParcelSheet | None:
    """One parcel of this facility, or None: another's does not exist for it.

    `with_buyer`: the reader may see buyers' data (`policy.Action.BUYERS_READ`); they still show only while
    the parcel needs them.
    """
    row = db.session.execute(
        _with_order().where(
            Parcel.id == parcel_id, Parcel.facility_id == facility_id, Parcel.state.in_(VISIBLE)
        )
    ).one_or_none()
    if row is None:
        return None
    found: Parcel = row.Parcel
    needed = needs_buyer(
        found.state,
        shipped_at=found.shipped_at,
        received_at=found.received_at,
        days_max=found.days_max,
        now=now or datetime.datetime.now(UTC),
    )
    return ParcelSheet(
        id=found.id,
        order_number=row.number,
        position=found.position,
        state=found.state,
        is_pickup=found.is_pickup,
        method_name=_named(row),
        shipping_amount=found.shipping_amount,
        shipping_waived=found.shipping_waived,
        ready_by=found.ready_by,
        paid_at=row.paid_at,
        packed_at=found.packed_at,
        shipped_at=found.shipped_at,
        received_at=found.received_at,
        courier=found.courier,
        tracking=found.tracking,
        lines=tuple(_lines([found.id]).get(found.id, [])),
        buyer=_buyer(found.order_id, found.is_pickup) if needed and with_buyer else None,
        is_masked=not needed,
    )


def pick_list(facility_id: int) -> list[tuple[ParcelRow, Sequence[PackedLine]]]:
    """All parcels to pack with their pieces, the most urgent first. Goes to the workshop: no buyer in it."""
    found = db.session.execute(
        _with_order()
        .where(Parcel.facility_id == facility_id, Parcel.state == ParcelState.TO_PACK)
        .order_by(Parcel.ready_by.nulls_last(), Parcel.id)
        .limit(200)
    ).all()
    lines = _lines([row.Parcel.id for row in found])
    day = today()
    return [(_row(row, lines.get(row.Parcel.id, []), day), lines.get(row.Parcel.id, [])) for row in found]


def called_off(facility_id: int, day: datetime.date) -> list[tuple[int, str, int]]:
    """Parcels that shoppers called off in the last days before packing: id, order number and position.

    They were in the list to pack; whoever has the pick list on paper must know.
    """
    rows = db.session.execute(
        select(Parcel.id, Order.number, Parcel.position)
        .join(Order, Order.id == Parcel.order_id)
        .join(Refund, Refund.order_id == Order.id)
        .where(
            Refund.reason == "cancelled",
            Refund.requested_at >= begins(day - timedelta(days=CALLED_OFF_SHOWN)),
            Parcel.facility_id == facility_id,
            Parcel.state == ParcelState.CANCELLED.value,
        )
        .order_by(Parcel.id.desc())
        .distinct()
        .limit(20)
    )
    return [(row.id, row.number, row.position) for row in rows]


def _with_order() -> Select[*tuple[Any, ...]]:
    return (
        select(Parcel, Order.number, Order.paid_at, ShippingMethod)
        .join(Order, Order.id == Parcel.order_id)
        .join(ShippingMethod, ShippingMethod.id == Parcel.method_id)
    )


def _lines(parcel_ids: Sequence[int]) -> dict[int, list[PackedLine]]:
    rows = db.session.execute(
        select(ParcelLine.parcel_id, ParcelLine.quantity, OrderLine)
        .join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
        .where(ParcelLine.parcel_id.in_(parcel_ids))
        .order_by(ParcelLine.parcel_id, OrderLine.position)
    )
    english = locale() == "en"
    found: dict[int, list[PackedLine]] = {}
    for parcel_id, quantity, line in rows:
        found.setdefault(parcel_id, []).append(
            PackedLine(
                sku=line.sku,
                title=(line.title_en if english else "") or line.title,
                variant_title=(line.variant_title_en if english else "") or line.variant_title,
                workshop=line.workshop_name,
                quantity=quantity,
                unit_price=line.unit_price,
            )
        )
    return found


def _row(row: Row[Any], lines: Sequence[PackedLine], day: datetime.date) -> ParcelRow:
    found: Parcel = row.Parcel
    not_sent = found.state in (ParcelState.TO_PACK, ParcelState.PACKED)
    return ParcelRow(
        id=found.id,
        order_number=row.number,
        position=found.position,
        state=found.state,
        is_pickup=found.is_pickup,
        method_name=_named(row),
        ready_by=found.ready_by,
        paid_at=row.paid_at,
        pieces=sum(line.quantity for line in lines),
        first_title=lines[0].title if lines else "",
        further_lines=max(0, len(lines) - 1),
        courier=found.courier,
        tracking=found.tracking,
        age_days=max(0, (day - accounting_day(row.paid_at)).days) if row.paid_at else 0,
        is_late=not_sent and found.ready_by is not None and found.ready_by < day,
    )


def _named(row: Row[Any]) -> str:
    name: str = row.ShippingMethod.named(locale(), is_free=row.Parcel.shipping_waived > 0)
    return name


def _buyer(order_id: int, is_pickup: bool) -> Buyer:
    contact = db.session.get(OrderContact, order_id)
    address = None if is_pickup else db.session.get(OrderAddress, order_id)
    notes = db.session.get(OrderNote, order_id)
    return Buyer(
        name=contact.name if contact else None,
        phone=contact.phone if contact else None,
        line1=address.line1 if address else None,
        district=address.district if address else None,
        city=address.city if address else None,
        province=address.province if address else None,
        postal_code=address.postal_code if address else None,
        gift_note=notes.gift_note if notes else None,
        note=notes.note if notes else None,
    )
