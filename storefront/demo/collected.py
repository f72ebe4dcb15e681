"""Ordered in the shop, collected at the running fair's stand: one waits to be brought there, one lies ready, one was
handed over on the fair's first day.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from storefront.audit.models import AuditEvent
from storefront.days import begins
from storefront.demo.moments import at, days
from storefront.demo.plan import PlannedOrder
from storefront.exhibitions.models import Exhibition, ExhibitionFacility
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.shipping.models import ShippingMethod

#: So many, paid between so many days before loading; what is made to order would not be there in time.
MOST, FROM, UNTIL = 3, 30, 3


@dataclass(frozen=True)
class Step:
    """What became of a parcel, and when; `by` is who noted it."""

    action: str
    at: datetime.datetime
    by: int | None
    values: Mapping[str, Any]


def wish(
    orders: Sequence[PlannedOrder], codes: Collection[str], keepers: Collection[str], today: datetime.date
) -> list[PlannedOrder]:
    """The same orders, a few of the last collected: of facilities at the fair, those with a coordinator first."""
    first, last = begins(today - days(FROM)), begins(today - days(UNTIL))
    fitting = []
    for place, one in enumerate(orders):
        of = {item.row.facility for item, _ in one.lines}
        on_the_shelf = not any(item.is_made_to_order for item, _ in one.lines)
        if one.paid_at and first <= one.paid_at < last and len(of) == 1 and of <= set(codes) and on_the_shelf:
            fitting.append((not of <= set(keepers), -place, frozenset(of)))
    found = list(orders)
    for _without, place, of_one in sorted(fitting, key=lambda each: each[:2])[:MOST]:
        found[-place] = replace(found[-place], collected=of_one)
    return found


def add(fair: Exhibition, keepers: Mapping[int, int], cashier_id: int, today: datetime.date) -> int:
    """Three paid parcels that would be collected at a gallery go to the fair instead; how many there were.

    `keepers`: who packs, by facility id. Called before other parcels take their steps.
    """
    method = db.session.execute(select(ShippingMethod.id).where(ShippingMethod.kind == "stand")).scalar_one()
    chosen = _chosen(fair, keepers, today)
    for number, parcel in enumerate(chosen):
        there = {"method_id": method, "exhibition_id": fair.id, "days_min": 2, "days_max": 4}
        db.session.execute(update(Parcel).where(Parcel.id == parcel.id).values(there))
        _take(parcel, _steps(parcel, keepers.get(parcel.facility_id), cashier_id, today)[: (1, 3, 4)[number]])
    return len(chosen)


def _chosen(fair: Exhibition, keepers: Collection[int], today: datetime.date) -> list[Parcel]:
    """The last that were paid, of facilities at the fair; of those with a coordinator first."""
    other = aliased(Parcel)
    made = select(ParcelLine.parcel_id).join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
    takes_part = select(ExhibitionFacility.facility_id).where(ExhibitionFacility.exhibition_id == fair.id)
    return list(
        db.session.scalars(
            select(Parcel)
            .join(Order, Order.id == Parcel.order_id)
            .where(
                Parcel.is_pickup,
                Parcel.state == ParcelState.TO_PACK.value,
                Parcel.facility_id.in_(takes_part),
                Parcel.id.not_in(made.where(OrderLine.lead_time_days.is_not(None))),
                ~exists(select(other.id).where(other.order_id == Parcel.order_id, other.id != Parcel.id)),
                Order.paid_at >= begins(today - days(FROM)),
                Order.paid_at < begins(today - days(UNTIL)),
            )
            .order_by(Parcel.facility_id.not_in(list(keepers)), Order.paid_at.desc(), Parcel.id)
            .limit(MOST)
        )
    )


def _steps(parcel: Parcel, keeper: int | None, cashier: int, today: datetime.date) -> list[Step]:
    packed, left = at(today - days(2), 9, 40), at(today - days(2), 15, 10)
    ready, handed = at(today - days(1), 10, 20), at(today - days(1), 14, 35)
    return [
        Step("packed", packed, keeper, {"state": ParcelState.PACKED.value, "packed_at": packed}),
        Step("left", left, keeper, {"left_at": left}),
        Step("ready", ready, cashier, {"state": ParcelState.READY.value, "shipped_at": ready}),
        Step("received", handed, cashier, {"state": ParcelState.RECEIVED.value, "received_at": handed}),
    ]


def _take(parcel: Parcel, steps: list[Step]) -> None:
    """As the shop does: the parcel, the audit trail, and the letter that a step owes."""
    before = ParcelState.TO_PACK.value
    for step in steps:
        after = step.values.get("state", before)
        db.session.execute(update(Parcel).where(Parcel.id == parcel.id).values(dict(step.values)))
        db.session.add(
            AuditEvent(
                at=step.at,
                person_id=step.by,
                action=f"parcel.{step.action}",
                subject_kind="parcel",
                subject_id=str(parcel.id),
                facility_id=parcel.facility_id,
                details={} if step.action == "left" else {"from": before, "to": after},
            )
        )
        kind = {"ready": "order_all_sent", "received": "order_received"}.get(step.action)
        if kind:
            key = f"order:{parcel.order_id}:{kind}"
            db.session.add(Message(key=key, kind=kind, order_id=parcel.order_id, created_at=step.at))
        db.session.flush()
        before = after
    db.session.expire(parcel)
