"""How the sandbox delivers its news: at once, or as badly as providers sometimes do.

Set for one payment, or for the whole sandbox (`sandbox_settings`). What is never delivered can still be
fetched by our own query, as at a real provider.
"""

from __future__ import annotations

import datetime
import enum
import json
import secrets
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from storefront.extensions import db, jobs
from storefront.payments.sandbox_models import SandboxEvent, SandboxPayment, SandboxSettings


class Delivery(enum.StrEnum):
    """When an event reaches the shop."""

    AT_ONCE = "at_once"
    #: After `late_seconds` of the sandbox's settings.
    LATE = "late"
    TWICE = "twice"
    #: Each event waits until the next one of its payment has overtaken it; the last one, a minute.
    OUT_OF_ORDER = "out_of_order"
    NEVER = "never"


#: How long the last event waits to be overtaken, and how far behind the one that overtook it it comes.
OVERTAKEN_WITHIN = datetime.timedelta(seconds=60)
BEHIND = datetime.timedelta(seconds=2)


def set_delivery(
    delivery: str | None, *, payment_id: str | None = None, late_seconds: int | None = None
) -> None:
    """Deliver what happens from now on in another way; the caller commits.

    For one payment when `payment_id` is given, else for all. None: as the whole sandbox, and as it was made.
    Raises ValueError for an unknown way, LookupError for an unknown payment.
    """
    wanted = None if delivery is None else Delivery(delivery).value
    if payment_id is not None:
        payment = db.session.get(SandboxPayment, payment_id, with_for_update=True)
        if payment is None:
            raise LookupError(payment_id)
        payment.delivery = wanted
        return
    settings = db.session.get_one(SandboxSettings, True, with_for_update=True, populate_existing=True)
    settings.delivery = wanted or Delivery.AT_ONCE.value
    if late_seconds is not None:
        settings.late_seconds = late_seconds


def queue_event(
    connection: Connection, event_type: str, payment_id: str | None, **parts: dict[str, Any]
) -> str:
    """Write an event down and queue its delivery, in the caller's transaction; returns its id.

    `parts` are the event's objects by name: `payment`, `refund`, `dispute`, `payout`.
    """
    event_id = "evt_" + secrets.token_urlsafe(16)
    created: datetime.datetime = connection.execute(select(func.now())).scalar_one()
    body = json.dumps({"id": event_id, "type": event_type, "created": created.isoformat(), **parts})
    delivery, late = _way(connection, payment_id)
    overtaken = _waiting(connection, payment_id) if delivery is Delivery.OUT_OF_ORDER else []
    connection.execute(
        insert(SandboxEvent).values(id=event_id, payment_id=payment_id, type=event_type, body=body)
    )
    match delivery:
        case Delivery.AT_ONCE:
            _deliver(connection, event_id)
        case Delivery.LATE:
            _deliver(connection, event_id, after=late)
        case Delivery.TWICE:
            _deliver(connection, event_id)
            _deliver(connection, event_id, again=True)
        case Delivery.OUT_OF_ORDER:
            _deliver(connection, event_id, after=None if overtaken else OVERTAKEN_WITHIN)
            for earlier in overtaken:
                _deliver(connection, earlier, after=BEHIND)
        case Delivery.NEVER:
            pass
    return event_id


def _way(connection: Connection, payment_id: str | None) -> tuple[Delivery, datetime.timedelta]:
    general, late = connection.execute(select(SandboxSettings.delivery, SandboxSettings.late_seconds)).one()
    own = None
    if payment_id is not None:
        own = connection.scalar(select(SandboxPayment.delivery).where(SandboxPayment.id == payment_id))
    return Delivery(own or general), datetime.timedelta(seconds=late)


def _waiting(connection: Connection, payment_id: str | None) -> list[str]:
    """Events of a payment that have not been delivered, oldest first."""
    return list(
        connection.scalars(
            select(SandboxEvent.id)
            .where(
                SandboxEvent.payment_id == payment_id,
                SandboxEvent.delivered_at.is_(None),
                SandboxEvent.deliveries == 0,
            )
            .order_by(SandboxEvent.created_at, SandboxEvent.id)
        )
    )


def _deliver(
    connection: Connection, event_id: str, *, after: datetime.timedelta | None = None, again: bool = False
) -> None:
    moment = None if after is None else datetime.datetime.now(datetime.UTC) + after
    more: dict[str, Any] = {"again": True} if again else {}
    jobs.configure_task(
        "sandbox.deliver_event",
        connection=connection.connection.driver_connection,
        schedule_at=moment,
        lock=f"sandbox:{event_id}",  # an event that is queued twice sees whether it was taken the first time
    ).defer(event_id=event_id, **more)


def note_delivery(event_id: str, *, taken: bool) -> None:
    """Write down that an event was posted, and whether the shop took it; the caller commits."""
    moment: dict[str, Any] = {"delivered_at": datetime.datetime.now(datetime.UTC)} if taken else {}
    db.session.execute(
        update(SandboxEvent)
        .where(SandboxEvent.id == event_id)
        .values(deliveries=SandboxEvent.deliveries + 1, **moment)
    )
