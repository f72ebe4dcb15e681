"""The audit trail, and what things were called before."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class AuditEvent(db.Model):  # type: ignore[name-defined]
    """One act, as it happened. The database refuses to change or delete it."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Null: the system, or somebody not signed in.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: `noun.verb`, such as `parcel.shipped`.
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    #: Before and after; never a secret or a buyer's data.
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None]
    #: The network address of staff; of nobody else.
    network: Mapped[str | None] = mapped_column(INET)


class FormerName(db.Model):  # type: ignore[name-defined]
    """What a facility, workshop or category was called until it was renamed; the database writes it down.

    Files of a past moment read it through `facilities_at`, `workshops_at` and `categories_at`.
    """

    __tablename__ = "former_names"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The table that it lies in.
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    until: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Columns of the subject, as they were.
    named: Mapped[dict[str, Any]] = mapped_column(JSONB)
