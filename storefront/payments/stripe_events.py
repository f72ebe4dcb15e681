"""Stripe's webhooks: whether they are Stripe's, and what they say."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import stripe

from storefront.payments.gateway import BadSignature, EventKind, ProviderEvent, SignedEvent, SupportsGet
from storefront.payments.signed import event_of
from storefront.payments.stripe_money import nearest, whole

SIGNATURE_HEADER = "Stripe-Signature"
#: Seconds by which an event's time may differ from ours, either way.
TOLERANCE = 300
REFUND_STATES = {
    "succeeded": EventKind.REFUND_SUCCEEDED,
    "failed": EventKind.REFUND_FAILED,
    "canceled": EventKind.REFUND_FAILED,
}
#: A dispute's money is away from `needs_response` on. An inquiry (`warning_…`) moves none, nor does one that
#: was prevented.
DISPUTE_STATES = {
    "needs_response": EventKind.DISPUTE_OPENED,
    "under_review": EventKind.DISPUTE_OPENED,
    "won": EventKind.DISPUTE_WON,
    "lost": EventKind.DISPUTE_LOST,
}
PAYOUTS = {
    "payout.paid": EventKind.PAYOUT_PAID,
    "payout.failed": EventKind.PAYOUT_FAILED,
    "payout.reconciliation_completed": EventKind.PAYOUT_EXPLAINED,
}

Object = Mapping[str, Any]


def verify(headers: SupportsGet, body: bytes, secrets: Sequence[str]) -> SignedEvent:
    """The event in `body`, signed with one of `secrets` within the last five minutes. Raises BadSignature."""
    header = headers.get(SIGNATURE_HEADER)
    if not any(_is_signed(header, body, secret) for secret in secrets):
        raise BadSignature("wrong or old")
    return event_of(body)


def _is_signed(header: str | None, body: bytes, secret: str) -> bool:
    signature = stripe.WebhookSignature
    try:
        signature.verify_header(body, header, secret, TOLERANCE)
        # The library looks for events that are too old; one from the future is as odd.
        stamp, _ = signature._get_timestamp_and_signatures(header or "", signature.EXPECTED_SCHEME)
    except Exception:  # odd bytes, odd headers and odd numbers each raise an error of their own
        return False
    return bool(stamp <= time.time() + TOLERANCE)


def read(body: bytes, *, is_live: bool) -> ProviderEvent:
    """What an event says, in our words. One of the other mode is named as that and says nothing else."""
    event = json.loads(body)
    if bool(event.get("livemode")) is not is_live:
        return ProviderEvent(EventKind.OTHER_MODE, "", "", 0)
    reader = READERS.get(str(event.get("type")))
    found = (event.get("data") or {}).get("object")
    # With `account` it speaks of somebody else's account that is connected to ours.
    if reader is None or not isinstance(found, dict) or event.get("account"):
        return ProviderEvent(EventKind.UNKNOWN, "", "", 0)
    return reader(event, found)


def _session(event: Object, session: Object) -> ProviderEvent:
    kind = SESSIONS[event["type"]]
    if kind is EventKind.PAYMENT_SUCCEEDED and session.get("payment_status") != "paid":
        kind = EventKind.PAYMENT_PENDING  # a delayed method: the shopper has done their part
    payment_id = payment_of(session)
    currency = str(session.get("currency") or "")
    return ProviderEvent(
        kind=kind,
        payment_id=payment_id,
        reference=str(session["id"]),
        amount=whole(int(session.get("amount_total") or 0), currency),
        currency=currency.upper(),
        # Without our id it is not of this shop, and nobody needs to be asked whose it is.
        capture_reference=id_of(session.get("payment_intent")) if payment_id else None,
        happened_at=moment(event.get("created")),
    )


def _refund(event: Object, refund: Object) -> ProviderEvent:
    return _about(
        REFUND_STATES.get(str(refund.get("status")), EventKind.REFUND_PENDING),
        event,
        refund,
        whole(int(refund["amount"]), refund["currency"]),
        refund_reference=str(refund["id"]),
        refund_key=(refund.get("metadata") or {}).get("key"),
        failure=str(refund.get("failure_reason") or ""),
    )


def _charge_refunded(event: Object, charge: Object) -> ProviderEvent:
    """Says that something was given back, but not which refund: that one is asked for."""
    given_back = whole(int(charge.get("amount_refunded") or 0), charge["currency"])
    return _about(EventKind.REFUNDS_CHANGED, event, charge, given_back)


def _dispute(event: Object, dispute: Object) -> ProviderEvent:
    kind = DISPUTE_STATES.get(str(dispute.get("status")))
    if kind is None:
        return ProviderEvent(EventKind.UNKNOWN, "", "", 0)
    fees = [int(line.get("fee") or 0) for line in dispute.get("balance_transactions") or []]
    return _about(
        kind,
        event,
        dispute,
        nearest(int(dispute["amount"])),  # the payer's bank decides how much, not we
        dispute_reference=str(dispute["id"]),
        fee=nearest(sum(fees)),
    )


def _payout(event: Object, payout: Object) -> ProviderEvent:
    kind = PAYOUTS[event["type"]]
    return ProviderEvent(
        kind=kind,
        payment_id="",
        reference="",
        amount=nearest(int(payout["amount"])),
        currency=str(payout["currency"]).upper(),
        payout_reference=str(payout["id"]),
        failure=str(payout.get("failure_code") or ""),
        happened_at=moment(event.get("created")),
    )


def _about(kind: EventKind, event: Object, thing: Object, amount: int, **more: Any) -> ProviderEvent:
    """An event of something that belongs to captured money: a charge, a refund or a dispute."""
    return ProviderEvent(
        kind=kind,
        payment_id=payment_of(thing),
        reference=id_of(thing.get("payment_intent")) or "",
        amount=amount,
        currency=str(thing["currency"]).upper(),
        capture_reference=id_of(thing.get("payment_intent")),
        happened_at=moment(event.get("created")),
        **more,
    )


def payment_of(thing: Object) -> str:
    """Our payment's id that we gave Stripe with a session, a payment, a charge or a refund; empty if none."""
    metadata = thing.get("metadata") or {}
    return str(thing.get("client_reference_id") or metadata.get("payment") or "")


def id_of(thing: Any) -> str | None:
    """The id of what Stripe names by its id, or shows whole where that was asked for."""
    if isinstance(thing, Mapping):
        return str(thing["id"])
    return str(thing) if thing else None


def moment(seconds: Any) -> datetime.datetime | None:
    """One of Stripe's times."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if isinstance(seconds, int) else None


SESSIONS = {
    "checkout.session.completed": EventKind.PAYMENT_SUCCEEDED,
    "checkout.session.async_payment_succeeded": EventKind.PAYMENT_SUCCEEDED,
    "checkout.session.async_payment_failed": EventKind.PAYMENT_FAILED,
    "checkout.session.expired": EventKind.PAYMENT_EXPIRED,
}
READERS: Mapping[str, Callable[[Object, Object], ProviderEvent]] = {
    **dict.fromkeys(SESSIONS, _session),
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed"), _refund),
    "charge.refunded": _charge_refunded,
    **dict.fromkeys(
        (
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
        ),
        _dispute,
    ),
    **dict.fromkeys(PAYOUTS, _payout),
}
#: What a webhook endpoint must be subscribed to, and what `events` asks for.
TYPES = tuple(READERS)
