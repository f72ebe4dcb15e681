"""Deliveries on their way: tried at once, then at growing pauses for a day, then failed and shown.

An attempt is noted before it is made and its answer after it. A worker that dies between the two leaves the delivery
waiting, and its job is given back: the same event goes once more with the same id, by which receivers know it.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select

from storefront.crash_points import reach
from storefront.extensions import db
from storefront.integrations import endpoints
from storefront.integrations.events import queue
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from storefront.integrations.send import Unsent, post
from storefront.stamped import stamp

#: Minutes between one attempt and the next; a day in all.
PAUSES = (1, 5, 15, 30, 60, 120, 240, 480, 480)
#: How long what has ended stays in the log.
KEPT = datetime.timedelta(days=90)
#: What should have been tried so long ago has lost its job.
LOST = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class _Attempt:
    url: str
    body: bytes
    headers: dict[str, str]


def deliver(delivery_id: int) -> None:
    """Try a delivery, if it is waiting and its time has come; commits before and after the other system is asked."""
    attempt = _begin(delivery_id)
    if attempt is None:
        return
    reach("told.before_post")
    status: int | None = None
    error: str | None = None
    try:
        status = post(attempt.url, attempt.body, attempt.headers, demo=_is_demo())
    except Unsent as unsent:
        error = unsent.code
    reach("told.after_post")
    _note(delivery_id, status, error)
    db.session.commit()


def body_of(event: WebhookEvent) -> bytes:
    """What is sent, the same bytes in every attempt."""
    told = {
        "id": event.uid,
        "type": event.kind,
        "happened_at": event.happened_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": event.data,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def send_waiting(*, endpoint_id: int | None = None) -> int:
    """Queue what waits and has no job: of one endpoint that goes on, or whatever was lost. Never commits."""
    now = func.now()
    query = (
        select(WebhookDelivery.id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(
            WebhookDelivery.state == "waiting",
            WebhookEndpoint.paused_at.is_(None),
            WebhookEndpoint.removed_at.is_(None),
            WebhookDelivery.next_at <= (now if endpoint_id else now - LOST),
        )
        .order_by(WebhookDelivery.id)
    )
    if endpoint_id is not None:
        query = query.where(WebhookDelivery.endpoint_id == endpoint_id)
    found = db.session.scalars(query).all()
    for delivery_id in found:
        queue(delivery_id)
    return len(found)


def forget_old() -> None:
    """Forget deliveries that ended long ago, and events that nothing speaks of any more. Never commits."""
    ended = WebhookDelivery.finished_at < func.now() - KEPT
    db.session.execute(delete(WebhookDelivery).where(ended))
    spoken = select(WebhookDelivery.id).where(WebhookDelivery.event_id == WebhookEvent.id)
    old = WebhookEvent.happened_at < func.now() - KEPT
    db.session.execute(delete(WebhookEvent).where(old, ~spoken.exists()))


def _begin(delivery_id: int) -> _Attempt | None:
    delivery = db.session.get(WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True)
    now = db.session.execute(select(func.now())).scalar_one()
    if delivery is None or delivery.state != "waiting" or delivery.next_at > now:
        db.session.rollback()
        return None
    endpoint = db.session.get_one(WebhookEndpoint, delivery.endpoint_id, populate_existing=True)
    if endpoint.paused_at is not None or endpoint.removed_at is not None:
        db.session.rollback()
        return None
    secrets = endpoints.secrets_of(endpoint, now)
    delivery.attempts += 1
    delivery.tried_at = now
    if not secrets:  # SECRET_KEY is another: nothing can be signed until the secret is renewed
        _note(delivery_id, None, "secret_lost")
        db.session.commit()
        return None
    event = db.session.get_one(WebhookEvent, delivery.event_id)
    body = body_of(event)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "storefront-webhooks/1",
        "Webhook-Id": event.uid,
        "Webhook-Event": event.kind,
        "Webhook-Attempt": str(delivery.attempts),
        "Webhook-Signature": stamp(body, *secrets),
    }
    attempt = _Attempt(endpoint.url, body, headers)
    db.session.commit()
    return attempt


def _note(delivery_id: int, status: int | None, error: str | None) -> None:
    """What came of an attempt. A redirect is no good answer: it is not followed."""
    delivery = db.session.get(WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True)
    if delivery is None or delivery.state != "waiting":
        return  # removed meanwhile, or noted by a worker that woke up late
    now: Any = db.session.execute(select(func.clock_timestamp())).scalar_one()
    delivery.answer_status, delivery.error = status, error
    if status is not None and 200 <= status < 300:
        delivery.state, delivery.finished_at = "delivered", now
    elif delivery.attempts > len(PAUSES):
        delivery.state, delivery.finished_at = "failed", now
    else:
        delivery.next_at = now + datetime.timedelta(minutes=PAUSES[max(delivery.attempts, 1) - 1])
        queue(delivery_id, delivery.next_at)
    db.session.flush()


def _is_demo() -> bool:
    return bool(current_app.extensions["settings"].demo)
