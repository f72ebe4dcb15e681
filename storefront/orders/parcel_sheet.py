"""One parcel as its facility works on it, and what it may know of the buyer while it does.

Whether a buyer's name, address and phone show is decided by `needs_buyer` and nowhere else.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from datetime import UTC, timedelta

from sqlalchemy import select

from storefront.extensions import db
from storefront.orders.models import OrderAddress, OrderContact, OrderNote, Parcel, ParcelState
from storefront.orders.packing import VISIBLE, PackedLine, method_name, packed_lines, with_order
from storefront.shipping.stands import Stand, known

#: A buyer's data are masked so long after the parcel was received (PRODUCT.md).
MASKED_AFTER = timedelta(days=30)


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
    #: Other parcels of the facility in the same order: id, position and state.
    others: tuple[tuple[int, int, str], ...] = ()
    #: Its pieces lay in another parcel before.
    is_split: bool = False
    #: The fair at whose stand it is collected, and since when it is on its way there.
    stand: Stand | None = None
    left_at: datetime.datetime | None = None

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def pieces_to_pack(self) -> int:
        """Pieces that go into the box: all but those that a refund speaks of."""
        return sum(line.to_pack for line in self.lines)

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


def parcel_sheet(
    facility_id: int, parcel_id: int, *, with_buyer: bool, now: datetime.datetime | None = None
) -> ParcelSheet | None:
    """One parcel of this facility, or None: another's does not exist for it.

    `with_buyer`: the reader may see buyers' data (`policy.Action.BUYERS_READ`); they still show only while
    the parcel needs them.
    """
    row = db.session.execute(
        with_order().where(
            Parcel.id == parcel_id,
            Parcel.facility_id == facility_id,
            Parcel.state.in_(VISIBLE),
            Parcel.merged_at.is_(None),
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
        method_name=method_name(row),
        shipping_amount=found.shipping_amount,
        shipping_waived=found.shipping_waived,
        ready_by=found.ready_by,
        paid_at=row.paid_at,
        packed_at=found.packed_at,
        shipped_at=found.shipped_at,
        received_at=found.received_at,
        courier=found.courier,
        tracking=found.tracking,
        lines=tuple(packed_lines([found.id]).get(found.id, [])),
        buyer=_buyer(found.order_id, found.is_pickup) if needed and with_buyer else None,
        is_masked=not needed,
        others=_others(found),
        is_split=found.split_from is not None,
        stand=known([found.exhibition_id]).get(found.exhibition_id) if found.exhibition_id else None,
        left_at=found.left_at,
    )


def _others(parcel: Parcel) -> tuple[tuple[int, int, str], ...]:
    rows = db.session.execute(
        select(Parcel.id, Parcel.position, Parcel.state)
        .where(
            Parcel.order_id == parcel.order_id,
            Parcel.facility_id == parcel.facility_id,
            Parcel.id != parcel.id,
            Parcel.merged_at.is_(None),
        )
        .order_by(Parcel.position)
    )
    return tuple((row.id, row.position, row.state) for row in rows)


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
