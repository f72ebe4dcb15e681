"""Stripe's own books as lines of ours: balance transactions and payouts.

Every balance transaction shows its source (the charge, refund, dispute or payout), so that no line needs a
question of its own. https://docs.stripe.com/reports/reporting-categories says what the categories mean.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from storefront.payments.provider_books import BalanceLine, LineKind, ProviderPayout
from storefront.payments.stripe_events import id_of, payment_of
from storefront.payments.stripe_money import HUNDREDTHS, nearest

KINDS = {
    "charge": LineKind.PAYMENT,
    "partial_capture_reversal": LineKind.PAYMENT,
    "charge_failure": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "fee": LineKind.FEE,
    "tax": LineKind.FEE,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE,
    "payout": LineKind.PAYOUT,
    "payout_reversal": LineKind.PAYOUT,
    "transfer": LineKind.TRANSFER,
    "transfer_reversal": LineKind.TRANSFER,
}
PAYOUT_STATES = {"paid": "paid", "failed": "failed", "canceled": "failed"}

Object = Mapping[str, Any]


def balance_line(transaction: Object) -> BalanceLine:
    """A balance transaction whose source is shown whole."""
    kind = KINDS.get(str(transaction.get("reporting_category")), LineKind.OTHER)
    source = transaction.get("source")
    shown: Object = source if isinstance(source, Mapping) else {}
    amount, fee = nearest(int(transaction["amount"])), nearest(int(transaction.get("fee") or 0))
    is_refund, is_transfer = kind is LineKind.REFUND, kind is LineKind.TRANSFER
    key = (shown.get("metadata") or {}).get("key")
    return BalanceLine(
        reference=str(transaction["id"]),
        kind=kind,
        amount=amount,
        fee=fee,
        at=datetime.datetime.fromtimestamp(int(transaction["created"]), datetime.UTC),
        payment_id=payment_of(shown) or None,
        refund_key=key if is_refund else None,
        capture_reference=id_of(shown.get("payment_intent")),
        refund_reference=id_of(source) if is_refund else None,
        dispute_reference=id_of(source) if kind is LineKind.DISPUTE else None,
        payout_reference=id_of(source) if kind is LineKind.PAYOUT else None,
        transfer_key=key if is_transfer else None,
        transfer_reference=id_of(source) if is_transfer else None,
        description=str(transaction.get("description") or ""),
        currency=str(transaction["currency"]).upper(),
        hundredths=int(transaction["net"]) - HUNDREDTHS * (amount - fee),
    )


def payout_of(payout: Object) -> ProviderPayout:
    """A payout as our own."""
    trace = payout.get("trace_id") or {}
    return ProviderPayout(
        reference=str(payout["id"]),
        amount=nearest(int(payout["amount"])),
        state=PAYOUT_STATES.get(str(payout["status"]), "on_its_way"),
        # A day, given as its midnight in UTC.
        arrives_on=datetime.datetime.fromtimestamp(int(payout["arrival_date"]), datetime.UTC).date(),
        created_at=datetime.datetime.fromtimestamp(int(payout["created"]), datetime.UTC),
        is_explained=payout.get("reconciliation_status") == "completed",
        bank_reference=trace.get("value") or payout.get("statement_descriptor"),
        failure=str(payout.get("failure_code") or ""),
        currency=str(payout["currency"]).upper(),
    )
