"""Ask the provider for a payment page, outside any transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import insert, update

from storefront.crash_points import reach
from storefront.extensions import db
from storefront.payments.gateway import (
    GatewayUnavailable,
    PaymentRequest,
    ProviderRefused,
    StartedPayment,
    TooLateToStart,
    gateway,
)
from storefront.payments.models import Payment, PaymentAttempt, PaymentState

log = structlog.get_logger("storefront.payments")

#: At most half of a process's 8 threads may wait on a provider; the others go on serving the shop.
WAITING_AT_ONCE = 4
_waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)


def start(gateway_name: str, request: PaymentRequest) -> StartedPayment | None:
    """Open the payment page for `request` and write down how it went; commits its own two rows.

    Called between transactions: the session must not hold one open. None when the provider cannot be
    reached, refuses, or too many wait on it already: the shopper then pays from the order page, with the same
    payment, whose id is the idempotency key; with a new one when it was too late for this one.
    """
    try:
        with _place_to_wait():
            started = gateway(gateway_name).start(request)
    except GatewayUnavailable as error:
        log.warning("payment_not_started", payment_id=request.id, gateway=gateway_name, reason=str(error))
        _note(request.id, "unavailable", str(error))
        db.session.commit()
        return None
    except ProviderRefused as error:
        log.error("payment_refused", payment_id=request.id, gateway=gateway_name, code=error.code)
        _note(request.id, "refused", f"{error.code}: {error}")
        if isinstance(error, TooLateToStart):
            _give_up(request.id)
        db.session.commit()
        return None
    reach("payment.after_provider")
    db.session.execute(
        update(Payment)
        .where(Payment.id == request.id, Payment.url.is_(None))
        .values(reference=started.reference, url=started.url)
    )
    db.session.execute(
        update(Payment)
        .where(Payment.id == request.id, Payment.state == PaymentState.CREATED.value)
        .values(state=PaymentState.PENDING.value)
    )
    _note(request.id, "started", "")
    db.session.commit()
    reach("payment.after_commit")
    return started


def _give_up(payment_id: str) -> None:
    """No page can be opened for a payment any more; none ever was."""
    db.session.execute(
        update(Payment)
        .where(Payment.id == payment_id, Payment.state == PaymentState.CREATED.value)
        .values(state=PaymentState.EXPIRED.value)
    )


def _note(payment_id: str, outcome: str, detail: str) -> None:
    db.session.execute(
        insert(PaymentAttempt).values(
            payment_id=payment_id, action="start", outcome=outcome, detail=detail[:500]
        )
    )


@contextmanager
def _place_to_wait() -> Iterator[None]:
    if not _waiting.acquire(timeout=0.2):
        raise GatewayUnavailable("too many requests wait on the provider")
    try:
        yield
    finally:
        _waiting.release()
