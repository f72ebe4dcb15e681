"""What a facility must pack and send: its parcels in lists, without their buyers.

Only a facility's own parcels and lines are ever read here; one parcel with its buyer is a `parcel_sheet`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, Select, case, column, exists, func, select, table, text

from storefront.days import accounting_day, begins, today
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState, RefundPieces
from storefront.payments.models import Refund
from storefront.shipping.models import ShippingMethod

#: States a facility sees. Unpaid parcels (`waiting`) are nobody's work yet.
VISIBLE = tuple(state for state in ParcelState if state is not ParcelState.WAITING)
#: States in which the facility has something to do.
OPEN = (ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY)
PAGE = 25
#: Beside the states: to pack, but a refund speaks of all of it.
WITHHELD = "withheld"
#: Days for which a parcel that was called off is shown on the first screen.
CALLED_OFF_SHOWN = 7
#: The fairs at whose stand parcels are collected, as far as a list names them.
FAIRS = table("exhibitions", column("id"), column("name"), column("ends_on"))


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
    #: The last day of the fair at whose stand it is collected, and since when it is on its way there.
    stand_until: datetime.date | None = None
    left_at: datetime.datetime | None = None


@dataclass(frozen=True)
class ParcelPage:
    """One page of a list of parcels."""

    rows: Sequence[ParcelRow]
    total: int
    page: int
    size: int = PAGE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class PackedLine:
    """Pieces of one line that lie in a parcel."""

    sku: str
    title: str
    variant_title: str
    workshop: str
    quantity: int
    unit_price: int
    #: Of these pieces, how many a refund speaks of: they are not packed while it is decided, nor once it is.
    withheld: int = 0
    order_line_id: int = 0
    #: Days to make one; None: it comes from the shelf.
    lead_time_days: int | None = None

    @property
    def net_amount(self) -> int:
        return self.unit_price * self.quantity

    @property
    def to_pack(self) -> int:
        """Pieces that go into the box."""
        return self.quantity - self.withheld


def stage() -> ColumnElement[str]:
    """A parcel's state as its facility works: `withheld` while a refund speaks of all that is still to pack."""
    spoken_of = (
        select(func.coalesce(func.sum(RefundPieces.quantity), 0))
        .join(Refund, Refund.id == RefundPieces.refund_id)
        .where(
            RefundPieces.parcel_id == ParcelLine.parcel_id,
            RefundPieces.order_line_id == ParcelLine.order_line_id,
            Refund.state != "rejected",
        )
        .correlate(ParcelLine)
        .scalar_subquery()
    )
    some_left = exists(
        select(ParcelLine.parcel_id).where(ParcelLine.parcel_id == Parcel.id, ParcelLine.quantity > spoken_of)
    ).correlate(Parcel)
    # Most parcels of a list are not to pack: nothing is looked up for those.
    return case((Parcel.state != ParcelState.TO_PACK.value, Parcel.state), (some_left, Parcel.state), else_=WITHHELD)


def counts(facility_id: int) -> dict[str, int]:
    """How many parcels the facility has in each visible state."""
    rows = db.session.execute(
        select(stage().label("stage"), func.count())
        .where(Parcel.facility_id == facility_id, Parcel.state.in_(VISIBLE), Parcel.merged_at.is_(None))
        .group_by(text("stage"))
    )
    found = {state: count for state, count in rows}  # noqa: C416
    return {state.value: found.get(state.value, 0) for state in VISIBLE}


def parcels(facility_id: int, state: str | None = None, page: int = 1, limit: int = PAGE) -> ParcelPage:
    """The facility's parcels: what is open first, the earliest promised day on top; then the latest."""
    chosen = [ParcelState(state)] if state in set(VISIBLE) else list(VISIBLE)
    where = [Parcel.facility_id == facility_id, Parcel.state.in_(chosen), Parcel.merged_at.is_(None)]
    if state == ParcelState.TO_PACK:
        where.append(stage() == state)
    total = db.session.scalar(select(func.count()).select_from(Parcel).where(*where)) or 0
    is_open = case((Parcel.state.in_(OPEN), 0), else_=1)
    soonest = case((Parcel.state.in_(OPEN), Parcel.ready_by))
    statement = (
        with_order()
        .where(*where)
        .order_by(is_open, soonest.nulls_last(), case((is_open == 0, Parcel.id)), Parcel.id.desc())
        .offset((page - 1) * limit)
        .limit(limit)
    )
    found = db.session.execute(statement).all()
    lines = packed_lines([row.Parcel.id for row in found])
    day = today()
    return ParcelPage([parcel_row(row, lines.get(row.Parcel.id, []), day) for row in found], total, page)


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
            Parcel.merged_at.is_(None),
        )
        .order_by(Parcel.id.desc())
        .distinct()
        .limit(20)
    )
    return [(row.id, row.number, row.position) for row in rows]


def with_order() -> Select[*tuple[Any, ...]]:
    """Parcels with their order's number and moment of payment, and how they travel."""
    return (
        select(
            Parcel, Order.number, Order.paid_at, ShippingMethod,
            FAIRS.c.name.label("stand"), FAIRS.c.ends_on.label("stand_until"),
        )
        .join(Order, Order.id == Parcel.order_id)
        .join(ShippingMethod, ShippingMethod.id == Parcel.method_id)
        .outerjoin(FAIRS, FAIRS.c.id == Parcel.exhibition_id)
    )  # fmt: skip


def packed_lines(parcel_ids: Sequence[int]) -> dict[int, list[PackedLine]]:
    """What lies in each parcel, in the reader's language."""
    spoken_of = (
        select(func.sum(RefundPieces.quantity))
        .join(Refund, Refund.id == RefundPieces.refund_id)
        .where(
            RefundPieces.parcel_id == ParcelLine.parcel_id,
            RefundPieces.order_line_id == ParcelLine.order_line_id,
            Refund.state != "rejected",
        )
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(ParcelLine.parcel_id, ParcelLine.quantity, OrderLine, func.coalesce(spoken_of, 0))
        .join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
        .where(ParcelLine.parcel_id.in_(parcel_ids))
        .order_by(ParcelLine.parcel_id, OrderLine.position)
    )
    english = locale() == "en"
    found: dict[int, list[PackedLine]] = {}
    for parcel_id, quantity, line, withheld in rows:
        found.setdefault(parcel_id, []).append(
            PackedLine(
                sku=line.sku,
                title=(line.title_en if english else "") or line.title,
                variant_title=(line.variant_title_en if english else "") or line.variant_title,
                workshop=line.workshop_name,
                quantity=quantity,
                unit_price=line.unit_price,
                withheld=min(quantity, withheld),
                order_line_id=line.id,
                lead_time_days=line.lead_time_days,
            )
        )
    return found


def parcel_row(row: Row[Any], lines: Sequence[PackedLine], day: datetime.date) -> ParcelRow:
    """A row of `with_order` with what lies in it, as lists show it on a day."""
    found: Parcel = row.Parcel
    not_sent = found.state in (ParcelState.TO_PACK, ParcelState.PACKED) and found.left_at is None
    return ParcelRow(
        id=found.id,
        order_number=row.number,
        position=found.position,
        state=found.state if any(line.to_pack for line in lines) or found.state != ParcelState.TO_PACK else WITHHELD,
        is_pickup=found.is_pickup,
        method_name=method_name(row),
        ready_by=found.ready_by,
        paid_at=row.paid_at,
        pieces=sum(line.quantity for line in lines),
        first_title=lines[0].title if lines else "",
        further_lines=max(0, len(lines) - 1),
        courier=found.courier,
        tracking=found.tracking,
        age_days=max(0, (day - accounting_day(row.paid_at)).days) if row.paid_at else 0,
        is_late=not_sent and found.ready_by is not None and found.ready_by < day,
        stand_until=row.stand_until,
        left_at=found.left_at,
    )


def method_name(row: Row[Any]) -> str:
    """How a row of `with_order` travels, as its reader calls it."""
    if row.stand:
        return str(_("Ambil di stan %(fair)s", fair=row.stand))
    name: str = row.ShippingMethod.named(locale(), is_free=row.Parcel.shipping_waived > 0)
    return name
