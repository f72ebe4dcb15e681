"""Bank transfer's own books: what a shopper was asked to send, and whether the bank's file says that it came."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Transfer(db.Model):  # type: ignore[name-defined]
    """What is known of a payment by bank transfer."""

    __tablename__ = "transfers"

    #: Our payment's id.
    id: Mapped[str] = mapped_column(primary_key=True)
    #: For the transfer's note; None: a second transfer with a note that was used before.
    code: Mapped[str | None]
    amount: Mapped[int]
    #: The order's number.
    description: Mapped[str]
    locale: Mapped[str]
    expires_at: Mapped[datetime.datetime]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: `open`, `succeeded` or `expired`.
    state: Mapped[str] = mapped_column(default="open")
    #: `bank_line:<id>`, of the line that paid it.
    event_id: Mapped[str | None]
    #: Where the money lies.
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_accounts.id"))
    succeeded_at: Mapped[datetime.datetime | None]
