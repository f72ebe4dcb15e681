"""A shopper who needs longer: the hold on an unpaid order is extended once, before it ends.

The pieces stay reserved as they are; only the end moves. Pages of a provider that cannot follow end when they
were to end, which no longer ends the order, and a new one is opened for what is left of the hold.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, update

from storefront.audit.record import record
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.orders.instalments import is_agreed
from storefront.orders.models import Order, OrderState
from storefront.orders.payment import payments_of
from storefront.orders.stopped import has_suspended
from storefront.payments.gateway import Gateway, current_gateway, gateway
from storefront.payments.models import LIVING_STATES, Payment

#: How long before its end a hold is warned of; one of days is warned of for as long as it can be extended.
WARN_BEFORE = datetime.timedelta(minutes=5)


class HoldNotExtended(DomainError):
    code, status = "hold_not_extended", 409
    message = _(
        "Waktu pesanan ini sudah pernah diperpanjang atau sudah berakhir. Bayar sebelum batasnya, atau pesan lagi."
    )


@dataclass(frozen=True)
class Hold:
    """The hold on an unpaid order, as its page tells of it."""

    until: datetime.datetime
    #: From when on the page warns of its end.
    warn_at: datetime.datetime
    #: By how much it can be extended; None: it was, or it is over.
    extension: datetime.timedelta | None
    now: datetime.datetime

    @property
    def is_near(self) -> bool:
        """Whether the end is to be warned of now."""
        return self.now >= self.warn_at

    @property
    def seconds_to_warning(self) -> int:
        return max(0, int((self.warn_at - self.now).total_seconds()) + 1)


def hold_of(order: Order) -> Hold | None:
    """The hold on an order that waits for its payment; None for any other."""
    now = datetime.datetime.now(datetime.UTC)
    if order.state != OrderState.AWAITING_PAYMENT or order.expires_at <= now:
        return None
    longer = order.hold_extended_at is None and not is_agreed(order) and not has_suspended(order.id)
    extension = _gateway_of(order).extension if longer else None
    before = extension if extension is not None and extension >= datetime.timedelta(days=1) else WARN_BEFORE
    return Hold(order.expires_at, order.expires_at - before, extension, now)


def extend_hold(order: Order) -> datetime.datetime:
    """Hold the order's pieces longer, by what its way of paying allows; returns the new end. Never commits.

    One conditional update decides: by the wall clock, not by when the transaction began. Raises
    HoldNotExtended when it was extended before, or the order is paid, ended or at its end, or one of its facilities is
    suspended.
    """
    if has_suspended(order.id) or is_agreed(order):
        raise HoldNotExtended()
    longer = _gateway_of(order).extension
    until = db.session.execute(
        update(Order)
        .where(
            Order.id == order.id,
            Order.state == OrderState.AWAITING_PAYMENT.value,
            Order.hold_extended_at.is_(None),
            Order.expires_at > func.clock_timestamp(),
        )
        .values(expires_at=Order.expires_at + longer, hold_extended_at=func.clock_timestamp())
        .returning(Order.expires_at)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if until is None:
        raise HoldNotExtended()
    for payment in payments_of(order):
        if payment.state in LIVING_STATES and gateway(payment.gateway).pages_follow:
            db.session.execute(
                update(Payment)
                .where(Payment.id == payment.id, Payment.state.in_(LIVING_STATES), Payment.expires_at < until)
                .values(expires_at=until)
                .execution_options(synchronize_session=False)
            )
    record("order.hold_extended", "order", order.id, details={"until": until.isoformat()})
    db.session.refresh(order)
    return until


def is_extended(order: Order) -> bool:
    """Whether the order is held on its shopper's wish at this moment, whatever became of a page of its."""
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return order.hold_extended_at is not None and order.expires_at > now


def _gateway_of(order: Order) -> Gateway:
    """Through which the order is being paid: its last payment that lives, else the shop's own."""
    living = [payment for payment in payments_of(order) if payment.state in LIVING_STATES]
    return gateway(living[-1].gateway) if living else current_gateway()
