"""What a packing room leaves behind: parcels of which a part follows later, and labels that were printed."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping

from sqlalchemy import func, select

from storefront.audit.record import dated
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders import labels, split
from storefront.orders.models import Order, Parcel, ParcelLine, ParcelState, RefundPieces
from storefront.orders.packing import packed_lines

#: Labels of a printed batch.
LABELS = 3


def add(facilities: Mapping[str, Facility], keepers: Mapping[str, int], today: datetime.date, seed: str) -> None:
    """Split one parcel of each facility that has one to split, and print the labels of the last ones that left."""
    rng = random.Random(f"{seed}:packed-apart")
    for code in sorted(keepers):
        moment = at(today - days(1), 10, rng.randrange(60))
        with dated(moment):
            _split(facilities[code].id, keepers[code], f"demo-split-{code}-{seed}".ljust(16, "-"))
            _label(facilities[code].id, keepers[code], f"demo-label-{code}-{seed}".ljust(16, "-"))


def _split(facility_id: int, person_id: int, key: str) -> None:
    several = select(ParcelLine.parcel_id).group_by(ParcelLine.parcel_id).having(func.sum(ParcelLine.quantity) > 1)
    parcel_id = db.session.scalar(
        select(Parcel.id)
        .join(Order, Order.id == Parcel.order_id)
        .where(
            Parcel.facility_id == facility_id,
            Parcel.state == ParcelState.TO_PACK.value,
            Parcel.id.in_(several),
            Parcel.id.not_in(select(RefundPieces.parcel_id)),
        )
        .order_by(Parcel.id)
        .limit(1)
    )
    if parcel_id is None:
        return
    last = packed_lines([parcel_id])[parcel_id][-1]
    split.split_parcel(parcel_id, {last.order_line_id: 1}, person_id, key)


def _label(facility_id: int, person_id: int, key: str) -> None:
    sent = select(Parcel.id).where(Parcel.facility_id == facility_id, Parcel.state == ParcelState.SHIPPED.value)
    ids = db.session.scalars(sent.order_by(Parcel.id.desc()).limit(LABELS)).all()
    if not ids:
        return
    batch = labels.make_batch(facility_id, ids, "a6", person_id, key)
    labels.print_batch(facility_id, batch.id, person_id, f"{key}-print")
