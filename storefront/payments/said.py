"""What is said between us and a provider about one payment: what we ask, what it answers, what its events say.

Amounts are whole rupiah; only a gateway knows how its provider counts them.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence
from dataclasses import dataclass

CURRENCY = "IDR"
#: The name that cash goes by where a gateway's would stand: no provider holds it.
CASH = "cash"


class EventKind(enum.StrEnum):
    """What an event says, in our words."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_EXPIRED = "payment_expired"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_PENDING = "refund_pending"
    REFUND_FAILED = "refund_failed"
    #: Something about a payment's refunds is new, but not what: look them up.
    REFUNDS_CHANGED = "refunds_changed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    #: The provider has named all that a payout consists of.
    PAYOUT_EXPLAINED = "payout_explained"
    #: An event of the test mode at a shop that takes real money, or the other way round.
    OTHER_MODE = "other_mode"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Item:
    """Pieces of one kind, as sold."""

    title: str
    quantity: int
    unit_amount: int


@dataclass(frozen=True)
class ParcelOfGoods:
    """What one facility sends: shown to the shopper, line by line, on the payment page."""

    facility_code: str
    facility_name: str
    items: Sequence[Item]
    shipping: int = 0

    @property
    def amount(self) -> int:
        """Goods and shipping."""
        return self.shipping + sum(item.unit_amount * item.quantity for item in self.items)


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
    #: All that the order consists of. An instalment is less than their sum.
    parcels: Sequence[ParcelOfGoods] = ()

    @property
    def order_number(self) -> str:
        """The order's number, for the provider's own lists."""
        return self.description

    @property
    def facility_codes(self) -> list[str]:
        """Each facility of the order, once."""
        return list(dict.fromkeys(parcel.facility_code for parcel in self.parcels))


@dataclass(frozen=True)
class StartedPayment:
    """The provider's id and payment page."""

    reference: str
    url: str


@dataclass(frozen=True)
class ProviderStatus:
    """What the provider says of a payment when asked: `open`, `pending`, `succeeded`, `failed`, `expired`.

    `pending`: the shopper has done their part, and the money is on its way.
    """

    state: str
    reference: str
    amount: int
    currency: str = CURRENCY
    #: What the provider keeps; None: it does not say yet.
    fee: int | None = None
    succeeded_at: datetime.datetime | None = None
    #: The provider's id of the captured money: refunds and disputes speak of it.
    capture_reference: str | None = None
    #: Our payment's id, as we gave it to the provider.
    payment_id: str | None = None
    #: How it was paid: the code of a `Method`, or the provider's own word.
    method: str | None = None
    can_refund: bool = True


@dataclass(frozen=True)
class RefundStatus:
    """What the provider says of a refund when asked: `pending`, `succeeded` or `failed`."""

    state: str
    reference: str
    amount: int
    idempotency_key: str
    failure: str = ""


@dataclass(frozen=True)
class SignedEvent:
    """An event whose signature was verified, not yet read further."""

    id: str
    type: str


@dataclass(frozen=True)
class RawEvent:
    """An event fetched from the provider by our own query: as trusted as a signed one."""

    id: str
    type: str
    body: bytes
    at: datetime.datetime


@dataclass(frozen=True)
class ProviderEvent:
    """A verified event, read."""

    kind: EventKind
    #: Our payment's id, as we gave it to the provider; empty where the event names only the captured money.
    payment_id: str
    reference: str
    #: Of the payment, refund, dispute or payout that the event is about.
    amount: int
    #: The provider's id of the refund, for refund events.
    refund_reference: str | None = None
    #: The idempotency key that we gave the provider for it; None: a person asked for it at the provider.
    refund_key: str | None = None
    #: Why it failed, in the provider's words.
    failure: str = ""
    #: What the provider keeps of the payment, in rupiah; None when it says nothing of it.
    fee: int | None = None
    #: The provider's id of the dispute, for dispute events; `amount` is then what is disputed.
    dispute_reference: str | None = None
    currency: str = CURRENCY
    #: The provider's id of the captured money.
    capture_reference: str | None = None
    #: The provider's id of the payout, for payout events.
    payout_reference: str | None = None
    #: When it happened, by the provider's clock; None when it does not say so.
    happened_at: datetime.datetime | None = None
