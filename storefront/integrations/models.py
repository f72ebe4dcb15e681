"""Read tokens of the API, and webhooks: endpoints, events, deliveries."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ApiToken(db.Model):  # type: ignore[name-defined]
    """What a program shows to read; it is shown to people once, and only its hash is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What the office calls it.
    name: Mapped[str]
    #: SHA-256.
    token_hash: Mapped[bytes]
    #: Its last four letters.
    ending: Mapped[str]
    #: Some of `tokens.Scope`.
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: All facilities, later ones too; else those of `api_token_facilities`.
    everywhere: Mapped[bool]
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime.datetime]
    #: To the minute.
    last_used_at: Mapped[datetime.datetime | None]
    revoked_at: Mapped[datetime.datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ApiTokenFacility(db.Model):  # type: ignore[name-defined]
    """A facility within a token's reach."""

    __tablename__ = "api_token_facilities"

    token_id: Mapped[int] = mapped_column(ForeignKey("api_tokens.id"), primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), primary_key=True)


class WebhookEndpoint(db.Model):  # type: ignore[name-defined]
    """Another system's address that is told of events."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What the office calls it.
    name: Mapped[str]
    url: Mapped[str]
    #: Some of `events.Kind`.
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: Sealed (`keyed.sealed`), as the former one, which signs beside it until `former_until`.
    secret: Mapped[bytes]
    former_secret: Mapped[bytes | None]
    former_until: Mapped[datetime.datetime | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: What is new waits since then.
    paused_at: Mapped[datetime.datetime | None]
    removed_at: Mapped[datetime.datetime | None]


class WebhookEvent(db.Model):  # type: ignore[name-defined]
    """A fact that somebody wants to know of."""

    __tablename__ = "webhook_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Its id for receivers, the same in every attempt: `evt_…`.
    uid: Mapped[str]
    #: One of `events.Kind`, or `test`.
    kind: Mapped[str]
    #: The business key: one event for ever.
    key: Mapped[str]
    happened_at: Mapped[datetime.datetime]
    #: Never anything of a buyer.
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class WebhookDelivery(db.Model):  # type: ignore[name-defined]
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("webhook_events.id"))
    #: `waiting`, `delivered` or `failed`.
    state: Mapped[str] = mapped_column(default="waiting")
    #: Of this round: sending again begins anew.
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Not before.
    next_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    tried_at: Mapped[datetime.datetime | None]
    finished_at: Mapped[datetime.datetime | None]
    #: HTTP status of the last answer; None: there was none.
    answer_status: Mapped[int | None] = mapped_column(SmallInteger)
    #: Why there was no good answer: a code of `send.Unsent`.
    error: Mapped[str | None]
