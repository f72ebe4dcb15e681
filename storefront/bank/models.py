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
