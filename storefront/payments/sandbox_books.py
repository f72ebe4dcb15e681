"""What happens at the sandbox: payments, refunds, disputes and payouts, each with its line in the books.

Each of these is something that a shopper, their bank or the provider does; the shop learns of it by an event.
The caller commits.
"""

from __future__ import annotations

import datetime
import json
import secrets
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.days import today
from storefront.extensions import db
from storefront.payments.gateway import ProviderRefused
from storefront.payments.provider_books import LineKind
from storefront.payments.sandbox_delivery import queue_event
from storefront.payments.sandbox_models import (
    SandboxEvent,
    SandboxLine,
    SandboxPayment,
    SandboxPayout,
    SandboxRefund,
)

OUTCOMES = ("succeeded", "failed", "pending", "expired")
DISPUTE_OUTCOMES = ("opened", "won", "lost")
#: What the id of captured money begins with.
CAPTURE = "ch_"


def choose_outcome(
    payment_id: str, outcome: str, *, fee: int = 0, can_refund: bool | None = None
) -> SandboxPayment:
    """The shopper at the sandbox's page decides; the event goes out by the worker.

    `fee` is what this provider keeps of a payment that succeeds, in rupiah. Raises LookupError for an unknown
    payment, ValueError for an unknown outcome or an impossible fee.
    """
    if outcome not in OUTCOMES or fee < 0:
        raise ValueError(outcome)
    payment = db.session.get(SandboxPayment, payment_id, with_for_update=True)
    if payment is None:
        raise LookupError(payment_id)
    if can_refund is not None:
        payment.can_refund = can_refund
    # Money that was taken stays taken; a later word about it is still said aloud.
    if payment.state != "succeeded":
        payment.state = outcome
    db.session.flush()
    more = {"fee": fee} if fee and outcome == "succeeded" else {}
    connection = db.session.connection()
    if outcome == "succeeded":
        _line(
            connection, f"txn_{payment_id}", LineKind.PAYMENT, payment.amount, fee=fee, payment_id=payment_id
        )
    queue_event(
        connection, f"payment.{outcome}", payment_id, payment=_payment(payment_id, payment.amount) | more
    )
    return payment


def dispute(payment_id: str, outcome: str, *, amount: int | None = None) -> str:
    """The payer's bank disputes a payment, and in the end decides; returns the dispute's id.

    A payment has one dispute here, of `amount` rupiah: by default as much as was said before, else all of it.
    Raises LookupError for a payment that was not taken, ValueError for an unknown outcome
    or an impossible amount.
    """
    payment = db.session.get(SandboxPayment, payment_id, with_for_update=True)
    if payment is None or payment.state != "succeeded":
        raise LookupError(payment_id)
    if amount is None:
        amount = _disputed(payment_id) or payment.amount
    if outcome not in DISPUTE_OUTCOMES or not 0 < amount <= payment.amount:
        raise ValueError(outcome)
    dispute_id = f"dp_{payment_id}"
    connection = db.session.connection()
    moved = {"opened": -amount} | ({"won": amount} if outcome == "won" else {})
    for ending, change in moved.items():
        line_id = f"txn_{dispute_id}_{ending}"
        _line(connection, line_id, LineKind.DISPUTE, change, payment_id=payment_id, dispute_id=dispute_id)
    queue_event(
        connection,
        f"dispute.{outcome}",
        payment_id,
        payment=_payment(payment_id, payment.amount),
        dispute={"id": dispute_id, "amount": amount},
    )
    return dispute_id


def _disputed(payment_id: str) -> int | None:
    """What an earlier event said to be disputed of a payment."""
    body = db.session.scalar(
        select(SandboxEvent.body)
        .where(SandboxEvent.payment_id == payment_id, SandboxEvent.type.startswith("dispute."))
        .order_by(SandboxEvent.created_at)
        .limit(1)
    )
    return int(json.loads(body)["dispute"]["amount"]) if body else None


def give_back(connection: Connection, payment_id: str, amount: int, idempotency_key: str) -> str:
    """Give money back to the shopper, once for each key; returns the refund's id.

    Raises LookupError for an unknown payment, ProviderRefused for one that knows no refunds or has less left.
    """
    known = connection.scalar(
        select(SandboxRefund.id).where(SandboxRefund.idempotency_key == idempotency_key)
    )
    if known is not None:
        return str(known)
    payment = connection.execute(
        select(SandboxPayment.state, SandboxPayment.amount, SandboxPayment.can_refund)
        .where(SandboxPayment.id == payment_id)
        .with_for_update()
    ).one_or_none()
    if payment is None:
        raise LookupError(payment_id)
    if not payment.can_refund:
        raise ProviderRefused("cannot_refund", "paid in a way that knows no refunds")
    if amount > payment.amount - _given_back(connection, payment_id, but_for=idempotency_key):
        raise ProviderRefused("already_refunded", "more than what is left of the payment")
    new = "re_" + secrets.token_urlsafe(16)
    connection.execute(
        upsert(SandboxRefund)
        .values(id=new, payment_id=payment_id, amount=amount, idempotency_key=idempotency_key)
        .on_conflict_do_nothing(index_elements=["idempotency_key"])
    )
    refund_id: str = connection.execute(
        select(SandboxRefund.id).where(SandboxRefund.idempotency_key == idempotency_key)
    ).scalar_one()
    if refund_id == new:
        _line(connection, f"txn_{new}", LineKind.REFUND, -amount, payment_id=payment_id, refund_id=new)
        queue_event(
            connection,
            "refund.succeeded",
            payment_id,
            payment=_payment(payment_id, payment.amount),
            refund={"id": new, "key": idempotency_key, "amount": amount},
        )
    return refund_id


def _given_back(connection: Connection, payment_id: str, *, but_for: str) -> int:
    of_payment = select(func.coalesce(func.sum(SandboxRefund.amount), 0)).where(
        SandboxRefund.payment_id == payment_id,
        SandboxRefund.state == "succeeded",
        SandboxRefund.idempotency_key != but_for,
    )
    return int(connection.execute(of_payment).scalar_one())


def fail_refund(refund_id: str, failure: str = "closed_account") -> SandboxRefund:
    """The shopper's bank sends a refund back. Raises LookupError."""
    refund = db.session.get(SandboxRefund, refund_id, with_for_update=True, populate_existing=True)
    if refund is None:
        raise LookupError(refund_id)
    refund.state, refund.failure = "failed", failure
    db.session.flush()
    connection = db.session.connection()
    _line(
        connection,
        f"txn_{refund_id}_failed",
        LineKind.REFUND,
        refund.amount,
        payment_id=refund.payment_id,
        refund_id=refund_id,
    )
    payment = db.session.get_one(SandboxPayment, refund.payment_id)
    queue_event(
        connection,
        "refund.failed",
        refund.payment_id,
        payment=_payment(refund.payment_id, payment.amount),
        refund={
            "id": refund_id,
            "key": refund.idempotency_key,
            "amount": refund.amount,
            "failure": failure,
        },
    )
    return refund


def pay_out(*, arrives_on: datetime.date | None = None) -> SandboxPayout | None:
    """Send all that lies there to the shop's bank; None when nothing does."""
    connection = db.session.connection()
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("sandbox:payout", 0))))
    lying = connection.execute(
        select(SandboxLine.id, SandboxLine.amount, SandboxLine.fee)
        .where(SandboxLine.payout_id.is_(None))
        .with_for_update()
    ).all()
    amount = sum(line.amount - line.fee for line in lying)
    if amount <= 0:
        return None
    payout = SandboxPayout(
        id="po_" + secrets.token_urlsafe(16), amount=amount, arrives_on=arrives_on or today()
    )
    db.session.add(payout)
    db.session.flush()
    connection.execute(
        update(SandboxLine).where(SandboxLine.id.in_([line.id for line in lying])).values(payout_id=payout.id)
    )
    _line(connection, f"txn_{payout.id}", LineKind.PAYOUT, -amount, payout_id=payout.id)
    _say_payout(connection, "payout.paid", payout)
    _say_payout(connection, "payout.explained", payout)
    return payout


def fail_payout(payout_id: str, failure: str = "account_closed") -> SandboxPayout:
    """The shop's bank sends a payout back; its money lies at the provider again. Raises LookupError."""
    payout = db.session.get(SandboxPayout, payout_id, with_for_update=True, populate_existing=True)
    if payout is None:
        raise LookupError(payout_id)
    payout.state, payout.failure = "failed", failure
    db.session.flush()
    connection = db.session.connection()
    # Not of this payout: it goes out with the next one.
    _line(connection, f"txn_{payout_id}_failed", LineKind.PAYOUT, payout.amount)
    _say_payout(connection, "payout.failed", payout)
    return payout


def _say_payout(connection: Connection, event_type: str, payout: SandboxPayout) -> None:
    said = {"id": payout.id, "amount": payout.amount, "arrives_on": payout.arrives_on.isoformat()}
    if payout.failure:
        said["failure"] = payout.failure
    queue_event(connection, event_type, None, payout=said)


def _payment(payment_id: str, amount: int) -> dict[str, Any]:
    return {"id": payment_id, "amount": amount, "capture": capture_of(payment_id)}


def capture_of(payment_id: str) -> str:
    """The sandbox's id of a payment's captured money."""
    return f"{CAPTURE}{payment_id}"


def _line(
    connection: Connection, line_id: str, kind: LineKind, amount: int, *, fee: int = 0, **of: str | None
) -> None:
    """Enter a movement, once for each id."""
    connection.execute(
        upsert(SandboxLine)
        .values(id=line_id, kind=kind.value, amount=amount, fee=fee, **of)
        .on_conflict_do_nothing(index_elements=["id"])
    )
