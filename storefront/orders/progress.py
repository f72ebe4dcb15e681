"""One letter for each step of an order, whatever number of facilities it has.

A letter goes out when the first parcels have left, gathered over half an hour; one when all have; one when all have
arrived. Each lists every parcel as it stands, so nothing needs a letter of its own. What became of several steps at
once is told by the last of them alone (docs/decisions/017-after-the-sale.md).
"""

from __future__ import annotations

import datetime

from sqlalchemy import func, select

from storefront.extensions import db, defer
from storefront.mail.owe import owe
from storefront.orders.models import Order, Parcel, ParcelState

#: Parcels that leave within this time of the first are told of together.
GATHER = datetime.timedelta(minutes=30)
LEFT = frozenset({ParcelState.SHIPPED, ParcelState.READY, ParcelState.RECEIVED, ParcelState.RETURNED})
ARRIVED = frozenset({ParcelState.RECEIVED, ParcelState.RETURNED})


def tell_soon(order_id: int) -> None:
    """Queue a look at what of an order is to be told. It happens after commit, when every parcel's step is seen."""
    defer("orders.tell_progress", order_id=order_id)


def tell_progress(order_id: int, *, gathered: bool = False) -> str | None:
    """Owe the letter of the step that the order has come to; the kind that is owed, None when there is none.

    `gathered`: half an hour has passed since the first parcel left. Never commits; the same again changes nothing.
    """
    # Two looks at one order follow each other, so that a step is never told before an earlier one.
    db.session.get_one(Order, order_id, with_for_update={"key_share": True}, populate_existing=True)
    states = set(
        db.session.scalars(
            select(Parcel.state).where(
                Parcel.order_id == order_id, Parcel.state != ParcelState.CANCELLED.value
            )
        )
    )
    if not states & LEFT:
        return None
    if states <= ARRIVED and ParcelState.RECEIVED not in states:
        return None  # all of it came back: nothing arrived
    if states <= ARRIVED:
        kind = "order_received"
    elif states <= LEFT:
        kind = "order_all_sent"
    elif gathered:
        kind = "order_on_its_way"
    else:
        _look_again(order_id)
        return None
    return kind if owe(kind, order_id) else None


def _look_again(order_id: int) -> None:
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    defer(
        "orders.tell_progress",
        order_id=order_id,
        gathered=True,
        schedule_at=now + GATHER,
        queueing_lock=f"progress:{order_id}",
    )
