"""What became of the parcels: packed, sent and received in their time, the last ones still under way."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, update

from storefront.audit.models import AuditEvent
from storefront.days import accounting_day
from storefront.demo.bulk import in_batches, insert_rows
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail.models import Message
from storefront.orders import pickups
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.orders.progress import GATHER
from storefront.shipping.models import ShippingMethod

COURIERS = ("JNE", "J&T Express", "SiCepat", "Pos Indonesia", "AnterAja")
CARGO = ("Indah Cargo", "Dakota Cargo")
SUNDAY = 6


@dataclass(frozen=True)
class Sent:
    """A paid parcel as it stands before anything was done with it."""

    id: int
    order_id: int
    facility_id: int
    time_zone: str
    is_pickup: bool
    method: str
    paid_at: datetime.datetime
    days_min: int
    days_max: int
    #: Days to make what is in it; None: on the shelf.
    lead_time_days: int | None


@dataclass(frozen=True)
class Step:
    """One step of a parcel."""

    parcel: Sent
    before: ParcelState
    to: ParcelState
    at: datetime.datetime
    courier: str | None = None
    tracking: str | None = None


def advance(today: datetime.date, keepers: dict[int, int], seed: str) -> None:
    """Take every paid parcel as far as it came before the day of loading.

    `keepers`: the person who notes it, by facility id. Each step writes the parcel, the audit trail and the
    message that it owes, as the shop does, with the time at which it happened.
    """
    rng = random.Random(f"{seed}:parcels")
    opened = at(today, 0)
    parcels = _paid_parcels()
    left = _left_behind(parcels, today)
    steps = [step for parcel in parcels for step in _steps(parcel, rng) if step.at < opened]
    steps = [step for step in steps if step.to is not ParcelState.RECEIVED or step.parcel.id not in left]
    for to, stamp in (
        (ParcelState.PACKED, Parcel.packed_at),
        (ParcelState.SHIPPED, Parcel.shipped_at),
        (ParcelState.READY, Parcel.shipped_at),
        (ParcelState.RECEIVED, Parcel.received_at),
    ):
        _write([step for step in steps if step.to is to], stamp.key)
    _tell(sorted(steps, key=lambda step: (step.at, step.parcel.id)), keepers, parcels)
    reminders = [
        {
            "key": f"parcel:{step.parcel.id}:{pickups.KIND}", "kind": pickups.KIND, "order_id": step.parcel.order_id,
            "parcel_id": step.parcel.id, "created_at": step.at + pickups.REMIND_AFTER,
        }
        for step in steps
        if step.to is ParcelState.READY and step.parcel.id in left
    ]  # fmt: skip
    insert_rows(Message, reminders)


def _left_behind(parcels: list[Sent], today: datetime.date) -> set[int]:
    """One parcel of each facility, if there is such, that lies ready for weeks because nobody collects it."""
    last = {
        parcel.facility_id: parcel.id
        for parcel in parcels
        if parcel.is_pickup and not parcel.lead_time_days and accounting_day(parcel.paid_at) <= today - days(24)
    }
    return set(last.values())


def _paid_parcels() -> list[Sent]:
    lead = (
        select(func.max(OrderLine.lead_time_days))
        .join(ParcelLine, ParcelLine.order_line_id == OrderLine.id)
        .where(ParcelLine.parcel_id == Parcel.id)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Parcel.id, Parcel.order_id, Parcel.facility_id, Facility.time_zone, Parcel.is_pickup, ShippingMethod.code,
            Order.paid_at, Parcel.days_min, Parcel.days_max, lead,
        )
        .join(Order, Order.id == Parcel.order_id)
        .join(Facility, Facility.id == Parcel.facility_id)
        .join(ShippingMethod, ShippingMethod.id == Parcel.method_id)
        # What goes to a fair's stand has taken its steps (`collected.py`).
        .where(Parcel.state == ParcelState.TO_PACK.value, Parcel.exhibition_id.is_(None))
        .order_by(Parcel.id)
    )  # fmt: skip
    return [Sent(*row) for row in rows]


def _steps(parcel: Sent, rng: random.Random) -> list[Step]:
    paid = accounting_day(parcel.paid_at)
    made = max(1, parcel.lead_time_days - rng.randrange(3)) if parcel.lead_time_days else 1
    packed = _working_day(paid + days(made))
    leaves = packed if rng.random() < 0.7 else _working_day(packed + days(1))
    least, most = (1, 4) if parcel.is_pickup else (parcel.days_min, parcel.days_max)
    arrives = leaves + days(rng.randint(least, most))

    def clock(day: datetime.date, first: int, last: int) -> datetime.datetime:
        return at(day, rng.randrange(first, last), rng.randrange(60), rng.randrange(60), parcel.time_zone)

    return [
        Step(parcel, ParcelState.TO_PACK, ParcelState.PACKED, clock(packed, 9, 13)),
        _leave(parcel, clock(leaves, 13, 16), rng),
        Step(
            parcel,
            ParcelState.READY if parcel.is_pickup else ParcelState.SHIPPED,
            ParcelState.RECEIVED,
            clock(arrives, 9, 18) if arrives > leaves else clock(leaves, 17, 20),
        ),
    ]


def _leave(parcel: Sent, moment: datetime.datetime, rng: random.Random) -> Step:
    if parcel.is_pickup:
        return Step(parcel, ParcelState.PACKED, ParcelState.READY, moment)
    courier = rng.choice(CARGO if parcel.method == "cargo" else COURIERS)
    tracking = f"CONTOH{rng.randrange(10**9):09}"
    return Step(parcel, ParcelState.PACKED, ParcelState.SHIPPED, moment, courier, tracking)


def _working_day(day: datetime.date) -> datetime.date:
    return day + days(1) if day.weekday() == SUNDAY else day


def _write(steps: list[Step], stamp: str) -> None:
    values: dict[str, Any] = {"state": bindparam("to"), stamp: bindparam("moment")}
    if steps and steps[0].to is ParcelState.SHIPPED:
        values |= {"courier": bindparam("by"), "tracking": bindparam("number")}
    table: Any = Parcel.__table__
    statement = update(table).where(table.c.id == bindparam("parcel")).values(values)
    for batch in in_batches(steps):
        db.session.connection().execute(
            statement,
            [
                {
                    "parcel": step.parcel.id,
                    "to": step.to.value,
                    "moment": step.at,
                    **({"by": step.courier, "number": step.tracking} if step.courier else {}),
                }
                for step in batch
            ],
        )


def _tell(steps: list[Step], keepers: dict[int, int], parcels: list[Sent]) -> None:
    insert_rows(AuditEvent, [_audit(step, keepers.get) for step in steps])
    of_order: dict[int, list[Step]] = {}
    for step in steps:
        of_order.setdefault(step.parcel.order_id, []).append(step)
    number = Counter(parcel.order_id for parcel in parcels)
    messages = [
        {"key": f"order:{order_id}:{kind}", "kind": kind, "order_id": order_id, "created_at": moment}
        for order_id, own in of_order.items()
        for kind, moment in _letters(own, number[order_id])
    ]
    insert_rows(Message, sorted(messages, key=lambda message: (message["created_at"], message["key"])))


def _letters(steps: list[Step], parcels: int) -> Iterator[tuple[str, datetime.datetime]]:
    """The letters that an order of so many parcels owes for its steps, as `orders/progress.py` has it."""
    left = sorted(step.at for step in steps if step.to in (ParcelState.SHIPPED, ParcelState.READY))
    arrived = sorted(step.at for step in steps if step.to is ParcelState.RECEIVED)
    gathered = left[0] + GATHER if left else None
    if gathered and (len(left) < parcels or left[-1] > gathered):
        yield "order_on_its_way", gathered
    if len(left) == parcels:
        yield "order_all_sent", left[-1]
    if len(arrived) == parcels:
        yield "order_received", arrived[-1]


def _audit(step: Step, keeper: Callable[[int], int | None]) -> dict[str, Any]:
    is_buyer = step.to is ParcelState.RECEIVED and not step.parcel.is_pickup
    details: dict[str, Any] = {"from": step.before.value, "to": step.to.value}
    if step.courier:
        details |= {"courier": step.courier, "tracking": step.tracking}
    return {
        "at": step.at,
        "person_id": None if is_buyer else keeper(step.parcel.facility_id),
        "action": f"parcel.{step.to.value}",
        "subject_kind": "parcel",
        "subject_id": str(step.parcel.id),
        "facility_id": step.parcel.facility_id,
        "details": details,
    }
