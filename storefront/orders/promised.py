"""Promised days of parcels that are not packed yet, when a facility's calendar or what they hold changes.

A parcel's day is reckoned anew from the day on which it was paid, by what still goes into its box. When the calendar
makes it later than was promised, its buyer is told once for each such change; a day that comes earlier is nobody's
worry. Pieces that change their parcel are never promised later by that.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select, select, text

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.facilities import rest
from storefront.facilities.models import DayOff, Pause
from storefront.facilities.working_days import all_ready_on, calendar_of
from storefront.mail.owe import owe
from storefront.orders.models import Order, Parcel, ParcelState

Change = TypeVar("Change", Pause, DayOff, None)
#: Days to make each line of parcels, and whether any of its pieces still goes into the box: no refund speaks of them.
LEADS = text(
    """
    SELECT l.parcel_id, o.lead_time_days, l.quantity > COALESCE((
               SELECT sum(x.quantity) FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id
                WHERE x.parcel_id = l.parcel_id AND x.order_line_id = l.order_line_id
                  AND r.state NOT IN ('rejected', 'failed')), 0) AS is_packed
      FROM parcel_lines l JOIN order_lines o ON o.id = l.order_line_id WHERE l.parcel_id = ANY (:ids)"""
)


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
    reckoned = _reckoned(facility_id, [(parcel.id, paid_at) for parcel, paid_at in parcels])
    later = 0
    for parcel, _paid_at in parcels:
        before, parcel.ready_by = parcel.ready_by, reckoned[parcel.id]
        if before is not None and parcel.ready_by > before:
            later += owe(
                "parcel_later", parcel.order_id, parcel_id=parcel.id, key=f"parcel:{parcel.id}:later:{cause}"
            )
    db.session.flush()
    return later


def follow(*parcels: Parcel, at_latest: datetime.date | None) -> None:
    """Pieces changed their parcel: each of these parcels of one order is promised for the day of what it holds now.

    `at_latest`: the day that its pieces are promised for already. Never commits.
    """
    paid_at = db.session.execute(select(Order.paid_at).where(Order.id == parcels[0].order_id)).scalar_one()
    if paid_at is None or at_latest is None:
        return
    db.session.flush()
    reckoned = _reckoned(parcels[0].facility_id, [(parcel.id, paid_at) for parcel in parcels])
    for parcel in parcels:
        parcel.ready_by = min(reckoned[parcel.id], at_latest)
    db.session.flush()


def _reckoned(
    facility_id: int, parcels: Sequence[tuple[int, datetime.datetime]]
) -> dict[int, datetime.date]:
    """The day on which each parcel leaves, by its id and the moment it was paid."""
    all_of: dict[int, list[int | None]] = {}
    packed: dict[int, list[int | None]] = {}
    for row in db.session.execute(LEADS, {"ids": [parcel_id for parcel_id, _paid_at in parcels]}):
        all_of.setdefault(row.parcel_id, []).append(row.lead_time_days)
        if row.is_packed:
            packed.setdefault(row.parcel_id, []).append(row.lead_time_days)
    # Days off that are over by now counted too when their parcels were paid.
    days = calendar_of(facility_id, min(accounting_day(paid_at) for _id, paid_at in parcels))
    return {
        parcel_id: all_ready_on(accounting_day(paid_at), packed.get(parcel_id) or all_of.get(parcel_id, []), days)
        for parcel_id, paid_at in parcels
    }


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
