"""Messages owed to buyers, and to others who wait for word."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Message(db.Model):  # type: ignore[name-defined]
    """A message that a fact calls for. It names the fact, not the person: see `order_contacts`, `enquiry_contacts`."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Business key: owed once, whatever is retried.
    key: Mapped[str]
    #: Name of the template in templates/mail/.
    kind: Mapped[str]
    #: Null: about something else, named below.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"))
    #: What it is about when it is about no order: the room that writes the letter, and a row of it.
    subject_kind: Mapped[str | None]
    subject_id: Mapped[int | None]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    sent_at: Mapped[datetime.datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None]
