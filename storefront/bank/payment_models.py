"""Payments as files for the bank: how a file is written, each that was made, and what it pays."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.people.models import Proposal


class PaymentFileShape(Proposal, db.Model):  # type: ignore[name-defined]
    """How files of payments are written (`bank.payment_shape.Shape`); the one approved last is in force."""

    __tablename__ = "payment_file_shapes"

    id: Mapped[int] = mapped_column(primary_key=True)
    shape: Mapped[dict[str, Any]] = mapped_column(JSONB)


class PaymentFile(db.Model):  # type: ignore[name-defined]
    """A file that was made once: `made`, `taken` to the bank, or `discarded`. Its bytes are written again from its
    lines and must have its hash."""

    __tablename__ = "payment_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    shape_id: Mapped[int] = mapped_column(ForeignKey("payment_file_shapes.id"))
    #: Ours, that is paid from.
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    pay_on: Mapped[datetime.date]
    payments: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int]
    #: SHA-256.
    content_hash: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="made")
    made_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    taken_at: Mapped[datetime.datetime | None]
    discarded_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    discarded_at: Mapped[datetime.datetime | None]
    discard_reason: Mapped[str | None]


class PaymentFileLine(db.Model):  # type: ignore[name-defined]
    """One payment of a file: a settlement, or money back to a shopper."""

    __tablename__ = "payment_file_lines"

    file_id: Mapped[int] = mapped_column(ForeignKey("payment_files.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    settlement_id: Mapped[int | None] = mapped_column(ForeignKey("settlements.id"))
    return_id: Mapped[int | None] = mapped_column(ForeignKey("bank_returns.id"))
    amount: Mapped[int]
    #: Until its file is discarded; then another file may pay it.
    is_living: Mapped[bool] = mapped_column(default=True)
