"""Which order a movement of pieces came from: what its `source` says, as far as the facility may see it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from storefront.extensions import db
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine

#: Sales are named by their line, what came back by its refund and line (`stock.reserve`, `refunds.refund_outcome`).
SALE = re.compile(r"order_line:(\d{1,18}):sold")
REFUND = re.compile(r"refund:\d{1,18}:line:(\d{1,18}):(?:returned|written_off)")


@dataclass(frozen=True)
class OfOrder:
    """The parcel of the facility in which the pieces were or are."""

    order_number: str
    parcel_id: int
    position: int
    is_refund: bool


def of_orders(facility_id: int, sources: Iterable[str | None]) -> dict[str, OfOrder]:
    """By source; what comes from no order, or is in no parcel of the facility's, is left out."""
    lines: dict[str, tuple[int, bool]] = {}
    for source in sources:
        if source and (found := SALE.fullmatch(source)):
            lines[source] = int(found[1]), False
        elif source and (found := REFUND.fullmatch(source)):
            lines[source] = int(found[1]), True
    rows = db.session.execute(
        select(OrderLine.id, Order.number, Parcel.id, Parcel.position)
        .join(Order, Order.id == OrderLine.order_id)
        .join(ParcelLine, ParcelLine.order_line_id == OrderLine.id)
        .join(Parcel, Parcel.id == ParcelLine.parcel_id)
        .where(OrderLine.id.in_({line for line, _ in lines.values()}), Parcel.facility_id == facility_id)
        .order_by(Parcel.id.desc())
    ).all()
    parcels = {line: (number, parcel, position) for line, number, parcel, position in rows}
    return {
        source: OfOrder(*parcels[line], is_refund)
        for source, (line, is_refund) in lines.items()
        if line in parcels
    }
