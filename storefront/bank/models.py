"""The bank's files, each line of them, and what it belongs to in the books."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class BankFileShape(db.Model):  # type: ignore[name-defined]
    """How the bank of an account writes its CSV (`bank.shape.Shape`)."""

    __tablename__ = "bank_file_shapes"

    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"), primary_key=True)
    shape: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class BankFile(db.Model):  # type: ignore[name-defined]
    """A file as it was uploaded: `read` (looked at, nothing taken), `taken` or `discarded`."""

    __tablename__ = "bank_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    name: Mapped[str]
    #: `csv` or `mt940`.
    format: Mapped[str]
    #: SHA-256.
    content_hash: Mapped[bytes]
    #: In the private store; nothing lies there any more once it is discarded.
    content_key: Mapped[str]
    state: Mapped[str] = mapped_column(default="read")
    #: Of a CSV, as it was taken in.
    shape: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    taken_at: Mapped[datetime.datetime | None]
    discarded_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    discarded_at: Mapped[datetime.datetime | None]
    first_day: Mapped[datetime.date | None]
    last_day: Mapped[datetime.date | None]
    #: Lines in the file, and those of them that no earlier file had.
    lines: Mapped[int | None] = mapped_column(Integer)
    lines_added: Mapped[int | None] = mapped_column(Integer)
    #: Balances in hundredths of a rupiah, where the file names them.
    opening: Mapped[int | None]
    closing: Mapped[int | None]


class BankLine(db.Model):  # type: ignore[name-defined]
    """A movement of one of our accounts, as the bank wrote it; once, whatever files it stood in."""

    __tablename__ = "bank_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    #: The first file that had it, and its line there.
    file_id: Mapped[int] = mapped_column(ForeignKey("bank_files.id"))
    line_number: Mapped[int] = mapped_column(Integer)
    booked_on: Mapped[datetime.date]
    #: Whole rupiah, in above zero; what is beyond them stands in `hundredths`, with the same sign.
    amount: Mapped[int]
    hundredths: Mapped[int] = mapped_column(SmallInteger, default=0)
    description: Mapped[str] = mapped_column(default="")
    bank_reference: Mapped[str] = mapped_column(default="")
    fingerprint: Mapped[bytes]
    #: `open`, `announced` (its payment will be counted by a job), `matched` or `set_aside`.
    state: Mapped[str] = mapped_column(default="open")
    match_id: Mapped[int | None] = mapped_column(ForeignKey("bank_matches.id"))
    #: That it was counted or held for.
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("payments.id"))
    set_aside_reason: Mapped[str | None]
    set_aside_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    set_aside_at: Mapped[datetime.datetime | None]


class BankMatch(db.Model):  # type: ignore[name-defined]
    """Lines of the bank and postings on `bank:<account>` that tell of the same money: their sums are equal."""

    __tablename__ = "bank_matches"

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    #: None: by itself.
    matched_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    matched_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: The entry was booked because of the line, so the match cannot be taken apart.
    is_fixed: Mapped[bool] = mapped_column(default=False)


class BankMatchPosting(db.Model):  # type: ignore[name-defined]
    """A posting of a match."""

    __tablename__ = "bank_match_postings"

    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("bank_matches.id"))


class HeldTransfer(db.Model):  # type: ignore[name-defined]
    """A shopper's transfer that is not exactly what was asked: its money waits for a decision."""

    __tablename__ = "held_transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_line_id: Mapped[int] = mapped_column(ForeignKey("bank_lines.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    #: That it was meant for.
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    amount: Mapped[int]
    held_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: None: by itself, its note named the payment.
    held_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: Rupiah of it that pay an order after all.
    counted: Mapped[int] = mapped_column(default=0)
    counted_for: Mapped[str | None] = mapped_column(ForeignKey("payments.id"))
    counted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: Rupiah of it that went back to the shopper.
    returned: Mapped[int] = mapped_column(default=0)

    @property
    def left(self) -> int:
        """Rupiah on which nobody has decided, or that are on their way back."""
        return self.amount - self.counted - self.returned


class ReturnBatch(db.Model):  # type: ignore[name-defined]
    """Payments to shoppers that go out together: `proposed` by one person, `approved` by another, or `rejected`."""

    __tablename__ = "return_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime.datetime | None]
    rejected_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    rejected_at: Mapped[datetime.datetime | None]


class BankReturn(db.Model):  # type: ignore[name-defined]
    """Money that goes back to one shopper by bank: of a refund, or what is left of a held transfer."""

    __tablename__ = "bank_returns"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    held_id: Mapped[int | None] = mapped_column(ForeignKey("held_transfers.id"))
    amount: Mapped[int]
    #: `asked` (for an account), `given`, `proposed` (in a batch), `approved` or `paid`.
    state: Mapped[str] = mapped_column(default="asked")
    asked_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: None: by itself.
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    times_asked: Mapped[int] = mapped_column(Integer, default=1)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("return_batches.id"))
    #: Ours, that it was paid from.
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_accounts.id"))
    paid_on: Mapped[datetime.date | None]
    bank_reference: Mapped[str | None]
    paid_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ReturnAccount(db.Model):  # type: ignore[name-defined]
    """The shopper's account, until it is paid and 30 days at most. Seen by finance alone, in no log or export."""

    __tablename__ = "return_accounts"

    return_id: Mapped[int] = mapped_column(ForeignKey("bank_returns.id"), primary_key=True)
    bank: Mapped[str]
    number: Mapped[str]
    holder: Mapped[str]
    given_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
