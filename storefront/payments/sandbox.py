"""The sandbox: a provider that takes no real money, and behaves like one.

It keeps books of its own, has a payment page, and tells us what happened by signed webhooks that the worker
delivers. Whoever plays the shopper chooses the outcome, at any time and as often as they like, so that late,
doubled and contradicting events can be seen.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.extensions import db, jobs
from storefront.payments.gateway import (
    BadSignature,
    EventKind,
    PaymentRequest,
    ProviderEvent,
    ProviderStatus,
    SignedEvent,
    StartedPayment,
    SupportsGet,
)
from storefront.payments.models import SandboxEvent, SandboxPayment, SandboxRefund

SIGNATURE_HEADER = "Sandbox-Signature"
#: Seconds by which an event's time may differ from ours, either way.
TOLERANCE = 300
OUTCOMES = ("succeeded", "failed", "pending", "expired")
DISPUTE_OUTCOMES = ("opened", "won", "lost")


class SandboxGateway:
    """See `storefront.payments.gateway.Gateway`."""

    name = "sandbox"
    hold = datetime.timedelta(minutes=60)

    def __init__(self, base_url: str, webhook_secret: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._secret = webhook_secret.encode()

    def start(self, request: PaymentRequest) -> StartedPayment:
        with db.engine.begin() as connection:
            connection.execute(
                upsert(SandboxPayment)
                .values(
                    id=request.id,
                    amount=request.amount,
                    description=request.description,
                    return_url=request.return_url,
                    locale=request.locale,
                    expires_at=request.expires_at,
                )
                .on_conflict_do_nothing(index_elements=["id"])
            )
        return StartedPayment(request.id, f"{self.base_url}/sandbox/payments/{request.id}")

    def look_up(self, reference: str) -> ProviderStatus:
        with db.engine.begin() as connection:
            return _status(connection, reference)

    def expire(self, reference: str) -> ProviderStatus:
        with db.engine.begin() as connection:
            connection.execute(
                update(SandboxPayment)
                .where(SandboxPayment.id == reference, SandboxPayment.state != "succeeded")
                .values(state="expired")
            )
            return _status(connection, reference)

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        with db.engine.begin() as connection:
            new = "re_" + secrets.token_urlsafe(16)
            connection.execute(
                upsert(SandboxRefund)
                .values(id=new, payment_id=reference, amount=amount, idempotency_key=idempotency_key)
                .on_conflict_do_nothing(index_elements=["idempotency_key"])
            )
            refund_id: str = connection.execute(
                select(SandboxRefund.id).where(SandboxRefund.idempotency_key == idempotency_key)
            ).scalar_one()
            if refund_id == new:
                _queue_event(
                    connection,
                    reference,
                    "refund.succeeded",
                    amount,
                    {"id": refund_id, "key": idempotency_key},
                )
        return refund_id

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        stamp, signature = _signature_parts(headers.get(SIGNATURE_HEADER) or "")
        if (
            not hmac.compare_digest(self._sign(stamp, body), signature)
            or abs(time.time() - int(stamp)) > TOLERANCE
        ):
            raise BadSignature("wrong or old")
        event = _json_object(body)
        if not isinstance(event.get("id"), str) or not isinstance(event.get("type"), str):
            raise BadSignature("no event")
        if not 1 <= len(event["id"]) <= 200 or "\x00" in event["id"] + event["type"]:
            raise BadSignature("no event")
        return SignedEvent(event["id"], event["type"])

    def read(self, body: bytes) -> ProviderEvent:
        event = json.loads(body)
        payment = event.get("payment") or {}
        amount = payment.get("amount")
        refund = event.get("refund") or {}
        dispute = event.get("dispute") or {}
        if dispute:
            amount = dispute.get("amount")
        fee = payment.get("fee")
        try:
            kind = EventKind(str(event["type"]).replace(".", "_"))
        except ValueError:
            kind = EventKind.UNKNOWN
        return ProviderEvent(
            kind=kind,
            payment_id=str(payment.get("id", "")),
            reference=str(payment.get("id", "")),
            amount=amount if isinstance(amount, int) else 0,
            refund_reference=refund.get("id"),
            refund_key=refund.get("key"),
            failure=str(refund.get("failure", "")),
            fee=fee if isinstance(fee, int) else 0,
            dispute_reference=dispute.get("id"),
            happened_at=_moment(event.get("created")),
        )

    def signed_headers(self, body: bytes) -> dict[str, str]:
        """The headers of a webhook with this body, signed now."""
        stamp = str(int(time.time()))
        return {
            SIGNATURE_HEADER: f"t={stamp},v1={self._sign(stamp, body)}",
            "Content-Type": "application/json",
        }

    def _sign(self, stamp: str, body: bytes) -> str:
        return hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def choose_outcome(payment_id: str, outcome: str, *, fee: int = 0) -> SandboxPayment:
    """The shopper at the sandbox's page decides; the event goes out by the worker.

    `fee` is what this provider keeps of a payment that succeeds, in rupiah. Raises LookupError for an unknown
    payment, ValueError for an unknown outcome or an impossible fee. The caller commits.
    """
    if outcome not in OUTCOMES or fee < 0:
        raise ValueError(outcome)
    payment = db.session.get(SandboxPayment, payment_id, with_for_update=True)
    if payment is None:
        raise LookupError(payment_id)
    # Money that was taken stays taken; a later word about it is still said aloud.
    if payment.state != "succeeded":
        payment.state = outcome
    db.session.flush()
    more = {"fee": fee} if fee and outcome == "succeeded" else None
    _queue_event(db.session.connection(), payment_id, f"payment.{outcome}", payment.amount, payment_more=more)
    return payment


def dispute(payment_id: str, outcome: str, *, amount: int | None = None) -> str:
    """The payer's bank disputes a payment, and in the end decides; returns the dispute's id.

    A payment has one dispute here, of `amount` rupiah: by default as much as was said before, else all of it.
    Raises LookupError for a payment that was not taken, ValueError for an unknown outcome
    or an impossible amount. The caller commits.
    """
    payment = db.session.get(SandboxPayment, payment_id, with_for_update=True)
    if payment is None or payment.state != "succeeded":
        raise LookupError(payment_id)
    if amount is None:
        amount = _disputed(payment_id) or payment.amount
    if outcome not in DISPUTE_OUTCOMES or not 0 < amount <= payment.amount:
        raise ValueError(outcome)
    dispute_id = f"dp_{payment_id}"
    _queue_event(
        db.session.connection(),
        payment_id,
        f"dispute.{outcome}",
        payment.amount,
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


def _queue_event(
    connection: Connection,
    payment_id: str,
    event_type: str,
    amount: int,
    refund: dict[str, str] | None = None,
    *,
    payment_more: dict[str, int] | None = None,
    dispute: dict[str, Any] | None = None,
) -> None:
    event_id = "evt_" + secrets.token_urlsafe(16)
    created: datetime.datetime = connection.execute(select(func.now())).scalar_one()
    body: dict[str, Any] = {
        "id": event_id,
        "type": event_type,
        "created": created.isoformat(),
        "payment": {"id": payment_id, "amount": amount, **(payment_more or {})},
    }
    if dispute:
        body["dispute"] = dispute
    if refund:
        body["refund"] = {**refund, "amount": amount}
    connection.execute(
        insert(SandboxEvent).values(
            id=event_id, payment_id=payment_id, type=event_type, body=json.dumps(body)
        )
    )
    jobs.configure_task("sandbox.deliver_event", connection=connection.connection.driver_connection).defer(
        event_id=event_id
    )


def _status(connection: Connection, reference: str) -> ProviderStatus:
    row = connection.execute(
        select(SandboxPayment.state, SandboxPayment.amount).where(SandboxPayment.id == reference)
    ).one_or_none()
    if row is None:
        raise LookupError(reference)
    return ProviderStatus(row.state, reference, row.amount)


def _moment(text: object) -> datetime.datetime | None:
    """A moment with its zone, as events carry it; None for anything else."""
    try:
        moment = datetime.datetime.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _signature_parts(header: str) -> tuple[str, str]:
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp, signature = parts.get("t", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signature.isascii() and signature):
        raise BadSignature("no signature")
    return stamp, signature


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadSignature("not JSON") from error
    if not isinstance(event, dict):
        raise BadSignature("no event")
    return event
