"""Endpoints and their delivery log, as the page shows them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront.extensions import db
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page

LATEST = Order((("webhook_deliveries.id", "bigint"),))
STATES = ("waiting", "delivered", "failed")


@dataclass(frozen=True)
class EndpointLine:
    """An endpoint with what became of its deliveries."""

    endpoint: WebhookEndpoint
    waiting: int
    failed: int
    last_delivered_at: datetime.datetime | None


def endpoint_lines() -> list[EndpointLine]:
    """All endpoints that are not removed, by name."""
    state = WebhookDelivery.state
    query = (
        select(
            WebhookEndpoint,
            func.count().filter(state == "waiting"),
            func.count().filter(state == "failed"),
            func.max(WebhookDelivery.finished_at).filter(state == "delivered"),
        )
        .outerjoin(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.removed_at.is_(None))
        .group_by(WebhookEndpoint.id)
        .order_by(WebhookEndpoint.name, WebhookEndpoint.id)
    )
    return [EndpointLine(*row) for row in db.session.execute(query)]


def count_failed() -> int:
    """Deliveries that were given up, of endpoints that are still there."""
    query = (
        select(func.count())
        .select_from(WebhookDelivery)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.state == "failed", WebhookEndpoint.removed_at.is_(None))
    )
    return db.session.execute(query).scalar_one()


def deliveries(
    endpoint_id: int, *, state: str = "", kind: str = "", turn: Turn = FIRST
) -> Keyed[tuple[WebhookDelivery, WebhookEvent]]:
    """A page of an endpoint's log, the latest first; a filter that is none is ignored."""
    query = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
    )
    if state in STATES:
        query = query.where(WebhookDelivery.state == state)
    if kind:
        query = query.where(WebhookEvent.kind == kind)
    found = select_page(query, LATEST, turn)
    return found.of([(delivery, event) for delivery, event in found.rows])
