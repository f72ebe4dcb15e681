"""Disputes: the payer's bank takes a payment back for now; in the end it comes back, or stays away.

A lost dispute takes the shares back as a refund does: in proportion over what is left of the order's lines and
shipping, then in proportion over each line's shares. The same news twice, or in the wrong order, ends the same.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.four_eyes import moment
from storefront.books.line_shares import taken_shares
from storefront.books.taken_back_models import Dispute, DisputeParcel, DisputeShare
from storefront.books.transfer_back import plan_reversals
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.ledger.balance import lock_accounts
from storefront.ledger.book import clearing
from storefront.ledger.clearing import book_dispute_lost, book_dispute_opened, book_dispute_won
from storefront.ledger.closed import Counted, counting
from storefront.ledger.take_back import Taken
from storefront.money import split
from storefront.orders.deposits import give_back_deposits
from storefront.orders.models import Order, OrderState
from storefront.payments.models import Payment, PaymentState

#: What of each line no living refund and no lost dispute speaks of, and of each parcel's shipping.
LINES_LEFT = text(
    """
    SELECT l.id, l.facility_id, l.facility_code, (l.net_amount
           - COALESCE((SELECT sum(x.amount) FROM refund_lines x JOIN refunds r ON r.id = x.refund_id
                        WHERE x.order_line_id = l.id AND r.state NOT IN ('rejected', 'failed')), 0)
           - COALESCE((SELECT sum(x.amount) FROM dispute_shares x WHERE x.order_line_id = l.id), 0))::bigint AS amount
      FROM order_lines l WHERE l.order_id = :order_id ORDER BY l.position"""
)
SHIPPING_LEFT = text(
    """
    SELECT p.id, p.facility_id, f.code AS facility_code, (p.shipping_amount
           - COALESCE((SELECT sum(x.amount) FROM refund_parcels x JOIN refunds r ON r.id = x.refund_id
                        WHERE x.parcel_id = p.id AND r.state NOT IN ('rejected', 'failed')), 0)
           - COALESCE((SELECT sum(x.amount) FROM dispute_parcels x WHERE x.parcel_id = p.id), 0))::bigint AS amount
      FROM parcels p JOIN facilities f ON f.id = p.facility_id WHERE p.order_id = :order_id ORDER BY p.position"""
)


class DisputeDiffers(Exception):
    """The provider says of a dispute what cannot be true with what it said before: a person must look."""


class Disputed(DomainError):
    """A payment's money is with the payer's bank for now, so that nothing of it can be given back."""

    code, status = "disputed", 409
    message = _(
        "Pembayaran ini sedang disengketakan oleh bank pembeli. Tunggu keputusannya, lalu kembalikan sisanya."
    )


def refuse_while_disputed(payment_id: str) -> None:
    """Return only if no dispute of the payment is open. Raises Disputed."""
    query = select(Dispute.id).where(Dispute.payment_id == payment_id, Dispute.state == "open")
    if db.session.scalar(query.limit(1)) is not None:
        raise Disputed()


@dataclass(frozen=True)
class Left:
    """What is left of a line, or (of shipping) a parcel, in rupiah."""

    id: int
    facility_id: int
    facility_code: str
    amount: int


def record_dispute(
    payment_id: str,
    reference: str,
    amount: int,
    outcome: str,
    *,
    happened_at: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
) -> str:
    """Take note of what the provider says of a dispute: `opened`, `won` or `lost`, about `amount` rupiah.

    It counts at `happened_at`, by default when it became known (`at` or now); when that month is closed meanwhile,
    when it became known. Returns what it came to, in a word. Raises DisputeDiffers. Never commits.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        return "unknown_payment"
    # The order first: its refunds and disputes are recorded one after the other.
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    if payment.state not in (PaymentState.SUCCEEDED, PaymentState.HELD) or not payment.is_of_rupiah:
        raise DisputeDiffers(f"payment {payment_id} has not succeeded, but is disputed")
    dispute = db.session.scalar(
        select(Dispute).where(Dispute.reference == reference).execution_options(populate_existing=True)
    )
    if dispute is None:
        dispute = _open(payment, reference, amount, counting(happened_at or moment(at), known_at=at))
    if dispute.payment_id != payment_id or dispute.amount != amount:
        raise DisputeDiffers(f"dispute {reference} was of payment {dispute.payment_id}, {dispute.amount}")
    if outcome == "opened":
        return "opened"
    if dispute.state != "open":
        if dispute.state != outcome:
            raise DisputeDiffers(f"dispute {reference} was {dispute.state}, now it is said to be {outcome}")
        return "already_recorded"
    return _close(dispute, payment, outcome, counting(happened_at or moment(at), known_at=at))


def _open(payment: Payment, reference: str, amount: int, counted: Counted) -> Dispute:
    if not 0 < amount <= payment.received:
        raise DisputeDiffers(f"payment {payment.id} is of {payment.received}, disputed are {amount}")
    dispute = Dispute(
        payment_id=payment.id, reference=reference, amount=amount, state="open", opened_at=counted.at
    )
    db.session.add(dispute)
    db.session.flush()
    lock_accounts([clearing(payment.gateway).code])
    book_dispute_opened(
        dispute.id,
        payment.gateway,
        amount,
        order_id=payment.order_id,
        when=counted,
    )
    _record(dispute, "opened")
    return dispute


def _close(dispute: Dispute, payment: Payment, outcome: str, counted: Counted) -> str:
    dispute.state, dispute.closed_at = outcome, counted.at
    db.session.flush()
    entry = (dispute.id, payment.gateway, dispute.amount)
    if outcome == "won":
        book_dispute_won(*entry, order_id=payment.order_id, when=counted)
        order = db.session.get_one(Order, payment.order_id)
        if payment.counts and order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
            give_back_deposits(order)
    else:
        # Of an instalment that waits for the last one nobody has a share yet: the operator bears what is lost of it.
        is_sold = db.session.get_one(Order, payment.order_id).state == OrderState.PAID
        taken = _take_back(dispute, payment) if payment.counts and is_sold else []
        book_dispute_lost(*entry, taken, order_id=payment.order_id, when=counted)
        plan_reversals(payment.order_id, taken, f"dispute:{dispute.id}")
    _record(dispute, outcome)
    return outcome


def _take_back(dispute: Dispute, payment: Payment) -> list[Taken]:
    """Divide the loss over what is left of the order; written down share by share."""
    lines = [Left(**row._mapping) for row in db.session.execute(LINES_LEFT, {"order_id": payment.order_id})]
    parcels = [
        Left(**row._mapping) for row in db.session.execute(SHIPPING_LEFT, {"order_id": payment.order_id})
    ]
    weights = [max(0, part.amount) for part in (*lines, *parcels)]
    amount = min(dispute.amount, sum(weights))
    if not amount:
        return []
    amounts = split(amount, weights)
    taken = []
    for line, lost in zip(lines, amounts, strict=False):
        taken += _take_line(dispute, line, lost)
    for parcel, lost in zip(parcels, amounts[len(lines) :], strict=True):
        if lost:
            db.session.add(DisputeParcel(dispute_id=dispute.id, parcel_id=parcel.id, amount=lost))
            taken.append(Taken(parcel.facility_id, parcel.facility_code, lost))
    db.session.flush()
    return taken


def _take_line(dispute: Dispute, line: Left, lost: int) -> list[Taken]:
    taken = []
    for share in taken_shares(line.id, lost):
        db.session.add(
            DisputeShare(
                dispute_id=dispute.id,
                order_line_id=line.id,
                position=share.position,
                fund_id=share.fund_id,
                amount=share.amount,
            )
        )
        taken.append(
            Taken(line.facility_id, line.facility_code, share.amount, share.fund_id, share.fund_code, line.id)
        )
    return taken


def _record(dispute: Dispute, what: str) -> None:
    record(
        f"dispute.{what}",
        "dispute",
        dispute.id,
        details={
            "before": {"state": "open"} if dispute.state != "open" else None,
            "after": {"state": dispute.state},
            "payment": dispute.payment_id,
            "reference": dispute.reference,
            "amount": dispute.amount,
        },
    )
