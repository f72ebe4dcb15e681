"""A marketplace as the holder of what it has sold for us. It is asked for nothing: its sales file is its word.

It takes the buyer's money, keeps its fee and pays out later, so in the books it is a gateway like any other:
`market_<code>`. What goes back to a buyer whom only the marketplace knows goes back by bank, or is a dispute there.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from storefront.payments.gateway import (
    BadSignature,
    EventKind,
    PaymentRequest,
    ProviderEvent,
    ProviderRefused,
    ProviderStatus,
    RawEvent,
    RefundStatus,
    SignedEvent,
    StartedPayment,
    SupportsGet,
)
from storefront.payments.methods import Method
from storefront.payments.provider_books import BalanceLine, ProviderPayout


class MarketplaceGateway:
    """See `storefront.payments.gateway.Gateway`."""

    hold = datetime.timedelta(hours=1)
    extension = datetime.timedelta(0)
    pages_follow = True
    shortest_page = datetime.timedelta(0)
    settles_within = datetime.timedelta(0)
    methods: Sequence[Method] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self, request: PaymentRequest) -> StartedPayment:
        raise ProviderRefused("cannot_start", "nothing is paid here: it was paid at the marketplace")

    def look_up(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        raise LookupError(reference)

    def expire(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        raise LookupError(reference)

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        raise ProviderRefused("cannot_refund", "a marketplace is not asked for refunds")

    def look_up_refund(self, reference: str, idempotency_key: str) -> RefundStatus:
        raise LookupError(idempotency_key)

    def events(self, since: datetime.datetime) -> Iterable[RawEvent]:
        return ()

    def balance_lines(self, first: datetime.date, last: datetime.date) -> Iterable[BalanceLine]:
        return ()

    def payouts(self, since: datetime.date) -> Iterable[ProviderPayout]:
        return ()

    def payout_lines(self, payout_reference: str) -> Iterable[BalanceLine]:
        raise LookupError(payout_reference)

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        raise BadSignature("a marketplace sends nothing")

    def read(self, body: bytes) -> ProviderEvent:
        return ProviderEvent(kind=EventKind.UNKNOWN, payment_id="", reference="", amount=0)

