"""The interface to every provider of payments, and which one is in use.

A gateway talks to its provider; it knows neither orders nor accounts. Only it knows how its provider counts
money: amounts here are whole rupiah.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Protocol

from flask import current_app


class GatewayUnavailable(Exception):
    """The provider did not answer, or not in time. What it did is unknown: ask again by the same key."""


class BadSignature(Exception):
    """A message that claims to come from the provider cannot be trusted."""


class EventKind(enum.StrEnum):
    """What an event says, in our words."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_EXPIRED = "payment_expired"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PaymentRequest:
    """What a provider must know to take money for us."""

    #: Our payment's id; also the idempotency key.
    id: str
    amount: int
    #: The order's number, for people.
    description: str
    #: Where the browser comes back to, whatever happened.
    return_url: str
    locale: str
    expires_at: datetime.datetime
    email: str | None = None


@dataclass(frozen=True)
class StartedPayment:
    """The provider's id and payment page."""

    reference: str
    url: str


@dataclass(frozen=True)
class ProviderStatus:
    """What the provider says of a payment when asked: `open`, `pending`, `succeeded`, `failed`, `expired`."""

    state: str
    reference: str
    amount: int


@dataclass(frozen=True)
class SignedEvent:
    """An event whose signature was verified, not yet read further."""

    id: str
    type: str


@dataclass(frozen=True)
class ProviderEvent:
    """A verified event, read."""

    kind: EventKind
    #: Our payment's id, as we gave it to the provider.
    payment_id: str
    reference: str
    amount: int
    #: The provider's id of the refund, for refund events.
    refund_reference: str | None = None
    #: The idempotency key that we gave the provider for it.
    refund_key: str | None = None
    #: Why it failed, in the provider's words.
    failure: str = ""
    #: What the provider keeps of the payment, in rupiah; 0 when it says nothing of it.
    fee: int = 0
    #: The provider's id of the dispute, for dispute events; `amount` is then what is disputed.
    dispute_reference: str | None = None
    #: When it happened, by the provider's clock; None when it does not say so.
    happened_at: datetime.datetime | None = None


class SupportsGet(Protocol):
    """The headers of a request."""

    def get(self, key: str, /) -> str | None:
        """The header's value."""


class Gateway(Protocol):
    """A provider of payments."""

    name: str
    #: How long pieces are held for an unpaid order; the provider's payment page lives as long.
    hold: datetime.timedelta

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a payment page; the same request again gives the same page. Raises GatewayUnavailable."""

    def look_up(self, reference: str) -> ProviderStatus:
        """Ask what became of a payment. Raises GatewayUnavailable, LookupError for an unknown one."""

    def expire(self, reference: str) -> ProviderStatus:
        """Close the payment page; the answer says whether it was paid before. Raises GatewayUnavailable."""

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        """Give money back; returns the provider's id of the refund, an event follows."""

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        """Check that the provider sent this, now. Raises BadSignature for anything odd."""

    def read(self, body: bytes) -> ProviderEvent:
        """What a verified event says."""


def gateway(name: str) -> Gateway:
    """The gateway called `name`. Raises LookupError when it is not in use here."""
    gateways: dict[str, Gateway] = current_app.extensions["gateways"]
    return gateways[name]


def current_gateway() -> Gateway:
    """The gateway that new payments go through (PAYMENT_GATEWAY)."""
    return gateway(current_app.extensions["settings"].payment_gateway)
