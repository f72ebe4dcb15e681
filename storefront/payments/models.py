"""Payments, attempts, provider events and refunds; the sandbox provider's own books stand in `sandbox_models`."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.payments.said import CURRENCY
from storefront.payments.sandbox_models import (
    SandboxEvent,
    SandboxLine,
    SandboxPayment,
    SandboxPayout,
    SandboxRefund,
    SandboxSettings,
)
from storefront.payments.transfer_models import Transfer

#: The tables of the sandbox and of bank transfer stand in modules of their own and are known by this one too.
__all__ = [
    "LIVING_STATES",
    "Payment",
    "PaymentAttempt",
    "PaymentEvent",
    "PaymentState",
    "Refund",
    "SandboxEvent",
    "SandboxLine",
    "SandboxPayment",
    "SandboxPayout",
    "SandboxRefund",
    "SandboxSettings",
    "Transfer",
]


class PaymentState(enum.StrEnum):
    """`created` with the order, `pending` once the provider has a payment page for it."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    #: The provider took another amount or currency than we asked for: a person decides.
    HELD = "held"


#: A payment that a shopper may still complete.
LIVING_STATES = (PaymentState.CREATED.value, PaymentState.PENDING.value, PaymentState.FAILED.value)


class Payment(db.Model):  # type: ignore[name-defined]
    """A wish to be paid one instalment through one gateway."""

    __tablename__ = "payments"

    #: Random, at least 128 bits; also the idempotency key toward the provider.
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    instalment_id: Mapped[int] = mapped_column(ForeignKey("instalments.id"))
    gateway: Mapped[str]
    amount: Mapped[int]
    state: Mapped[str] = mapped_column(default=PaymentState.CREATED.value)
    #: It pays its instalment. A second one that succeeds is recorded and given back.
    counts: Mapped[bool] = mapped_column(default=False)
    #: The provider's id.
    reference: Mapped[str | None]
    #: The provider's payment page.
    url: Mapped[str | None]
    expires_at: Mapped[datetime.datetime]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    succeeded_at: Mapped[datetime.datetime | None]
    #: What the provider kept of it; None: it has not said anything.
    fee: Mapped[int | None]
    #: What the provider took instead, of a payment that is held; in rupiah when the currency is IDR.
    taken_amount: Mapped[int | None]
    taken_currency: Mapped[str | None]
    held_at: Mapped[datetime.datetime | None]
    #: Who found, and why, that nothing is left to do about a held payment.
    held_closed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    held_closed_at: Mapped[datetime.datetime | None]
    held_reason: Mapped[str | None]
    #: The provider's id of the captured money, which its refunds and disputes speak of.
    capture_reference: Mapped[str | None]

    @property
    def received(self) -> int:
        """What the provider has of it once it was taken: for a held payment, not what we asked for."""
        return self.amount if self.taken_amount is None else self.taken_amount

    @property
    def is_of_rupiah(self) -> bool:
        """Whether what was taken is rupiah; money of another currency cannot be booked."""
        return self.taken_currency in (None, CURRENCY)


class PaymentAttempt(db.Model):  # type: ignore[name-defined]
    """One talk with the provider about a payment, and what came of it."""

    __tablename__ = "payment_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    #: `start`, `look_up`, `expire`, `refund` or `event`.
    action: Mapped[str]
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class PaymentEvent(db.Model):  # type: ignore[name-defined]
    """A provider's event as it came, once for each id."""

    __tablename__ = "payment_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    body: Mapped[bytes]
    received_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    handled_at: Mapped[datetime.datetime | None]
    #: What it came to, in a word: `paid`, `ignored` …
    result: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None]
    #: What it speaks of and is not known yet, such as `payment:<id>`.
    waits_for: Mapped[str | None]
    #: None: nobody tries again by itself.
    next_try_at: Mapped[datetime.datetime | None]
    #: It could not be handled, or never fits: finance sees it until somebody has decided.
    needs_person: Mapped[bool] = mapped_column(default=False)
    set_aside_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    set_aside_at: Mapped[datetime.datetime | None]
    set_aside_reason: Mapped[str | None]


#: Refunds of money that paid nothing: whole, without lines, from what customers are to get back.
OF_VAIN_MONEY = ("paid_too_late", "paid_twice", "amount_differs", "order_ended")


class Refund(db.Model):  # type: ignore[name-defined]
    """Money on its way back to a shopper through the gateway it came by.

    Late and second payments go back by themselves and whole; all others are proposed by a person, above a
    limit approved by another, and are the sum of their lines and parcels (`books.models`).
    """

    __tablename__ = "refunds"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    amount: Mapped[int]
    #: `paid_too_late`, `paid_twice`, `order_ended` before its last instalment came, or `cancelled` by the shopper
    #: before packing, by itself; `amount_differs` of a held payment; else a person's reason.
    reason: Mapped[str]
    #: `proposed`, `rejected`, `requested`, `pending`, `succeeded` or `failed`.
    state: Mapped[str] = mapped_column(default="requested")
    note: Mapped[str] = mapped_column(default="")
    #: None: by itself.
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime.datetime | None]
    #: How often it was sent: a refund that the provider refused is sent again under a key of its own.
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    #: Why the provider did not give it back.
    failure: Mapped[str | None]
    #: Unique, of the form that asked for it: sent twice, it makes one refund.
    request_key: Mapped[str | None]
    #: SHA-256 of what that form asked for.
    request_hash: Mapped[bytes | None]
    #: A person gave it back in the provider's own pages: it is written down, not sent.
    is_made_there: Mapped[bool] = mapped_column(default=False)
    reference: Mapped[str | None]
    requested_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    finished_at: Mapped[datetime.datetime | None]


class RefundReturn(db.Model):  # type: ignore[name-defined]
    """A refund that had gone through and failed after all: its money is back with the provider."""

    __tablename__ = "refund_returns"

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    #: The first time, the second …
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    #: Which try of the refund came back.
    attempt: Mapped[int] = mapped_column(Integer)
    #: The provider's id of that try.
    reference: Mapped[str | None]
    failure: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
