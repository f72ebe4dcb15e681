"""Parcels that are collected at a fair's stand: brought there, laid ready, given to whoever has the order's code.

They take the steps of every parcel that is collected. On its way to the stand a parcel is still `packed`; `left_at`
says since when. Nothing here commits.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from storefront.audit.record import record
from storefront.catalogue.short_codes import resolve
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders import packed_batches, ship
from storefront.orders.models import Order, OrderContact, Parcel, ParcelState
from storefront.orders.packing import PackedLine, packed_lines
from storefront.orders.parcel_views import WAITED_FOR
from storefront.pages import Paged

PAGE = 25
#: What a cashier is asked for: lying there, to arrive, handed over.
STATES = ("ready", "coming", "received")
#: Letters and digits of a number by which one is looked for: with fewer the list could be read through.
SHORTEST = 4


@dataclass(frozen=True)
class ToCollect:
    """A parcel as whoever hands it over sees it: of its buyer the name at most."""

    id: int
    order_number: str
    position: int
    facility: str
    state: str
    is_paid: bool
    #: Shown while somebody may come for it.
    buyer: str
    left_at: datetime.datetime | None
    shipped_at: datetime.datetime | None
    received_at: datetime.datetime | None
    lines: Sequence[PackedLine]

    @property
    def pieces(self) -> int:
        return sum(line.to_pack if self.state != ParcelState.RECEIVED else line.quantity for line in self.lines)


class CollectPage(Paged[ToCollect]):
    size = PAGE


def mark_left(parcel_id: int, person_id: int) -> Parcel:
    """A packed parcel is on its way to its stand. Said again, it changes nothing. Raises WrongParcelState."""
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel.state != ParcelState.PACKED or parcel.exhibition_id is None:
        raise ship.WrongParcelState()
    if parcel.left_at is None:
        packed_batches.refuse_held(parcel_id)
        parcel.left_at = db.session.execute(select(func.now())).scalar_one()
        db.session.flush()
        record("parcel.left", "parcel", parcel.id, person_id=person_id, facility_id=parcel.facility_id)
    return parcel


def mark_arrived(exhibition_id: int, parcel_id: int, person_id: int) -> bool:
    """Somebody at the stand has it: it lies ready and its buyer is told. False when that was said before.

    Raises NotFound for a parcel of no or another fair, WrongParcelState.
    """
    parcel = _at(exhibition_id, parcel_id)
    if parcel.state in (ParcelState.READY, ParcelState.RECEIVED):
        return False
    ship.mark_ready(parcel_id, person_id)
    return True


def hand_out(exhibition_id: int, parcel_id: int, person_id: int) -> bool:
    """Hand a parcel that lies ready to whoever came for it. False when somebody has done so before.

    Raises NotFound for a parcel of no or another fair, WrongParcelState.
    """
    parcel = _at(exhibition_id, parcel_id)
    if parcel.state == ParcelState.RECEIVED:
        return False
    if parcel.state != ParcelState.READY:
        raise ship.WrongParcelState()
    ship.mark_received(parcel_id, person_id)
    return True


def _at(exhibition_id: int, parcel_id: int) -> Parcel:
    """Locked, so that of two who press at once the second sees what the first has done."""
    parcel = db.session.get(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel is None or parcel.exhibition_id != exhibition_id or parcel.merged_at is not None:
        raise NotFound()
    return parcel


def listed(exhibition_id: int, state: str = "", number: str = "", page: int = 1) -> CollectPage:
    """A fair's parcels in one state (`STATES`), by default those that lie ready or come; what lies ready first.

    With `number`, part of an order's number, whatever became of it: also those that are not paid.
    """
    where: list[ColumnElement[bool]] = [Parcel.exhibition_id == exhibition_id, Parcel.merged_at.is_(None)]
    plain = plain_number(number_meant(number))
    if plain:
        found = func.replace(Order.number, "-", "").contains(plain, autoescape=True)
        where.append(found if len(plain) >= SHORTEST else Parcel.id == 0)
    else:
        where.append(_in_state(state))
    first = case((Parcel.state == ParcelState.READY.value, 0), (Parcel.state == ParcelState.PACKED.value, 1), else_=2)
    return _page(where, [first, Parcel.received_at.desc().nulls_last(), Parcel.id], page)


def counts(exhibition_id: int) -> Mapping[str, int]:
    """How many parcels of a fair there are in each of `STATES`."""
    row = db.session.execute(
        select(*(func.count().filter(_in_state(state)).label(state) for state in STATES)).where(
            Parcel.exhibition_id == exhibition_id, Parcel.merged_at.is_(None)
        )
    ).one()
    return dict(row._mapping)


def of_facility(exhibition_id: int, facility_id: int) -> Sequence[ToCollect]:
    """A facility's paid parcels for a fair that nobody has collected yet, those still to pack first; without buyers."""
    where = [
        Parcel.exhibition_id == exhibition_id,
        Parcel.facility_id == facility_id,
        Parcel.merged_at.is_(None),
        Parcel.state.in_([ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY]),
    ]
    order = [case((Parcel.state == ParcelState.READY.value, 1), else_=0), Parcel.ready_by.nulls_last(), Parcel.id]
    return _page(where, order, 1, limit=500, with_buyers=False).rows


def open_parcels(exhibition_id: int) -> Sequence[tuple[Parcel, str]]:
    """Parcels for a fair that may still be collected, unpaid ones too, with their order's number."""
    rows = db.session.execute(
        select(Parcel, Order.number)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.exhibition_id == exhibition_id, Parcel.state.in_([state.value for state in WAITED_FOR]))
        .order_by(Parcel.id)
        .execution_options(populate_existing=True)
    )
    return [(parcel, number) for parcel, number in rows]


def number_meant(scanned: str) -> str:
    """The order's number that a scan means: of the buyer's code itself, of a parcel's label by its short link."""
    _before, link, code = scanned.rpartition("/p/")
    target = resolve(code) if link else None
    if target is None or target.kind != "parcel":
        return scanned
    of_parcel = select(Order.number).join(Parcel, Parcel.order_id == Order.id).where(Parcel.id == target.id)
    return db.session.scalar(of_parcel) or scanned


def plain_number(written: str) -> str:
    """What was typed or scanned, as far as it can be part of an order's number: letters and digits."""
    return "".join(letter for letter in written.upper().partition("/")[0] if letter.isalnum())[:40]


def _in_state(state: str) -> ColumnElement[bool]:
    if state == "received":
        return Parcel.state == ParcelState.RECEIVED.value
    if state == "ready":
        return Parcel.state == ParcelState.READY.value
    coming = Parcel.state.in_([ParcelState.TO_PACK.value, ParcelState.PACKED.value])
    return coming if state == "coming" else coming | (Parcel.state == ParcelState.READY.value)


def _page(
    where: Sequence[ColumnElement[bool]],
    order: Sequence[Any],
    page: int,
    *,
    limit: int = PAGE,
    with_buyers: bool = True,
) -> CollectPage:
    base = (
        select(Parcel, Order.number, Order.paid_at, Facility.name, OrderContact.name.label("buyer"))
        .join(Order, Order.id == Parcel.order_id)
        .join(Facility, Facility.id == Parcel.facility_id)
        .outerjoin(OrderContact, OrderContact.order_id == Order.id)
        .where(*where)
    )
    total = db.session.scalar(select(func.count()).select_from(base.subquery())) or 0
    rows = db.session.execute(base.order_by(*order).offset((page - 1) * limit).limit(limit)).all()
    lines = packed_lines([row.Parcel.id for row in rows])
    found = [
        ToCollect(
            id=row.Parcel.id,
            order_number=row.number,
            position=row.Parcel.position,
            facility=row.name,
            state=row.Parcel.state,
            is_paid=row.paid_at is not None,
            buyer=row.buyer or "" if with_buyers and row.Parcel.state in WAITED_FOR else "",
            left_at=row.Parcel.left_at,
            shipped_at=row.Parcel.shipped_at,
            received_at=row.Parcel.received_at,
            lines=lines.get(row.Parcel.id, []),
        )
        for row in rows
    ]
    return CollectPage(found, total, page)
