"""The sandbox: a provider that takes no real money, and behaves like one.

It keeps books of its own (`sandbox_books`), has a payment page, and tells us what happened by signed webhooks
that the worker delivers, well or badly (`sandbox_delivery`). Whoever plays the shopper chooses the outcome, at
any time and as often as they like, so that late, doubled and contradicting events can be seen.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.days import begins
from storefront.extensions import db
from storefront.payments.gateway import (
    EventKind,
    PaymentRequest,
    ProviderEvent,
    ProviderStatus,
    RawEvent,
    RefundStatus,
    SignedEvent,
    StartedPayment,
    SupportsGet,
)
from storefront.payments.methods import Method
from storefront.payments.provider_books import BalanceLine, LineKind, ProviderPayout
from storefront.payments.sandbox_books import (
    DISPUTE_OUTCOMES,
    OUTCOMES,
    capture_of,
    choose_outcome,
    dispute,
    give_back,
)
from storefront.payments.sandbox_models import (
    SandboxEvent,
    SandboxLine,
    SandboxPayment,
    SandboxPayout,
    SandboxRefund,
)
from storefront.payments.signed import check_stamp, event_of, stamp

__all__ = ["DISPUTE_OUTCOMES", "OUTCOMES", "SIGNATURE_HEADER", "SandboxGateway", "choose_outcome", "dispute"]

SIGNATURE_HEADER = "Sandbox-Signature"
DAY = datetime.timedelta(days=1)


class SandboxGateway:
    """See `storefront.payments.gateway.Gateway`."""

    name = "sandbox"
    hold = datetime.timedelta(minutes=60)
    extension = datetime.timedelta(minutes=30)
    pages_follow = True
    shortest_page = datetime.timedelta(0)
    settles_within = datetime.timedelta(0)
    methods: Sequence[Method] = (
        Method("sandbox", _("Halaman pembayaran percobaan: tidak ada uang sungguhan")),
    )

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

    def look_up(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        with db.engine.begin() as connection:
            return _status(connection, _payment_id(reference))

    def expire(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        payment_id = _payment_id(reference)
        with db.engine.begin() as connection:
            connection.execute(
                update(SandboxPayment)
                .where(SandboxPayment.id == payment_id, SandboxPayment.state != "succeeded")
                .values(state="expired")
            )
            return _status(connection, payment_id)

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        with db.engine.begin() as connection:
            return give_back(connection, _payment_id(reference), amount, idempotency_key)

    def look_up_refund(self, reference: str, idempotency_key: str) -> RefundStatus:
        with db.engine.begin() as connection:
            refund = connection.execute(
                select(SandboxRefund.__table__).where(SandboxRefund.idempotency_key == idempotency_key)
            ).one_or_none()
        if refund is None or refund.payment_id != _payment_id(reference):
            raise LookupError(idempotency_key)
        return RefundStatus(refund.state, refund.id, refund.amount, idempotency_key, refund.failure)

    def events(self, since: datetime.datetime) -> Iterable[RawEvent]:
        with db.engine.begin() as connection:
            rows = connection.execute(
                select(SandboxEvent.id, SandboxEvent.type, SandboxEvent.body, SandboxEvent.created_at)
                .where(SandboxEvent.created_at >= since)
                .order_by(SandboxEvent.created_at, SandboxEvent.id)
            ).all()
        return [RawEvent(row.id, row.type, row.body.encode(), row.created_at) for row in rows]

    def balance_lines(self, first: datetime.date, last: datetime.date) -> Iterable[BalanceLine]:
        return _lines(SandboxLine.created_at >= begins(first), SandboxLine.created_at < begins(last + DAY))

    def payouts(self, since: datetime.date) -> Iterable[ProviderPayout]:
        with db.engine.begin() as connection:
            rows = connection.execute(
                select(SandboxPayout.__table__)
                .where(SandboxPayout.created_at >= begins(since))
                .order_by(SandboxPayout.created_at, SandboxPayout.id)
            ).all()
        return [
            ProviderPayout(
                row.id, row.amount, row.state, row.arrives_on, row.created_at, True, row.id, row.failure
            )
            for row in rows
        ]

    def payout_lines(self, payout_reference: str) -> Iterable[BalanceLine]:
        with db.engine.begin() as connection:
            known = connection.scalar(select(SandboxPayout.id).where(SandboxPayout.id == payout_reference))
        if known is None:
            raise LookupError(payout_reference)
        return _lines(SandboxLine.payout_id == payout_reference, SandboxLine.id != f"txn_{payout_reference}")

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        check_stamp(self._secret, headers.get(SIGNATURE_HEADER) or "", body)
        return event_of(body)

    def read(self, body: bytes) -> ProviderEvent:
        event = json.loads(body)
        payment = event.get("payment") or {}
        refund, dispute_, payout = (event.get(part) or {} for part in ("refund", "dispute", "payout"))
        about = dispute_ or payout or refund or payment
        fee = payment.get("fee", 0)
        try:
            kind = EventKind(str(event["type"]).replace(".", "_"))
        except ValueError:
            kind = EventKind.UNKNOWN
        return ProviderEvent(
            kind=kind,
            payment_id=str(payment.get("id", "")),
            reference=str(payment.get("id", "")),
            amount=_whole(about.get("amount")),
            refund_reference=refund.get("id"),
            refund_key=refund.get("key"),
            failure=str(refund.get("failure") or payout.get("failure") or ""),
            fee=_whole(fee),
            dispute_reference=dispute_.get("id"),
            capture_reference=payment.get("capture"),
            payout_reference=payout.get("id"),
            happened_at=_moment(event.get("created")),
        )

    def signed_headers(self, body: bytes) -> dict[str, str]:
        """The headers of a webhook with this body, signed now."""
        return {SIGNATURE_HEADER: stamp(self._secret, body), "Content-Type": "application/json"}


def _payment_id(reference: str) -> str:
    """The payment that `reference`, its own id or its captured money's, speaks of."""
    return reference.removeprefix("ch_")


def _status(connection: Connection, payment_id: str) -> ProviderStatus:
    row = connection.execute(
        select(SandboxPayment.state, SandboxPayment.amount, SandboxPayment.can_refund, SandboxLine.fee,
               SandboxLine.created_at.label("succeeded_at"))
        .outerjoin(SandboxLine, (SandboxLine.payment_id == SandboxPayment.id) & (SandboxLine.kind == "payment"))
        .where(SandboxPayment.id == payment_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise LookupError(payment_id)
    is_taken = row.state == "succeeded"
    return ProviderStatus(
        row.state,
        payment_id,
        row.amount,
        fee=row.fee or 0 if is_taken else None,
        succeeded_at=row.succeeded_at,
        capture_reference=capture_of(payment_id) if is_taken else None,
        payment_id=payment_id,
        method="sandbox" if is_taken else None,
        can_refund=row.can_refund,
    )


def _moment(text: object) -> datetime.datetime | None:
    """A moment with its zone, as events carry it; None for anything else."""
    try:
        moment = datetime.datetime.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _lines(*which: Any) -> list[BalanceLine]:
    with db.engine.begin() as connection:
        rows = connection.execute(
            select(SandboxLine.__table__, SandboxRefund.idempotency_key)
            .outerjoin(SandboxRefund, SandboxRefund.id == SandboxLine.refund_id)
            .where(*which)
            .order_by(SandboxLine.created_at, SandboxLine.id)
        ).mappings()
        return [_line(row) for row in rows]


def _line(row: RowMapping | Mapping[str, Any]) -> BalanceLine:
    kind = LineKind(row["kind"])
    return BalanceLine(
        reference=row["id"],
        kind=kind,
        amount=row["amount"],
        fee=row["fee"],
        at=row["created_at"],
        payment_id=row["payment_id"],
        refund_key=row["idempotency_key"],
        capture_reference=capture_of(row["payment_id"]) if row["payment_id"] else None,
        refund_reference=row["refund_id"],
        dispute_reference=row["dispute_id"],
        payout_reference=row["payout_id"] if kind is LineKind.PAYOUT else None,
    )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
