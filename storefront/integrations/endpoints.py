"""Endpoints of other systems: added with a secret that is shown once, tried, paused, given a new secret, removed."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, select, update

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db, defer
from storefront.integrations import events
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from storefront.integrations.send import is_acceptable
from storefront.keyed import opened, sealed

PURPOSE = "storefront:webhooks"
PREFIX = "whsec_"
#: How long a former secret signs beside the new one.
BOTH_HOLD = datetime.timedelta(days=1)
#: More endpoints than this are a mistake.
MOST = 20


class WrongEndpointState(DomainError):
    """Somebody was faster."""

    code, status = "wrong_endpoint_state", 409

    def __init__(self) -> None:
        super().__init__(_("Webhook ini sudah berubah sejak halaman dibuka. Muat ulang untuk melihat keadaannya."))


def add(name: str, url: str, kinds: Sequence[str], person_id: int) -> tuple[WebhookEndpoint, str]:
    """An endpoint and its secret, which nobody can find out again. Raises Invalid. The caller commits."""
    errors = {}
    if not 2 <= len(name) <= 80:
        errors["name"] = _("Beri nama 2 sampai 80 huruf, misalnya nama sistem yang diberi tahu.")
    if len(url) > 500 or not is_acceptable(url, demo=bool(current_app.extensions["settings"].demo)):
        errors["url"] = _("Tulis alamat https:// milik sistem itu yang terbuka dari internet, tanpa sandi di dalamnya.")
    known = {kind.value for kind in events.Kind}
    if not kinds or not set(kinds) <= known:
        errors["events"] = _("Pilih setidaknya satu kejadian.")
    living = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.removed_at.is_(None))
    if db.session.execute(living).scalar_one() >= MOST:
        errors["name"] = _("Sudah ada %(most)d webhook. Hapus yang tidak dipakai dahulu.", most=MOST)
    if errors:
        raise Invalid(errors)
    shown = _new_secret()
    chosen = [kind.value for kind in events.Kind if kind.value in kinds]
    endpoint = WebhookEndpoint(
        name=name, url=url, events=chosen, secret=sealed(PURPOSE, shown.encode()), created_by=person_id
    )
    db.session.add(endpoint)
    db.session.flush()
    _record("added", endpoint, person_id, {"after": {"name": name, "url": url, "events": chosen}})
    return endpoint, shown


def find(endpoint_id: int) -> WebhookEndpoint:
    """An endpoint that is not removed. Raises NotFound."""
    endpoint = db.session.get(WebhookEndpoint, endpoint_id)
    if endpoint is None or endpoint.removed_at is not None:
        raise NotFound()
    return endpoint


def renew_secret(endpoint_id: int, person_id: int) -> tuple[WebhookEndpoint, str]:
    """A new secret; the former one signs beside it for a day. Raises NotFound. The caller commits."""
    endpoint, now = _locked(endpoint_id), _now()
    shown = _new_secret()
    endpoint.former_secret, endpoint.former_until = endpoint.secret, now + BOTH_HOLD
    endpoint.secret = sealed(PURPOSE, shown.encode())
    _record("renewed", endpoint, person_id)
    return endpoint, shown


def secrets_of(endpoint: WebhookEndpoint, now: datetime.datetime) -> list[bytes]:
    """What signs now, the newest first; empty when SECRET_KEY was changed since."""
    found = [opened(PURPOSE, endpoint.secret)]
    if endpoint.former_secret is not None and endpoint.former_until is not None and now < endpoint.former_until:
        found.append(opened(PURPOSE, endpoint.former_secret))
    return [secret for secret in found if secret is not None]


def pause(endpoint_id: int, person_id: int) -> WebhookEndpoint:
    """What is new waits until it goes on. Raises NotFound, WrongEndpointState. The caller commits."""

    def change(endpoint: WebhookEndpoint) -> None:
        if endpoint.paused_at is not None:
            raise WrongEndpointState()
        endpoint.paused_at = _now()

    return _changed("paused", endpoint_id, person_id, change)


def resume(endpoint_id: int, person_id: int) -> WebhookEndpoint:
    """Go on, with all that has waited. Raises NotFound, WrongEndpointState. The caller commits."""

    def change(endpoint: WebhookEndpoint) -> None:
        if endpoint.paused_at is None:
            raise WrongEndpointState()
        endpoint.paused_at = None
        defer("integrations.send_waiting_of", endpoint_id=endpoint_id)

    return _changed("resumed", endpoint_id, person_id, change)


def remove(endpoint_id: int, person_id: int) -> WebhookEndpoint:
    """Tell it nothing any more; what waited is given up. Raises NotFound. The caller commits."""

    def change(endpoint: WebhookEndpoint) -> None:
        endpoint.removed_at = _now()
        db.session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "waiting")
            .values(state="failed", error="removed", finished_at=func.now())
        )

    return _changed("removed", endpoint_id, person_id, change)


def test(endpoint_id: int, person_id: int) -> WebhookEndpoint:
    """Send an event that says nothing, to see whether it arrives. Raises NotFound, WrongEndpointState while paused."""

    def change(endpoint: WebhookEndpoint) -> None:
        if endpoint.paused_at is not None:
            raise WrongEndpointState()
        key = f"test:{endpoint_id}:{secrets.token_urlsafe(9)}"
        events.write(events.TEST, key, {"endpoint": endpoint.name}, _now(), [endpoint_id])

    return _changed("tested", endpoint_id, person_id, change)


def send_again(endpoint_id: int, delivery_id: int, person_id: int) -> WebhookDelivery:
    """Send a delivery now, with its old id and all its attempts anew. Raises NotFound. The caller commits."""
    endpoint = find(endpoint_id)
    delivery = db.session.get(WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True)
    if delivery is None or delivery.endpoint_id != endpoint_id:
        raise NotFound()
    delivery.state, delivery.attempts, delivery.finished_at = "waiting", 0, None
    delivery.next_at = _now()
    db.session.flush()
    events.queue(delivery_id)
    uid = db.session.scalar(select(WebhookEvent.uid).where(WebhookEvent.id == delivery.event_id))
    _record("sent_again", endpoint, person_id, {"event": uid})
    return delivery


def _changed(
    verb: str, endpoint_id: int, person_id: int, change: Callable[[WebhookEndpoint], None]
) -> WebhookEndpoint:
    endpoint = _locked(endpoint_id)
    change(endpoint)
    _record(verb, endpoint, person_id)
    return endpoint


def _locked(endpoint_id: int) -> WebhookEndpoint:
    endpoint = db.session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if endpoint is None or endpoint.removed_at is not None:
        raise NotFound()
    return endpoint


def _record(verb: str, endpoint: WebhookEndpoint, person_id: int, details: dict[str, Any] | None = None) -> None:
    db.session.flush()
    told = {"name": endpoint.name, **(details or {})}
    record(f"webhook.{verb}", "webhook", endpoint.id, person_id=person_id, details=told)


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _now() -> datetime.datetime:
    moment: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return moment
