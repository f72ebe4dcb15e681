"""Handovers between coordinators."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Handover(db.Model):  # type: ignore[name-defined]
    """One act: a coordinator's work passes to another. With an invitation it waits until that is accepted."""

    __tablename__ = "handovers"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    from_person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: Names as they were then, for the minute.
    from_name: Mapped[str]
    to_person: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    to_name: Mapped[str]
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitations.id"))
    made_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: From then on the other one is the coordinator.
    done_at: Mapped[datetime.datetime | None]
    #: What passed on, as the minute says it (`handover.Counts`).
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    #: The membership that ended, and the one that began with this.
    ended_role: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))
    given_role: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))
    undone_at: Mapped[datetime.datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
