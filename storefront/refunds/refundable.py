"""What of a paid order can still be given back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import text

from storefront.extensions import db
from storefront.orders.models import Order, OrderState

LINES = text(
    """
    SELECT l.id, l.facility_id, l.facility_code, l.title, l.variant_title, l.sku, l.unit_price, l.location_id,
           l.variant_id, l.quantity - COALESCE(gone.quantity, 0) AS quantity,
           l.net_amount - COALESCE(gone.amount, 0) - COALESCE((
               SELECT sum(d.amount) FROM dispute_shares d WHERE d.order_line_id = l.id), 0)::bigint AS amount
      FROM order_lines l
      LEFT JOIN LATERAL (
           SELECT sum(x.quantity)::int AS quantity, sum(x.amount)::bigint AS amount
             FROM refund_lines x JOIN refunds r ON r.id = x.refund_id
            WHERE x.order_line_id = l.id AND r.state NOT IN ('rejected', 'failed')) gone ON true
     WHERE l.order_id = :order_id ORDER BY l.position"""
)
PARCELS = text(
    """
    SELECT p.id, p.position, p.facility_id, f.code AS facility_code, p.shipping_amount - COALESCE((
           SELECT sum(x.amount) FROM refund_parcels x JOIN refunds r ON r.id = x.refund_id
            WHERE x.parcel_id = p.id AND r.state NOT IN ('rejected', 'failed')), 0)::bigint - COALESCE((
           SELECT sum(d.amount) FROM dispute_parcels d WHERE d.parcel_id = p.id), 0)::bigint AS amount
      FROM parcels p JOIN facilities f ON f.id = p.facility_id WHERE p.order_id = :order_id AND p.merged_at IS NULL
     ORDER BY p.position"""
)
#: Of the payments that paid it, the one with most left to give back: a refund goes the way that one payment came.
PAYMENT = text(
    """
    SELECT p.id, (p.amount - COALESCE((SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id
                   AND r.state NOT IN ('rejected', 'failed')), 0))::bigint AS amount, count(*) OVER () > 1 AS others
      FROM payments p WHERE p.order_id = :order_id AND p.counts ORDER BY 2 DESC, p.id LIMIT 1"""
)


@dataclass(frozen=True)
class LineLeft:
    """A line with the pieces and rupiah that no living refund speaks of and no lost dispute took."""

    id: int
    facility_id: int
    facility_code: str
    title: str
    variant_title: str
    sku: str
    unit_price: int
    location_id: int | None
    variant_id: int
    quantity: int
    amount: int

    def price_of(self, quantity: int) -> int:
        """Rupiah for so many pieces: their price, all that is left for the last of them."""
        if quantity and quantity == self.quantity:
            return self.amount
        return min(self.unit_price * quantity, self.amount)


@dataclass(frozen=True)
class ParcelLeft:
    """A parcel with the rupiah of its shipping that can still go back."""

    id: int
    position: int
    facility_id: int
    facility_code: str
    amount: int


@dataclass(frozen=True)
class Refundable:
    """What of an order can still be given back, by the ids of its lines and parcels."""

    payment_id: str
    lines: dict[int, LineLeft]
    parcels: dict[int, ParcelLeft]
    #: Rupiah that this payment can still give back, where the order was paid by several; None: all that is left.
    at_once: int | None = None

    @property
    def shipping(self) -> dict[int, int]:
        """Rupiah of shipping by parcel."""
        return {parcel.id: parcel.amount for parcel in self.parcels.values()}

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines.values()) + sum(self.shipping.values())

    def within(self, facility_ids: Iterable[int] | None) -> Refundable:
        """The part of it that belongs to some facilities, or (None) all of it."""
        if facility_ids is None:
            return self
        ids = frozenset(facility_ids)
        return replace(
            self,
            lines={line.id: line for line in self.lines.values() if line.facility_id in ids},
            parcels={parcel.id: parcel for parcel in self.parcels.values() if parcel.facility_id in ids},
        )


def refundable(order: Order) -> Refundable | None:
    """What is left of a paid order; None for one that is not paid."""
    if order.state != OrderState.PAID:  # what waits of one in parts goes back whole, with its order
        return None
    payment = db.session.execute(PAYMENT, {"order_id": order.id}).one_or_none()
    if payment is None:
        return None
    lines = [LineLeft(**row._mapping) for row in db.session.execute(LINES, {"order_id": order.id})]
    parcels = [ParcelLeft(**row._mapping) for row in db.session.execute(PARCELS, {"order_id": order.id})]
    return Refundable(
        payment.id,
        {line.id: line for line in lines},
        {parcel.id: parcel for parcel in parcels},
        payment.amount if payment.others else None,
    )
