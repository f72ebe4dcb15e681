"""What became of a refund at the provider: shares taken back, pieces put back, parcels called off.

One transaction, once for each refund, whatever is retried.
"""

from __future__ import annotations

import datetime

from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.four_eyes import moment
from storefront.books.line_shares import taken_shares
from storefront.books.models import RefundLine, RefundShare
from storefront.extensions import db
from storefront.ledger.closed import counting
from storefront.ledger.sale import book_refund
from storefront.ledger.take_back import Taken
from storefront.mail.owe import owe
from storefront.orders.models import Order, OrderLine, Parcel, ParcelState
from storefront.payments.models import Payment, Refund
from storefront.stock.adjust import move
from storefront.stock.models import MovementReason

SHIPPING = text(
    """
    SELECT p.facility_id, f.code, x.amount FROM refund_parcels x
      JOIN parcels p ON p.id = x.parcel_id JOIN facilities f ON f.id = p.facility_id
     WHERE x.refund_id = :refund_id ORDER BY p.position"""
)
EMPTIED = text(
    """
    SELECT p.id FROM parcels p JOIN parcel_lines l ON l.parcel_id = p.id
     WHERE p.order_id = :order_id AND p.state IN ('to_pack', 'packed')
     GROUP BY p.id
    HAVING bool_and(l.quantity <= COALESCE((
           SELECT sum(x.quantity) FROM refund_lines x JOIN refunds r ON r.id = x.refund_id
            WHERE x.order_line_id = l.order_line_id AND r.state = 'succeeded'), 0))"""
)


def refund_succeeded(
    refund_id: int, *, happened_at: datetime.datetime | None = None, at: datetime.datetime | None = None
) -> str:
    """The provider gave the money back at `happened_at`, by default when it became known: `at` or now.

    In a month that is closed meanwhile it counts when it became known. Returns what it came to, in a word. Never
    commits.
    """
    refund = _locked(refund_id)
    if refund.state == "succeeded":
        return "already_recorded"
    counted = counting(happened_at or moment(at), known_at=at)
    payment = db.session.get_one(Payment, refund.payment_id)
    taken = _take_shares(refund) + [
        Taken(row.facility_id, row.code, row.amount)
        for row in db.session.execute(SHIPPING, {"refund_id": refund.id})
    ]
    book_refund(
        refund.id,
        payment.gateway,
        taken,
        order_id=refund.order_id,
        when=counted,
        person_id=refund.approved_by or refund.proposed_by,
    )
    was = refund.state
    refund.state, refund.finished_at, refund.failure = "succeeded", counted.at, None
    db.session.flush()
    _put_back(refund, counted.at)
    _call_off_parcels(refund)
    owe("refund_done", refund.order_id, key=f"refund:{refund.id}:succeeded")
    _record(refund, was)
    return "refunded"


def refund_failed(refund_id: int, why: str) -> str:
    """The provider could not give the money back; finance sees it and may send it again. Never commits."""
    refund = _locked(refund_id)
    if refund.state in ("succeeded", "failed"):
        return "already_recorded"
    now = moment(None)
    was = refund.state
    refund.state, refund.finished_at, refund.failure = "failed", now, why[:500]
    db.session.flush()
    _record(refund, was)
    return "refund_failed"


def _record(refund: Refund, was: str) -> None:
    after = {"state": refund.state} | ({"failure": refund.failure} if refund.failure else {})
    details = {"before": {"state": was}, "after": after, "amount": refund.amount}
    record(f"refund.{refund.state}", "refund", refund.id, details=details)


def _locked(refund_id: int) -> Refund:
    """The refund, its order locked first: refunds of one order are recorded one after the other."""
    order_id = db.session.execute(select(Refund.order_id).where(Refund.id == refund_id)).scalar_one()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)


def _take_shares(refund: Refund) -> list[Taken]:
    rows = db.session.execute(
        select(RefundLine, OrderLine)
        .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        .where(RefundLine.refund_id == refund.id)
        .order_by(OrderLine.position)
    ).all()
    taken = []
    for part, line in rows:
        for share in taken_shares(line.id, part.amount):
            db.session.add(
                RefundShare(
                    refund_id=refund.id,
                    order_line_id=line.id,
                    position=share.position,
                    fund_id=share.fund_id,
                    amount=share.amount,
                )
            )
            taken.append(
                Taken(
                    line.facility_id,
                    line.facility_code,
                    share.amount,
                    share.fund_id,
                    share.fund_code,
                    line.id,
                )
            )
    db.session.flush()
    return taken


def _put_back(refund: Refund, at: datetime.datetime) -> None:
    """Pieces that came back: on the shelf, or written off with both movements to be seen."""
    rows = db.session.execute(
        select(RefundLine, OrderLine)
        .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        .where(RefundLine.refund_id == refund.id, RefundLine.pieces != "none")
        .order_by(OrderLine.variant_id, OrderLine.location_id)
    )
    for part, line in rows:
        if line.location_id is None:
            continue
        source = f"refund:{refund.id}:line:{line.id}"
        where = (line.variant_id, line.location_id)
        move(*where, part.quantity, MovementReason.RETURNED, source=f"{source}:returned", moved_at=at)
        if part.pieces == "write_off":
            move(*where, -part.quantity, MovementReason.DAMAGED, source=f"{source}:written_off", moved_at=at)


def _call_off_parcels(refund: Refund) -> None:
    """A parcel that has not left and holds nothing that is still paid for is not packed any more."""
    for parcel_id in db.session.scalars(EMPTIED, {"order_id": refund.order_id}).all():
        parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
        parcel.state = ParcelState.CANCELLED.value
    db.session.flush()
