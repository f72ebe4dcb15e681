"""Payments that are held, because the provider took something else than we asked for: given back, or explained."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db, defer
from storefront.orders.models import Order
from storefront.payments.models import Payment, PaymentState, Refund
from storefront.refunds.refund_limits import limit_on
from storefront.refunds.refunds import decided_alone

SHORTEST_REASON, LONGEST_REASON = 10, 1000

HELD = text(
    """
    SELECT p.id, p.gateway, p.reference, p.amount AS asked, p.taken_amount, p.taken_currency, p.held_at,
           o.number AS order_number, r.id AS refund_id, r.state AS refund_state
      FROM payments p
      JOIN orders o ON o.id = p.order_id
      LEFT JOIN LATERAL (SELECT id, state FROM refunds WHERE payment_id = p.id AND state <> 'rejected'
                          ORDER BY id DESC LIMIT 1) r ON true
     WHERE p.state = 'held' AND p.held_closed_at IS NULL AND r.state IS DISTINCT FROM 'succeeded'
     ORDER BY p.held_at, p.id"""
)


class NotInRupiah(DomainError):
    """Money of another currency cannot be sent back from here."""

    code, status = "not_in_rupiah", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Pembayaran ini dalam mata uang lain. Kembalikan di halaman penyedia, lalu tutup di sini dengan "
                "alasannya."
            )
        )


@dataclass(frozen=True)
class HeldRow:
    """A held payment: what we asked for, in rupiah, and what the provider took."""

    id: str
    gateway: str
    reference: str | None
    asked: int
    taken_amount: int
    taken_currency: str
    held_at: datetime.datetime
    order_number: str
    refund_id: int | None
    refund_state: str | None


def held() -> Sequence[HeldRow]:
    """Held payments about which something is left to do, the oldest first."""
    return [HeldRow(**row) for row in db.session.execute(HELD).mappings()]


def give_back(payment_id: str, person_id: int) -> Refund:
    """Send all of it back; above the limit a second person agrees first. Raises Decided, NotInRupiah, NotFound."""
    payment = _open(payment_id)
    if not payment.is_of_rupiah:
        raise NotInRupiah()
    query = select(Refund.id).where(Refund.payment_id == payment.id, Refund.state != "rejected")
    if db.session.scalar(query.limit(1)) is not None:
        raise Decided()
    decided = payment.received + decided_alone(payment.order_id) < limit_on()
    refund = Refund(
        payment_id=payment.id,
        order_id=payment.order_id,
        amount=payment.received,
        reason="amount_differs",
        state="requested" if decided else "proposed",
        proposed_by=person_id,
        requested_at=moment(None),
    )
    db.session.add(refund)
    db.session.flush()
    if decided:
        defer("orders.send_refund", refund_id=refund.id)
    details = {"amount": refund.amount, "reason": refund.reason, "state": refund.state}
    record("refund.proposed", "refund", refund.id, person_id=person_id, details=details)
    return refund


def close(payment_id: str, person_id: int, reason: str) -> Payment:
    """Say why nothing is left to do about a held payment. Raises Invalid, Decided, NotFound."""
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 1.000 huruf.")})
    payment = _open(payment_id)
    payment.held_closed_by, payment.held_closed_at, payment.held_reason = person_id, moment(None), reason
    db.session.flush()
    details = {"taken": payment.taken_amount, "currency": payment.taken_currency, "reason": reason}
    record("payment.held_closed", "payment", payment.id, person_id=person_id, details=details)
    return payment


def _open(payment_id: str) -> Payment:
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound()
    # The order first, as whoever records what became of its money does.
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.state != PaymentState.HELD or payment.held_closed_at is not None:
        raise Decided()
    return payment
