"""Stripe: payment pages by Checkout Sessions, refunds, and Stripe's own books.

A Checkout Session is the payment page; the PaymentIntent behind it is the captured money, which refunds and
disputes speak of. Both carry our payment's id.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from config import Settings
from storefront.days import begins, today
from storefront.payments import stripe_events
from storefront.payments.gateway import (
    PaymentRequest,
    ProviderEvent,
    ProviderRefused,
    ProviderStatus,
    RawEvent,
    RefundStatus,
    SignedEvent,
    StartedPayment,
    SupportsGet,
    TooLateToStart,
)
from storefront.payments.methods import Method
from storefront.payments.provider_books import BalanceLine, ProviderPayout
from storefront.payments.stripe_client import NotAccepted, SameKeyOtherBody, asking, make_client
from storefront.payments.stripe_methods import WITHOUT_REFUNDS, methods
from storefront.payments.stripe_money import to_stripe, whole
from storefront.payments.stripe_page import session_params
from storefront.payments.stripe_sessions import Sessions, method_of, status_of
from storefront.payments.stripe_statement import balance_line, payout_of

DAY = datetime.timedelta(days=1)
PAGE = 100
REFUND_STATES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


class StripeGateway:
    """See `storefront.payments.gateway.Gateway`."""

    name = "stripe"
    hold = datetime.timedelta(minutes=60)
    extension = datetime.timedelta(minutes=30)
    #: A session ends at the moment that it was opened with.
    pages_follow = False
    #: A session lives 30 minutes to 24 hours; the minute is for clocks that differ, and for the way there.
    shortest_page = datetime.timedelta(minutes=31)
    #: Bank transfers to a virtual account are the slowest way that Stripe offers for rupiah.
    settles_within = datetime.timedelta(days=3)

    def __init__(self, settings: Settings) -> None:
        assert settings.stripe_secret_key
        self._client = make_client(settings.stripe_secret_key, settings.stripe_api_base)
        self._secrets = settings.stripe_webhook_secrets
        self._is_live = settings.stripe_is_live
        self._is_grouped = settings.stripe_connect
        self._sessions = Sessions(self._client)
        self.methods: Sequence[Method] = methods(settings.stripe_methods)

    def start(self, request: PaymentRequest) -> StartedPayment:
        params: Any = session_params(request, is_grouped=self._is_grouped)
        try:
            session = self._create(params, request.id)
        except SameKeyOtherBody:
            # Opened before, when something read otherwise (a link that was revoked since): it is still that page.
            return _started(self._sessions.of_payment(request.id, since=None))
        except NotAccepted as refused:
            if refused.param == "expires_at":
                raise TooLateToStart() from refused
            if refused.param != "customer_email":
                raise
            # An address that only Stripe finds odd is asked for on its page; the shopper's order goes on.
            plain = {name: value for name, value in params.items() if name != "customer_email"}
            session = self._create(plain, f"{request.id}:without-email")
        return _started(session)

    def _create(self, params: Any, key: str) -> dict[str, Any]:
        with asking("session"):
            return self._client.v1.checkout.sessions.create(params, {"idempotency_key": key}).to_dict()

    def look_up(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        return status_of(self._sessions.find(reference, since))

    def expire(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        session_id = str(
            reference if reference.startswith("cs_") else self._sessions.find(reference, since)["id"]
        )
        try:
            with asking("expire"):
                closed = self._client.v1.checkout.sessions.expire(
                    session_id, {}, {"idempotency_key": f"{session_id}:expire"}
                )
        except (ProviderRefused, SameKeyOtherBody):
            # Not open any more: paid, on its way, or closed before.
            return status_of(self._sessions.find(session_id, since))
        return status_of(closed.to_dict())

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        intent = self._sessions.intent(reference)
        # Keys are forgotten after a day. A refund is found by ours for ever, and never repeated.
        found = self._refund_by_key(intent["id"], idempotency_key)
        if found is not None:
            return str(found["id"])
        if method_of(intent.get("latest_charge")) in WITHOUT_REFUNDS:
            raise ProviderRefused("cannot_refund", "paid in a way that knows no refunds")
        about = {
            "key": idempotency_key,
            **{k: v for k, v in intent["metadata"].items() if k in ("payment", "order")},
        }
        try:
            with asking("refund"):
                refund = self._client.v1.refunds.create(
                    {
                        "payment_intent": intent["id"],
                        "amount": to_stripe(amount),
                        "reason": "requested_by_customer",
                        "metadata": about,
                    },
                    # Ours is a number: another shop on the same account, or this one emptied, has it too.
                    {"idempotency_key": f"{intent['id']}:{idempotency_key}"},
                )
        except SameKeyOtherBody as error:
            raise ProviderRefused("same_key", str(error)) from None
        return str(refund["id"])

    def look_up_refund(self, reference: str, idempotency_key: str) -> RefundStatus:
        refund = self._refund_by_key(self._sessions.intent(reference)["id"], idempotency_key)
        if refund is None:
            raise LookupError(idempotency_key)
        return RefundStatus(
            state=REFUND_STATES.get(str(refund["status"]), "pending"),
            reference=str(refund["id"]),
            amount=whole(int(refund["amount"]), refund["currency"]),
            idempotency_key=idempotency_key,
            failure=str(refund.get("failure_reason") or ""),
        )

    def _refund_by_key(self, intent_id: str, key: str) -> dict[str, Any] | None:
        with asking("refunds"):
            page = self._client.v1.refunds.list({"payment_intent": intent_id, "limit": PAGE})
            for refund in page.auto_paging_iter():
                found = refund.to_dict()
                if (found.get("metadata") or {}).get("key") == key:
                    return found
        return None

    def events(self, since: datetime.datetime) -> Iterable[RawEvent]:
        moment = since
        while moment <= datetime.datetime.now(datetime.UTC):
            # Stripe lists the newest first; a day at a time is turned round.
            span = {"gte": int(moment.timestamp()), "lt": int((moment + DAY).timestamp())}
            listed = self._all(self._client.v1.events, {"created": span, "types": list(stripe_events.TYPES)})
            yield from (_raw_event(event) for event in reversed(list(listed)))
            moment += DAY

    def balance_lines(self, first: datetime.date, last: datetime.date) -> Iterable[BalanceLine]:
        day = first
        while day <= last:
            span = {"gte": int(begins(day).timestamp()), "lt": int(begins(day + DAY).timestamp())}
            yield from self._lines({"created": span})
            day += DAY

    def payouts(self, since: datetime.date) -> Iterable[ProviderPayout]:
        day = since
        while day <= today():
            span = {"gte": int(begins(day).timestamp()), "lt": int(begins(day + 30 * DAY).timestamp())}
            listed = list(self._all(self._client.v1.payouts, {"created": span}))
            yield from (payout_of(payout) for payout in reversed(listed))
            day += 30 * DAY

    def payout_lines(self, payout_reference: str) -> Iterable[BalanceLine]:
        with asking("payout"):
            self._client.v1.payouts.retrieve(payout_reference)
        lines = self._lines({"payout": payout_reference})
        return [line for line in lines if line.payout_reference != payout_reference]

    def _lines(self, which: dict[str, Any]) -> Iterator[BalanceLine]:
        listed = list(self._all(self._client.v1.balance_transactions, {**which, "expand": ["data.source"]}))
        yield from (balance_line(transaction) for transaction in reversed(listed))

    def _all(self, service: Any, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything that a list of Stripe's holds, page after page."""
        with asking(type(service).__name__):
            for thing in service.list({"limit": PAGE, **params}).auto_paging_iter():
                yield thing.to_dict()

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        return stripe_events.verify(headers, body, self._secrets)

    def read(self, body: bytes) -> ProviderEvent:
        return stripe_events.read(body, is_live=self._is_live)


def _started(session: dict[str, Any]) -> StartedPayment:
    if not session.get("url"):
        # Paid or closed since it was opened: there is no page to send anybody to.
        raise TooLateToStart()
    return StartedPayment(str(session["id"]), str(session["url"]))


def _raw_event(event: dict[str, Any]) -> RawEvent:
    at = datetime.datetime.fromtimestamp(int(event["created"]), datetime.UTC)
    return RawEvent(str(event["id"]), str(event["type"]), json.dumps(event).encode(), at)
