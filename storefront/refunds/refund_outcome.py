"""What became of a refund at the provider: shares taken back, pieces put back, parcels called off.

One transaction, once for each refund, whatever is retried.
"""

from __future__ import annotations

import datetime

from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.four_eyes import moment
from storefront.books.line_shares import taken_shares
from storefront.books.taken_back_models import RefundLine, RefundShare
from storefront.books.transfer_back import plan_reversals
from storefront.days import accounting_day, begins
from storefront.extensions import db
from storefront.ledger.book import AccountKey
from storefront.ledger.closed import Counted, counting
from storefront.ledger.sale import book_refund, book_refund_came_back, refund_source
from storefront.ledger.take_back import Taken
from storefront.mail.owe import owe
from storefront.orders.models import Channel, Order, OrderLine, Parcel, ParcelState
from storefront.orders.refund_news import hand_to_bank, note_return, times_returned, went_by_provider
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import Payment, Refund
from storefront.stock.adjust import move
from storefront.stock.models import MovementReason

SHIPPING = text(
    """
    SELECT p.facility_id, f.code, x.amount FROM refund_parcels x
      JOIN parcels p ON p.id = x.parcel_id JOIN facilities f ON f.id = p.facility_id
     WHERE x.refund_id = :refund_id ORDER BY p.position"""
)
#: What a refund has taken of each share and not given back again.
TAKEN = text(
    """
    SELECT s.order_line_id, s.position, s.fund_id, f.code AS fund_code, l.facility_id, l.facility_code,
           sum(s.amount)::bigint AS amount
      FROM refund_shares s JOIN funds f ON f.id = s.fund_id JOIN order_lines l ON l.id = s.order_line_id
     WHERE s.refund_id = :refund_id
     GROUP BY s.order_line_id, s.position, s.fund_id, f.code, l.facility_id, l.facility_code
    HAVING sum(s.amount) <> 0 ORDER BY s.order_line_id, s.position"""
)
EMPTIED = text(
    """
    SELECT p.id FROM parcels p JOIN parcel_lines l ON l.parcel_id = p.id
     WHERE p.order_id = :order_id AND p.state IN ('to_pack', 'packed')
     GROUP BY p.id
    HAVING bool_and(l.quantity <= COALESCE((
           SELECT sum(x.quantity) FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id
            WHERE x.parcel_id = p.id AND x.order_line_id = l.order_line_id AND r.state = 'succeeded'), 0))"""
)


def record_outcome(
    refund: Refund, event: ProviderEvent, happened_at: datetime.datetime | None = None
) -> str:
    """What an event says of a refund with lines. Never commits."""
    if event.kind is EventKind.REFUND_SUCCEEDED:
        return refund_succeeded(refund.id, happened_at=happened_at)
    return refund_failed(refund.id, event.failure, happened_at=happened_at)


def refund_succeeded(
    refund_id: int,
    *,
    happened_at: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
    on: datetime.date | None = None,
    paid_from: AccountKey | None = None,
) -> str:
    """The money went back, by the provider at `happened_at`, or on the day `on` out of our own account `paid_from`.

    By default it did when it became known: `at` or now. In a month that is closed meanwhile it counts when it
    became known. Returns what it came to, in a word. Never commits.
    """
    refund = _locked(refund_id)
    if refund.state in ("succeeded", "failed"):
        return "already_recorded"
    if on is not None and on != accounting_day(moment(at)):
        happened_at = begins(on)  # it counts on its own day, also in reports
    counted = counting(happened_at or moment(at), known_at=at)
    payment = db.session.get_one(Payment, refund.payment_id)
    number = 1 + times_returned(refund.id)
    taken = _take_shares(refund, step=2 * number - 1) + _shipping(refund)
    book_refund(
        refund.id,
        payment.gateway,
        taken,
        order_id=refund.order_id,
        when=counted,
        person_id=refund.approved_by or refund.proposed_by,
        number=number,
        paid_from=paid_from,
    )
    plan_reversals(refund.order_id, taken, f"refund:{refund.id}:{number}")
    was = refund.state
    refund.state, refund.finished_at, refund.failure = "succeeded", counted.at, None
    db.session.flush()
    if number == 1:  # the pieces came once, however often the money has to be sent
        _put_back(refund, counted.at)
    _call_off_parcels(refund)
    if not _at_a_stand(refund.order_id):  # whoever stands there has the money in hand
        said = "refund_done" if paid_from is None else "return_paid"
        owe(said, refund.order_id, key=refund_source(refund.id, number))
    _record(refund, was)
    return "refunded"


def refund_failed(refund_id: int, why: str, *, happened_at: datetime.datetime | None = None) -> str:
    """The provider could not give the money back; finance sees it and may send it again. Never commits.

    One that had gone through has come back: each fund is owed its shares again, by an entry of its own.
    """
    refund = _locked(refund_id)
    if refund.state in ("failed", "by_bank"):
        return "already_recorded"
    now = moment(None)
    if refund.state == "succeeded":
        if not went_by_provider(refund):
            return "already_recorded"
        return _came_back(refund, why, counting(happened_at or now))
    was = refund.state
    refund.state, refund.finished_at, refund.failure = "failed", now, why[:500]
    db.session.flush()
    hand_to_bank(refund.id, why)
    _record(refund, was)
    return "refund_failed"


def _came_back(refund: Refund, why: str, counted: Counted) -> str:
    payment = db.session.get_one(Payment, refund.payment_id)
    number = note_return(refund, why, counted.at)
    returned = _shipping(refund)
    for row in db.session.execute(TAKEN, {"refund_id": refund.id}).all():
        db.session.add(
            RefundShare(
                refund_id=refund.id,
                order_line_id=row.order_line_id,
                position=row.position,
                step=2 * number,
                fund_id=row.fund_id,
                amount=-row.amount,
            )
        )
        returned.append(
            Taken(
                row.facility_id, row.facility_code, row.amount, row.fund_id, row.fund_code, row.order_line_id
            )
        )
    db.session.flush()
    book_refund_came_back(
        refund.id, payment.gateway, returned, order_id=refund.order_id, when=counted, number=number
    )
    _record(refund, "succeeded", what="came_back")
    return "refund_came_back"


def _shipping(refund: Refund) -> list[Taken]:
    return [
        Taken(row.facility_id, row.code, row.amount)
        for row in db.session.execute(SHIPPING, {"refund_id": refund.id})
    ]


def _at_a_stand(order_id: int) -> bool:
    return db.session.scalar(select(Order.channel).where(Order.id == order_id)) == Channel.COUNTER


def _record(refund: Refund, was: str, what: str | None = None) -> None:
    after = {"state": refund.state} | ({"failure": refund.failure} if refund.failure else {})
    details = {"before": {"state": was}, "after": after, "amount": refund.amount}
    record(f"refund.{what or refund.state}", "refund", refund.id, details=details)


def _locked(refund_id: int) -> Refund:
    """The refund, its order locked first: refunds of one order are recorded one after the other."""
    order_id = db.session.execute(select(Refund.order_id).where(Refund.id == refund_id)).scalar_one()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)


def _take_shares(refund: Refund, step: int) -> list[Taken]:
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
                    step=step,
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
