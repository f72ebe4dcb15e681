"""The inbox: provider events, stored as they came, each id once, then handled by a job."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.extensions import db, defer
from storefront.payments.gateway import RawEvent, SignedEvent, SupportsGet, gateway
from storefront.payments.models import PaymentEvent


def receive(gateway_name: str, headers: SupportsGet, body: bytes) -> bool:
    """Keep a provider's event and queue its handling; False when this id was here before.

    Raises LookupError for a gateway that is not in use, BadSignature for a message that is not the
    provider's. The caller commits before it answers, so that an answered event is never lost.
    """
    return _keep(gateway_name, gateway(gateway_name).verify(headers, body), body)


def receive_fetched(gateway_name: str, event: RawEvent) -> bool:
    """Keep an event that our own query to the provider brought, by the same path; False when it was here before."""
    return _keep(gateway_name, SignedEvent(event.id, event.type), event.body)


def _keep(gateway_name: str, event: SignedEvent, body: bytes) -> bool:
    row_id = db.session.execute(
        upsert(PaymentEvent)
        .values(gateway=gateway_name, event_id=event.id, type=event.type, body=body)
        .on_conflict_do_nothing(index_elements=["gateway", "event_id"])
        .returning(PaymentEvent.id)
    ).scalar()
    if row_id is None:
        return False
    defer("orders.handle_payment_event", event_row_id=row_id)
    return True


def wake(what: str) -> None:
    """Have the events that wait for `what`, such as `payment:<id>`, tried again now; the caller commits."""
    waiting = db.session.scalars(
        select(PaymentEvent.id).where(PaymentEvent.waits_for == what, PaymentEvent.handled_at.is_(None))
    )
    for row_id in waiting.all():
        defer("orders.handle_payment_event", event_row_id=row_id)
