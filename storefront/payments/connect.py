"""What a gateway may know beside taking money: passing captured money on to accounts of others (STRIPE_CONNECT).

A gateway that cannot do so needs nothing of this. As everywhere, amounts are whole rupiah, and whoever asks a
provider holds no transaction open.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flask import current_app

from storefront.payments.gateway import GatewayUnavailable

#: The gateway whose captured money may be transferred.
GATEWAY = "stripe"


class BalanceShort(GatewayUnavailable):
    """The provider said no for now: the account that would be debited holds too little."""


@dataclass(frozen=True)
class TransferRequest:
    """A part of one payment's captured money, for somebody else's account."""

    #: Ours; the same key is the same transfer, for ever.
    key: str
    #: One more after each plain no: providers remember what they answered to a key.
    attempt: int
    #: The provider's id of the captured money.
    capture_reference: str
    #: The provider's id of the account that gets it.
    account: str
    amount: int
    #: What belongs together at the provider: the order's number.
    group: str
    #: For the provider's own lists.
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Moved:
    """What the provider made of it: its id, and when."""

    reference: str
    at: datetime.datetime


class Connect(Protocol):
    """Transfers of captured money. Each is made once for its key, whatever is lost or asked again.

    Wherever the provider is asked: raises GatewayUnavailable, after which nobody knows, and the same is asked again.
    """

    def transfer(self, request: TransferRequest) -> Moved:
        """Pass money on. Raises ProviderRefused, BalanceShort, LookupError for money that is not there."""

    def reverse(self, transfer_reference: str, amount: int, key: str, attempt: int) -> Moved:
        """Take a part of a transfer back. Raises ProviderRefused, BalanceShort, LookupError."""


def connect() -> Connect | None:
    """The transfers of the gateway that knows them, None where it is not in use.

    It is there also while STRIPE_CONNECT is off: what was transferred before is still taken back.
    """
    found: Connect | None = current_app.extensions["connect"]
    return found


def is_on() -> bool:
    """Whether money may be transferred to facilities (STRIPE_CONNECT)."""
    return bool(current_app.extensions["settings"].stripe_connect) and connect() is not None
