"""Promised days of parcels that are not packed yet, when a facility's calendar changes; and what buyers are told.

A parcel's day is reckoned anew from the day on which it was paid. When it comes later than was promised, its buyer is
told once for each such change; a day that comes earlier is nobody's worry.
"""

from __future__ import annotations

import datetime
from typing import TypeVar

from sqlalchemy import Select, select

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.facilities import rest
from storefront.facilities.models import DayOff, Pause
from storefront.facilities.working_days import all_ready_on, calendar_of
from storefront.mail.owe import owe
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState

Change = TypeVar("Change", Pause, DayOff, None)


def pause(
    facility_id: int, first: datetime.date, last: datetime.date, reason: str, reason_en: str, person_id: int
) -> Pause:
    """`rest.pause`, and the promised days follow."""
    row = rest.pause(facility_id, first, last, reason, reason_en, person_id)
    return _followed(facility_id, row, f"pause:{row.id}")


def end_pause(facility_id: int, pause_id: int, person_id: int) -> Pause:
    """`rest.end_pause`, and the promised days follow."""
    return _followed(facility_id, rest.end_pause(facility_id, pause_id, person_id), f"pause:{pause_id}:ended")


def take_off(
    facility_id: int, first: datetime.date, last: datetime.date, note: str, person_id: int
) -> DayOff:
    """`rest.take_off`, and the promised days follow."""
    row = rest.take_off(facility_id, first, last, note, person_id)
    return _followed(facility_id, row, f"day_off:{row.id}")


def put_back(facility_id: int, day_off_id: int, person_id: int) -> DayOff:
    """`rest.put_back`, and the promised days follow."""
    return _followed(
        facility_id, rest.put_back(facility_id, day_off_id, person_id), f"day_off:{day_off_id}:removed"
    )


def pack_on(facility_id: int, weekdays: list[int], person_id: int) -> bool:
    """`rest.pack_on`, and the promised days follow."""
    rest.pack_on(facility_id, weekdays, person_id)
    move(facility_id, f"packing:{facility_id}:{''.join(map(str, sorted(weekdays)))}")
    return True


def waiting(facility_id: int) -> int:
    """Parcels whose promised day a change would move."""
    return len(db.session.scalars(_open(facility_id)).all())


def move(facility_id: int, cause: str) -> int:
    """Reckon the promised days of all parcels still to be packed anew; returns how many come later. Never commits.

    `cause`: what changed; each buyer is told once for each.
    """
    # Orders first, as all that changes their parcels does.
    own = select(Parcel.order_id).where(
        Parcel.facility_id == facility_id, Parcel.state == ParcelState.TO_PACK.value
    )
    db.session.execute(select(Order.id).where(Order.id.in_(own)).order_by(Order.id).with_for_update())
    parcels = db.session.execute(
        _open(facility_id).add_columns(Order.paid_at).execution_options(populate_existing=True)
    ).all()
    if not parcels:
        return 0
    leads: dict[int, list[int | None]] = {}
    ids = [parcel.id for parcel, _paid_at in parcels]
    lines = select(ParcelLine.parcel_id, OrderLine.lead_time_days).join(
        OrderLine, OrderLine.id == ParcelLine.order_line_id
    )
    for parcel_id, lead in db.session.execute(lines.where(ParcelLine.parcel_id.in_(ids))):
        leads.setdefault(parcel_id, []).append(lead)
    # Days off that are over by now counted too when their parcels were paid.
    days = calendar_of(facility_id, min(accounting_day(paid_at) for _parcel, paid_at in parcels))
    later = 0
    for parcel, paid_at in parcels:
        before, parcel.ready_by = (
            parcel.ready_by,
            all_ready_on(accounting_day(paid_at), leads.get(parcel.id, []), days),
        )
        if before is not None and parcel.ready_by > before:
            later += owe(
                "parcel_later", parcel.order_id, parcel_id=parcel.id, key=f"parcel:{parcel.id}:later:{cause}"
            )
    db.session.flush()
    return later


def _followed(facility_id: int, row: Change, cause: str) -> Change:
    move(facility_id, cause)
    return row


def _open(facility_id: int) -> Select[tuple[Parcel]]:
    """Parcels to pack, the first ordered first."""
    return (
        select(Parcel)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.facility_id == facility_id, Parcel.state == ParcelState.TO_PACK.value)
        .where(Order.paid_at.is_not(None))
        .order_by(Parcel.order_id, Parcel.id)
    )
