"""One step for many parcels: each row has its own verdict, and a row that has moved holds up no other.

Safe to send again: what has happened already is said, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import select

from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.orders import at_stand, ship
from storefront.orders.models import Order, Parcel, ParcelState

#: What can be done with many at once, and the states in which it has been done before.
STEPS = {
    "packed": (ParcelState.PACKED,),
    "sent": (ParcelState.SHIPPED, ParcelState.READY),
    "to_pack": (ParcelState.TO_PACK,),
}
#: Parcels that one request may name.
MOST = 100


@dataclass(frozen=True)
class Verdict:
    """What became of one row."""

    parcel_id: int
    #: `order number/position`.
    name: str
    #: `done`, `already` or `refused`.
    result: str
    #: The parcel's state afterwards.
    state: str
    #: Why it was refused.
    why: str = ""


def take(facility_id: int, parcel_ids: Collection[int], step: str, person_id: int, courier: str = "") -> list[Verdict]:
    """Take `step` (one of `STEPS`) with each of the facility's parcels; others' do not exist and are passed over.

    `courier` carries what is sent; what is collected is laid ready, or on its way to its stand.
    Never commits. Parcels are locked in the order of their ids, so that two people who do this at once
    do not wait for each other in a circle.
    """
    rows = db.session.execute(
        select(Parcel.id, Parcel.position, Order.number)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.facility_id == facility_id, Parcel.id.in_(list(parcel_ids)[:MOST]), Parcel.merged_at.is_(None))
        .order_by(Parcel.id)
    ).all()
    return [_one(row.id, f"{row.number}/{row.position}", step, person_id, courier) for row in rows]


def _one(parcel_id: int, name: str, step: str, person_id: int, courier: str) -> Verdict:
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    has_left = step == "sent" and parcel.left_at is not None and parcel.state == ParcelState.PACKED
    if parcel.state in STEPS[step] or has_left:
        return Verdict(parcel_id, name, "already", parcel.state)
    try:
        with db.session.begin_nested():
            _act(step, parcel, courier)(parcel_id, person_id)
    except DomainError as refusal:
        db.session.refresh(parcel)
        return Verdict(parcel_id, name, "refused", parcel.state, _why(refusal))
    return Verdict(parcel_id, name, "done", parcel.state)


def _act(step: str, parcel: Parcel, courier: str) -> Callable[[int, int], object]:
    if step == "packed":
        return ship.mark_packed
    if step == "to_pack":
        return ship.unpack
    if parcel.exhibition_id is not None:
        return at_stand.mark_left
    if parcel.is_pickup:
        return ship.mark_ready
    return lambda parcel_id, person_id: ship.mark_shipped(parcel_id, courier, "", person_id)


def _why(refusal: DomainError) -> str:
    """What is wrong with a field, said in one line; a moved parcel's state says enough by itself."""
    if isinstance(refusal, Invalid):
        return " ".join(str(sentence) for sentence in refusal.errors.values())
    return "" if type(refusal) is ship.WrongParcelState else str(refusal.message)
