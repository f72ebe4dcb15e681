"""What other systems are told: written down with the deliveries in the fact's own transaction, sent by jobs."""

from __future__ import annotations

import datetime
import enum
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from storefront.extensions import DeferOptions, db, defer
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

#: An event that a person sends to see whether it arrives.
TEST = "test"


class Kind(enum.StrEnum):
    """Facts that an endpoint may choose."""

    ORDER_PAID = "order.paid"
    PARCEL_SHIPPED = "parcel.shipped"
    PERIOD_CLOSED = "period.closed"


def tell(kind: Kind, key: str, data: Mapping[str, Any], happened_at: datetime.datetime) -> int:
    """Tell every endpoint that has chosen `kind`, once for each `key`; how many. Never commits.

    `data` are plain values, never anything of a buyer. Where nobody listens nothing is written.
    """
    listening = select(WebhookEndpoint.id).where(
        WebhookEndpoint.removed_at.is_(None), WebhookEndpoint.events.contains([kind.value])
    )
    endpoint_ids = db.session.scalars(listening.order_by(WebhookEndpoint.id)).all()
    return write(kind.value, key, data, happened_at, endpoint_ids) if endpoint_ids else 0


def write(
    kind: str, key: str, data: Mapping[str, Any], happened_at: datetime.datetime, endpoint_ids: Any
) -> int:
    """An event with its deliveries; 0 when `key` was told before."""
    uid = "evt_" + secrets.token_urlsafe(18)
    event_id = db.session.execute(
        insert(WebhookEvent)
        .values(uid=uid, kind=kind, key=key, happened_at=happened_at, data=dict(data))
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(WebhookEvent.id)
    ).scalar()
    if event_id is None:
        return 0
    rows = [{"endpoint_id": endpoint_id, "event_id": event_id} for endpoint_id in endpoint_ids]
    made = db.session.scalars(insert(WebhookDelivery).returning(WebhookDelivery.id), rows).all()
    for delivery_id in made:
        queue(delivery_id)
    return len(made)


def queue(delivery_id: int, at: datetime.datetime | None = None) -> None:
    """Have a delivery tried, now or not before `at`."""
    # Without a lock: a try that is due much later would keep a person's "send again" behind it.
    options: DeferOptions = {"schedule_at": at} if at is not None else {}
    defer("integrations.deliver", options=options, delivery_id=delivery_id)
