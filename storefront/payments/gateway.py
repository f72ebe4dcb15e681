"""The interface to every provider of payments, and which one is in use.

A gateway talks to its provider; it knows neither orders nor accounts. Only it knows how its provider counts
money: amounts here are whole rupiah. What each call takes and answers is in `payments.said` and
`payments.provider_books`; the suite in `tests/payments/` holds every gateway to this page.

Every call that asks a provider stands between transactions: nothing may be locked while it waits.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from flask import current_app

from storefront.payments.methods import Method
from storefront.payments.provider_books import BalanceLine, ProviderPayout
from storefront.payments.said import (
    EventKind,
    Item,
    ParcelOfGoods,
    PaymentRequest,
    ProviderEvent,
    ProviderStatus,
    RawEvent,
    RefundStatus,
    SignedEvent,
    StartedPayment,
)

__all__ = [
    "BadSignature",
    "EventKind",
    "Gateway",
    "GatewayUnavailable",
    "Item",
    "ParcelOfGoods",
    "PaymentRequest",
    "ProviderEvent",
    "ProviderRefused",
    "ProviderStatus",
    "RawEvent",
    "RefundStatus",
    "SignedEvent",
    "StartedPayment",
    "SupportsGet",
    "TooLateToStart",
    "current_gateway",
    "gateway",
]


#: Begins the names of marketplaces, of which there may be any number; none is taken for a provider that can be asked.
MARKETPLACES = "market_"


class GatewayUnavailable(Exception):
    """The provider did not answer, or not in time. What it did is unknown: ask again by the same key."""


class ProviderRefused(Exception):
    """The provider understood and said no; asking again in the same way changes nothing.

    `code` is a word: `cannot_refund` (its way of paying knows no refunds), `already_refunded`, `disputed`,
    or the provider's own. The text is for finance and holds no secret.
    """

    def __init__(self, code: str, text: str = "") -> None:
        self.code = code
        super().__init__(text or code)


class TooLateToStart(ProviderRefused):
    """No page was opened, because it would have had to live shorter than the provider allows: pay anew."""

    def __init__(self) -> None:
        super().__init__("too_late")


class BadSignature(Exception):
    """A message that claims to come from the provider cannot be trusted."""


class SupportsGet(Protocol):
    """The headers of a request."""

    def get(self, key: str, /) -> str | None:
        """The header's value."""


class Gateway(Protocol):
    """A provider of payments.

    `reference` is the provider's id of a payment, or of its captured money, or our own id of it where the
    provider's never reached us. Wherever a provider is asked: raises GatewayUnavailable.
    """

    name: str
    #: How long pieces are held for an unpaid order; the provider's payment page lives as long.
    hold: datetime.timedelta
    #: How much longer pieces are held, once, when the shopper asks for it.
    extension: datetime.timedelta
    #: Whether its pages live on with a longer hold. Else a new page is opened when the old one has ended.
    pages_follow: bool
    #: The provider opens no page that lives shorter.
    shortest_page: datetime.timedelta
    #: How long money may be on its way after the shopper has done their part; an order is held as long.
    settles_within: datetime.timedelta
    #: What its page takes, with limits.
    methods: Sequence[Method]

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a payment page; the same request again gives the same page.

        Raises TooLateToStart, ProviderRefused.
        """

    def look_up(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        """Ask what became of a payment. `since`, when we first asked for it, helps where only our id is known.

        Raises LookupError for a payment that the provider does not know.
        """

    def expire(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        """Close the payment page; the answer says whether it was paid before. Raises LookupError."""

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        """Give money back; returns the provider's id of the refund, an event follows.

        The same key gives the same refund, for ever. Raises ProviderRefused, LookupError.
        """

    def look_up_refund(self, reference: str, idempotency_key: str) -> RefundStatus:
        """Ask what became of a refund of a payment. Raises LookupError when there is none by this key."""

    def events(self, since: datetime.datetime) -> Iterable[RawEvent]:
        """What the provider has to say since a moment, oldest first: for what its webhooks did not bring."""

    def balance_lines(self, first: datetime.date, last: datetime.date) -> Iterable[BalanceLine]:
        """What moved the provider's balance on the accounting days from `first` to `last`, oldest first."""

    def payouts(self, since: datetime.date) -> Iterable[ProviderPayout]:
        """What the provider has sent to our bank since a day, oldest first."""

    def payout_lines(self, payout_reference: str) -> Iterable[BalanceLine]:
        """What a payout consists of, without itself. Raises LookupError for one that does not exist."""

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        """Check that the provider sent this, now. Raises BadSignature for anything odd."""

    def read(self, body: bytes) -> ProviderEvent:
        """What a verified event says; `kind` is UNKNOWN for all that we do not act on. Asks nobody."""


def gateway(name: str) -> Gateway:
    """The gateway called `name`. Raises LookupError when it is not in use here."""
    if name.startswith(MARKETPLACES):
        marketplace: Callable[[str], Gateway] = current_app.extensions["marketplace_gateway"]
        return marketplace(name)
    gateways: dict[str, Gateway] = current_app.extensions["gateways"]
    return gateways[name]


def current_gateway() -> Gateway:
    """The gateway that new payments go through (PAYMENT_GATEWAY)."""
    return gateway(current_app.extensions["settings"].payment_gateway)
