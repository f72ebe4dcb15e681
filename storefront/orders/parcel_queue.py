"""The packing queue: a facility's parcels by what somebody asks for, sorted, in pages. Nothing of a buyer in it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, text

from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.languages import locale
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.orders.packing import (
    OPEN,
    VISIBLE,
    WITHHELD,
    ParcelPage,
    packed_lines,
    parcel_row,
    stage,
    with_order,
)
from storefront.shipping.models import ShippingMethod

#: What of the promised day can be asked for: over, today, within seven days.
DUE = ("late", "today", "week")
SORTS = ("promised", "newest", "oldest", "number")
SIZES = (25, 50, 100)
#: What the state can be asked for.
STATES = (VISIBLE[0].value, WITHHELD, *(state.value for state in VISIBLE[1:]))
UNSENT = (ParcelState.TO_PACK, ParcelState.PACKED)
#: `way` for all that is carried, whatever the method.
DELIVERY = "delivery"
#: Parcels that one file prints at most.
MOST_PRINTED = 500


@dataclass(frozen=True)
class Asked:
    """What of the queue somebody asks for; None and the empty text ask for nothing."""

    state: str | None = None
    due: str | None = None
    #: Promised for exactly this day.
    day: datetime.date | None = None
    #: A method's code, or `delivery` for all but pickup.
    way: str | None = None
    courier: str | None = None
    workshop: int | None = None
    #: Part of an order's number, `number/position`, or of a tracking number.
    text: str = ""
    sort: str = SORTS[0]
    size: int = SIZES[0]

    @property
    def query(self) -> dict[str, str]:
        """As arguments of an address; what is asked for by default is left out."""
        asked = {
            "state": self.state,
            "due": self.due,
            "day": self.day.isoformat() if self.day else None,
            "way": self.way,
            "courier": self.courier,
            "workshop": self.workshop,
            "q": self.text,
            "sort": self.sort if self.sort != SORTS[0] else None,
            "size": self.size if self.size != SIZES[0] else None,
        }
        return {name: str(value) for name, value in asked.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Something beside the state is asked for."""
        return bool(self.due or self.day or self.way or self.courier or self.workshop or self.text)


@dataclass(frozen=True)
class Choices:
    """What the filters of a facility offer."""

    #: Code and name of each method that its parcels travel by.
    ways: Sequence[tuple[str, str]]
    couriers: Sequence[str]
    #: Id and name.
    workshops: Sequence[tuple[int, str]]


def listing(facility_id: int, asked: Asked, page: int = 1) -> ParcelPage:
    """One page of the queue."""
    where = _where(facility_id, asked)
    total = db.session.scalar(_from(select(func.count(Parcel.id))).where(*where)) or 0
    statement = _sorted(with_order().where(*where), asked).offset((page - 1) * asked.size).limit(asked.size)
    found = db.session.execute(statement).all()
    lines = packed_lines([row.Parcel.id for row in found])
    day = today()
    rows = [parcel_row(row, lines.get(row.Parcel.id, []), day) for row in found]
    return ParcelPage(rows, total, page, asked.size)


def ids(facility_id: int, asked: Asked, limit: int = MOST_PRINTED + 1) -> list[int]:
    """The parcels of the whole filter, in its order."""
    statement = _sorted(_from(select(Parcel.id)).where(*_where(facility_id, asked)), asked).limit(limit)
    return list(db.session.scalars(statement))


def counts(facility_id: int, asked: Asked) -> dict[str, int]:
    """How many parcels there are in each visible state, by all that is asked for beside the state."""
    where = _where(facility_id, replace(asked, state=None))
    at = stage().label("stage")
    rows = db.session.execute(_from(select(at, func.count())).where(*where).group_by(text("stage")))
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def any_carried(facility_id: int, parcel_ids: Sequence[int]) -> bool:
    """Whether one of these parcels of the facility is carried rather than collected."""
    own = select(Parcel.id).where(Parcel.facility_id == facility_id, Parcel.id.in_(parcel_ids), ~Parcel.is_pickup)
    return db.session.scalar(own.limit(1)) is not None


def choices(facility_id: int) -> Choices:
    """What can be asked for in this facility."""
    own = select(Parcel.method_id).where(Parcel.facility_id == facility_id)
    methods = db.session.scalars(
        select(ShippingMethod).where(ShippingMethod.id.in_(own)).order_by(ShippingMethod.position)
    )
    couriers = db.session.scalars(
        select(Parcel.courier)
        .where(Parcel.facility_id == facility_id, Parcel.courier.is_not(None))
        .group_by(Parcel.courier)
        .order_by(func.count().desc(), Parcel.courier)
        .limit(30)
    )
    workshops = db.session.execute(
        select(Workshop.id, Workshop.name).where(Workshop.facility_id == facility_id).order_by(Workshop.name)
    )
    return Choices(
        [(method.code, method.named(locale())) for method in methods],
        [courier for courier in couriers if courier],
        [(row.id, row.name) for row in workshops],
    )


def _from(statement: Any) -> Any:
    """Of parcels and their orders."""
    return statement.select_from(Parcel).join(Order, Order.id == Parcel.order_id)


def _where(facility_id: int, asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        Parcel.facility_id == facility_id,
        Parcel.state.in_([state.value for state in VISIBLE]),
        Parcel.merged_at.is_(None),
    ]
    if asked.state in (ParcelState.TO_PACK, WITHHELD):
        where += [Parcel.state == ParcelState.TO_PACK.value, stage() == asked.state]
    elif asked.state:
        where.append(Parcel.state == asked.state)
    if asked.due:
        where += [Parcel.state.in_(UNSENT), _due(asked.due)]
    if asked.day:
        where.append(Parcel.ready_by == asked.day)
    if asked.way == DELIVERY:
        where.append(Parcel.is_pickup.is_(False))
    elif asked.way:
        way = select(ShippingMethod.id).where(ShippingMethod.code == asked.way)
        where.append(Parcel.method_id.in_(way))
    if asked.courier:
        where.append(Parcel.courier == asked.courier)
    if asked.workshop:
        made_there = (
            select(ParcelLine.parcel_id)
            .join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
            .where(OrderLine.workshop_id == asked.workshop)
        )
        where.append(Parcel.id.in_(made_there))
    if asked.text:
        where.append(_named(asked.text))
    return where


def _due(due: str) -> ColumnElement[bool]:
    day = today()
    if due == "late":
        return Parcel.ready_by < day
    if due == "today":
        return Parcel.ready_by == day
    return Parcel.ready_by <= day + datetime.timedelta(days=7)


def _named(text: str) -> ColumnElement[bool]:
    """Orders' numbers are random: a part of one, with or without its dashes, finds it."""
    number, _slash, position = text.upper().partition("/")
    plain = number.strip().replace("-", "").replace(" ", "")
    if not plain:
        return Parcel.id == 0
    by_number = func.replace(Order.number, "-", "").contains(plain, autoescape=True)
    if position.strip().isdigit() and len(position.strip()) < 6:
        return by_number & (Parcel.position == int(position))
    return or_(by_number, func.upper(Parcel.tracking).contains(text.strip().upper(), autoescape=True))


def _sorted(statement: Any, asked: Asked) -> Any:
    if asked.sort == "newest":
        return statement.order_by(Parcel.id.desc())
    if asked.sort == "oldest":
        return statement.order_by(Parcel.id)
    if asked.sort == "number":
        return statement.order_by(Order.number, Parcel.position)
    # What is open first, the earliest promised day on top; then the latest.
    is_open = case((Parcel.state.in_(OPEN), 0), else_=1)
    soonest = case((Parcel.state.in_(OPEN), Parcel.ready_by))
    return statement.order_by(is_open, soonest.nulls_last(), case((is_open == 0, Parcel.id)), Parcel.id.desc())
