"""At most three unpaid orders at a time from one e-mail address, phone or network (CONTRACT.md).

Without it one visitor could hold all pieces of the shop for an hour at a time, again and again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select, text

from storefront.errors import TooManyUnpaid
from storefront.extensions import db
from storefront.orders.models import Channel, Order, OrderContact, OrderState
from storefront.people import attempts

MOST_UNPAID = 3


def refuse_too_many(
    email: str | None, phone: str | None, network: bytes | None, *, besides: Collection[int] = ()
) -> None:
    """Raise `TooManyUnpaid` when one of the three has that many living unpaid orders already, not counting those with
    the ids `besides`, which the new one replaces.

    Of several calls at the same moment each sees the orders of those before it: the advisory locks, taken
    in one order for all, last until the caller's transaction ends.
    """
    sources: list[tuple[ColumnElement[bool], str]] = []
    if email is not None:
        sources.append((OrderContact.email == email, f"email:{email}"))
    if phone is not None:
        sources.append((OrderContact.phone == phone, f"phone:{phone}"))
    if network is not None:
        sources.append((OrderContact.network == network, f"network:{network.hex()}"))
    for key in sorted(_lock_key(name) for _condition, name in sources):
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    for condition, _name in sources:
        living = (
            select(func.count())
            .select_from(OrderContact)
            .join(Order, Order.id == OrderContact.order_id)
            .where(condition, Order.state == OrderState.AWAITING_PAYMENT.value, Order.expires_at > func.now())
            # What was agreed with a facility waits for its day, and holds nothing against anybody.
            .where(Order.channel == Channel.ONLINE.value)
            .where(Order.id.not_in(besides))
        )
        if (db.session.scalar(living) or 0) >= MOST_UNPAID:
            raise TooManyUnpaid()


def network_hash(address: str | None) -> bytes:
    """What is kept of the network that an order came from: a keyed hash of the caller's address."""
    return attempts.keyed_hash("network:" + attempts.network_of(address))


def _lock_key(name: str) -> int:
    """A 64-bit lock number for `name`; two names that share one merely wait for each other."""
    return int.from_bytes(hashlib.sha256(b"unpaid:" + name.encode()).digest()[:8], signed=True)
