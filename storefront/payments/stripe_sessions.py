"""A payment at Stripe, found by whichever id is known: its session's, its captured money's, or ours."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import stripe
import structlog

from storefront.payments.gateway import ProviderStatus
from storefront.payments.stripe_client import asking
from storefront.payments.stripe_events import id_of, moment, payment_of
from storefront.payments.stripe_methods import WITHOUT_REFUNDS
from storefront.payments.stripe_money import CURRENCY, nearest, whole

log = structlog.get_logger("storefront.payments")

#: The money behind a session, down to what Stripe keeps of it.
WITH_MONEY = ["payment_intent.latest_charge.balance_transaction"]
PAGE = 100
#: A session is created at most so long after its payment: payments are held an hour, sessions live a day.
LONGEST_SEARCH = datetime.timedelta(hours=25)
CLOCKS_DIFFER = datetime.timedelta(minutes=5)

Object = Mapping[str, Any]


class Sessions:
    """Checkout Sessions of one account."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._sessions = client.v1.checkout.sessions
        self._intents = client.v1.payment_intents

    def find(self, reference: str, since: datetime.datetime | None = None) -> dict[str, Any]:
        """The session, its money shown with it. Raises LookupError."""
        if reference.startswith("pi_"):
            return self._of_intent(reference)
        session_id = (
            reference if reference.startswith("cs_") else self.of_payment(reference, since=since)["id"]
        )
        with asking("session"):
            return self._sessions.retrieve(session_id, {"expand": WITH_MONEY}).to_dict()

    def of_payment(self, payment_id: str, *, since: datetime.datetime | None) -> dict[str, Any]:
        """The session that was opened for our payment. Raises LookupError.

        Stripe cannot be asked for our id, so the sessions of that time are looked through; it is only needed
        where an answer of Stripe's was lost.
        """
        since = since or datetime.datetime.now(datetime.UTC) - LONGEST_SEARCH
        begin, end = since - CLOCKS_DIFFER, since + LONGEST_SEARCH
        with asking("sessions"):
            listed = self._sessions.list(
                {"created": {"gte": int(begin.timestamp()), "lte": int(end.timestamp())}, "limit": PAGE}
            )
            for session in listed.auto_paging_iter():
                if session["client_reference_id"] == payment_id:
                    return session.to_dict()
        raise LookupError(payment_id)

    def intent(self, reference: str) -> dict[str, Any]:
        """The captured money of a payment. Raises LookupError when none was captured."""
        intent_id = reference
        if not reference.startswith("pi_"):
            found = id_of(self.find(reference).get("payment_intent"))
            if found is None:
                raise LookupError(reference)
            intent_id = found
        with asking("payment_intent"):
            return self._intents.retrieve(intent_id, {"expand": ["latest_charge"]}).to_dict()

    def _of_intent(self, intent_id: str) -> dict[str, Any]:
        expand = [f"data.{path}" for path in WITH_MONEY]
        with asking("sessions"):
            found = self._sessions.list({"payment_intent": intent_id, "limit": 1, "expand": expand})
            for session in found:
                return session.to_dict()
        raise LookupError(intent_id)


def status_of(session: Object) -> ProviderStatus:
    """What a session says of its payment; fee and moment only where its money is shown with it."""
    intent = session.get("payment_intent")
    shown: Object = intent if isinstance(intent, Mapping) else {}
    charge = shown.get("latest_charge")
    charge = charge if isinstance(charge, Mapping) else {}
    state = _state(session, shown)
    is_taken = state == "succeeded"
    money, currency = int(session["amount_total"] or 0), str(session["currency"] or "")
    if is_taken and shown:
        money, currency = int(shown["amount_received"]), str(shown["currency"])
    method = method_of(charge)
    return ProviderStatus(
        state=state,
        reference=str(session["id"]),
        amount=whole(money, currency),
        currency=currency.upper(),
        fee=_fee(charge) if is_taken else None,
        succeeded_at=moment(charge.get("created")) if is_taken else None,
        capture_reference=id_of(intent) if is_taken else None,
        payment_id=payment_of(session) or None,
        method=method,
        can_refund=method not in WITHOUT_REFUNDS,
    )


def method_of(charge: Any) -> str | None:
    """Stripe's name of the way by which a charge was paid."""
    details = charge.get("payment_method_details") if isinstance(charge, Mapping) else None
    return (details or {}).get("type")


def _state(session: Object, intent: Object) -> str:
    status = session["status"]
    if status != "complete":
        return "expired" if status == "expired" else "open"
    if session["payment_status"] == "paid":
        return "succeeded"
    failed = ("requires_payment_method", "canceled")
    return "failed" if intent.get("status") in failed else "pending"


def _fee(charge: Object) -> int | None:
    """What Stripe keeps, in rupiah; None until it says so, and when it settles in another currency."""
    transaction = charge.get("balance_transaction")
    if not isinstance(transaction, Mapping):
        return None
    if transaction["currency"] != CURRENCY:
        log.error(
            "stripe_settles_in_other_currency", currency=transaction["currency"], charge=charge.get("id")
        )
        return None
    return nearest(int(transaction["fee"]))
