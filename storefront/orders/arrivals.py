"""Money of some gateways lies on our own bank account the moment that it counts.

What then is to be booked is known to the bank's room above, which registers itself here; it runs in the
transaction that records the payment.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from storefront.payments.models import Payment
from storefront.payments.transfer import NAME

Mover = Callable[[Payment, datetime.datetime], None]
#: Gateways that hold no money for us.
LIES_AT_BANK = frozenset({NAME})
_movers: dict[str, Mover] = {}


def moves(gateway_name: str) -> Callable[[Mover], Mover]:
    """The function moves what the gateway captured on to our bank account, in the books."""

    def register(mover: Mover) -> Mover:
        _movers[gateway_name] = mover
        return mover

    return register


def move_on(payment: Payment, at: datetime.datetime) -> None:
    """A payment was recorded at the moment `at`: where its money lies at the bank, the books say so too.

    Raises RuntimeError when nobody is there to do it: half of the truth is never booked.
    """
    if payment.gateway not in LIES_AT_BANK:
        return
    if payment.gateway not in _movers:
        raise RuntimeError(f"nobody moves the money of {payment.gateway}")
    _movers[payment.gateway](payment, at)
