"""What providers say of the money that they hold for us, and each comparison with our books."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ProviderLine(db.Model):  # type: ignore[name-defined]
    """One line of a provider's own books, as it wrote it, with the journal entry that says the same."""

    __tablename__ = "provider_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    #: The provider's id of the line.
    reference: Mapped[str]
    #: One of `payments.provider_books.LineKind`.
    kind: Mapped[str]
    #: Rupiah; above zero, the provider holds more.
    amount: Mapped[int]
    #: What the provider kept of it; below zero when it gave a fee back.
    fee: Mapped[int] = mapped_column(default=0)
    #: Of a rupiah, beyond amount − fee.
    hundredths: Mapped[int] = mapped_column(Integer, default=0)
    currency: Mapped[str] = mapped_column(default="IDR")
    at: Mapped[datetime.datetime]
    #: The accounting day of `at`.
    day: Mapped[datetime.date] = mapped_column(server_default=FetchedValue())
    #: Our payment's id, as far as it is known.
    payment_id: Mapped[str | None]
    refund_key: Mapped[str | None]
    capture_reference: Mapped[str | None]
    refund_reference: Mapped[str | None]
    dispute_reference: Mapped[str | None]
    payout_reference: Mapped[str | None]
    #: Our key of a transfer to a facility or of its reversal, and the provider's id of it.
    transfer_key: Mapped[str | None]
    transfer_reference: Mapped[str | None]
    description: Mapped[str] = mapped_column(default="")
    #: The run that brought it.
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_runs.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entries.id"))
    fee_entry_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entries.id"))
    #: A payout, and the line that says that it came back.
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("provider_lines.id"))


class ProviderPayoutRow(db.Model):  # type: ignore[name-defined]
    """Money that a provider has sent to our bank, as it says now."""

    __tablename__ = "provider_payouts"

    gateway: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    #: `on_its_way`, `paid` or `failed`.
    state: Mapped[str]
    arrives_on: Mapped[datetime.date]
    created_at: Mapped[datetime.datetime]
    is_explained: Mapped[bool]
    bank_reference: Mapped[str | None]
    failure: Mapped[str] = mapped_column(default="")


class ReconciliationRun(db.Model):  # type: ignore[name-defined]
    """One comparison of some days with a provider: how far it is, and what came of it."""

    __tablename__ = "reconciliation_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    first_day: Mapped[datetime.date]
    last_day: Mapped[datetime.date]
    #: `waiting`, `running`, `done` or `failed`.
    state: Mapped[str] = mapped_column(default="waiting")
    #: `waiting`, `events`, `payments`, `payouts`, `lines`, `heal`, `days` or `done`.
    step: Mapped[str] = mapped_column(default="waiting")
    #: None: by the clock.
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    started_at: Mapped[datetime.datetime | None]
    finished_at: Mapped[datetime.datetime | None]
    days_done: Mapped[int] = mapped_column(Integer, default=0)
    #: Events that no webhook had brought.
    events: Mapped[int] = mapped_column(Integer, default=0)
    #: Lines that were new to us.
    lines: Mapped[int] = mapped_column(Integer, default=0)
    #: Facts that were missing here.
    healed: Mapped[int] = mapped_column(Integer, default=0)
    #: Differences that were new.
    found: Mapped[int] = mapped_column(Integer, default=0)
    #: The provider was asked for its events up to this moment.
    events_until: Mapped[datetime.datetime | None]
    error: Mapped[str | None]

    @property
    def days_total(self) -> int:
        return (self.last_day - self.first_day).days + 1


class ReconciledDay(db.Model):  # type: ignore[name-defined]
    """A day that was compared; finally, once it was over."""

    __tablename__ = "reconciled_days"

    gateway: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_runs.id"))
    #: Nothing later was seen.
    compared_at: Mapped[datetime.datetime]
    lines: Mapped[int] = mapped_column(Integer)
    #: What the provider's lines of the day sum to, and what our entries for them do.
    theirs: Mapped[int]
    ours: Mapped[int]
    is_final: Mapped[bool] = mapped_column(server_default=FetchedValue())


class Difference(db.Model):  # type: ignore[name-defined]
    """Where a provider and our books do not say the same."""

    __tablename__ = "reconciliation_differences"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    day: Mapped[datetime.date]
    #: Of a provider's line its `amount` or its `fee`; or an `entry` of ours that no line speaks of.
    what: Mapped[str]
    line_id: Mapped[int | None] = mapped_column(ForeignKey("provider_lines.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entries.id"))
    #: What it does to the balance, in rupiah; None: that side does not know it.
    theirs: Mapped[int | None]
    ours: Mapped[int | None]
    #: `open`, `proposed`, `settled`, `explained`, or `gone`: both sides say the same by now.
    state: Mapped[str] = mapped_column(default="open")
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_runs.id"))
    found_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    correction_id: Mapped[int | None] = mapped_column(ForeignKey("corrections.id"))
    #: A refund that was made in the provider's own pages.
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    reason: Mapped[str | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime.datetime | None]

    @property
    def amount(self) -> int:
        """What the books lack, in rupiah: above zero, the provider holds more than they say."""
        return (self.theirs or 0) - (self.ours or 0)
