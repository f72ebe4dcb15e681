"""The sandbox provider's own books: it is another party that happens to live in this database."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class SandboxSettings(db.Model):  # type: ignore[name-defined]
    """How the sandbox delivers its news, unless a payment has a way of its own."""

    __tablename__ = "sandbox_settings"

    only_row: Mapped[bool] = mapped_column(primary_key=True, default=True)
    #: One of `sandbox_delivery.Delivery`.
    delivery: Mapped[str]
    late_seconds: Mapped[int] = mapped_column(Integer)


class SandboxPayment(db.Model):  # type: ignore[name-defined]
    """The sandbox provider's side of a payment."""

    __tablename__ = "sandbox_payments"

    id: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    description: Mapped[str]
    return_url: Mapped[str]
    locale: Mapped[str]
    #: `open`, `pending`, `succeeded`, `failed` or `expired`.
    state: Mapped[str] = mapped_column(default="open")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime.datetime]
    #: How its news are delivered; None: as those of the whole sandbox.
    delivery: Mapped[str | None]
    #: False: paid in a way that knows no refunds.
    can_refund: Mapped[bool] = mapped_column(default=True)


class SandboxEvent(db.Model):  # type: ignore[name-defined]
    """An event that the sandbox provider owes us."""

    __tablename__ = "sandbox_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    #: None: of a payout.
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("sandbox_payments.id"))
    type: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    delivered_at: Mapped[datetime.datetime | None]
    deliveries: Mapped[int] = mapped_column(Integer, default=0)


class SandboxRefund(db.Model):  # type: ignore[name-defined]
    """Money that the sandbox provider gave back."""

    __tablename__ = "sandbox_refunds"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("sandbox_payments.id"))
    amount: Mapped[int]
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: `succeeded`, or `failed` when the money came back.
    state: Mapped[str] = mapped_column(default="succeeded")
    failure: Mapped[str] = mapped_column(default="")


class SandboxPayout(db.Model):  # type: ignore[name-defined]
    """Money that the sandbox provider sent to our bank."""

    __tablename__ = "sandbox_payouts"

    id: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    #: `on_its_way`, `paid` or `failed`.
    state: Mapped[str] = mapped_column(default="paid")
    arrives_on: Mapped[datetime.date]
    failure: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class SandboxLine(db.Model):  # type: ignore[name-defined]
    """One movement of what the sandbox provider holds for us: above zero, it holds more."""

    __tablename__ = "sandbox_lines"

    id: Mapped[str] = mapped_column(primary_key=True)
    #: One of `provider_books.LineKind`.
    kind: Mapped[str]
    #: Before `fee`.
    amount: Mapped[int]
    fee: Mapped[int] = mapped_column(default=0)
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("sandbox_payments.id"))
    refund_id: Mapped[str | None] = mapped_column(ForeignKey("sandbox_refunds.id"))
    dispute_id: Mapped[str | None]
    #: The payout that it went out with, or is; None: it still lies there.
    payout_id: Mapped[str | None] = mapped_column(ForeignKey("sandbox_payouts.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
