"""Funds, split rules, accounts, journal entries, postings."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.people.models import Proposal


class SplitBasis(enum.StrEnum):
    """What a rule's shares divide: the line's net amount, or what is left after its material cost."""

    NET = "net"
    PROFIT = "profit"


class Fund(db.Model):  # type: ignore[name-defined]
    """Where a share goes. Three are shipped with the shop; further ones are data."""

    __tablename__ = "funds"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    #: In the shop.
    name: Mapped[str]
    name_en: Mapped[str]
    #: In finance.
    finance_name: Mapped[str]
    finance_name_en: Mapped[str]
    position: Mapped[int] = mapped_column(Integer)


class SplitRule(Proposal, db.Model):  # type: ignore[name-defined]
    """How a sale is divided, from a day on, in a scope; proposed by one person, approved by another."""

    __tablename__ = "split_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    workshop_id: Mapped[int | None] = mapped_column(ForeignKey("workshops.id"))
    commodity_group_id: Mapped[int | None] = mapped_column(ForeignKey("commodity_groups.id"))
    basis: Mapped[str]
    #: First accounting day in force.
    valid_from: Mapped[datetime.date]
    #: Last one; None: until a new rule follows.
    valid_to: Mapped[datetime.date | None]
    legal_basis: Mapped[str]
    #: The same for English pages; empty: the original is shown.
    legal_basis_en: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    #: The decree as a file, in the private part of the media store.
    document_key: Mapped[str | None]
    rejection_reason: Mapped[str] = mapped_column(default="")

    shares: Mapped[list[SplitRuleShare]] = relationship(order_by="SplitRuleShare.position")


class SplitRuleShare(db.Model):  # type: ignore[name-defined]
    """One share of a rule, in basis points; a rule's shares sum to 10,000."""

    __tablename__ = "split_rule_shares"

    split_rule_id: Mapped[int] = mapped_column(ForeignKey("split_rules.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("funds.id"))
    basis_points: Mapped[int] = mapped_column(Integer)

    fund: Mapped[Fund] = relationship()


class SplitRuleEnd(Proposal, db.Model):  # type: ignore[name-defined]
    """The end of a rule that no other follows, proposed by one person and approved by another."""

    __tablename__ = "split_rule_ends"

    id: Mapped[int] = mapped_column(primary_key=True)
    split_rule_id: Mapped[int] = mapped_column(ForeignKey("split_rules.id"))
    last_day: Mapped[datetime.date]
    reason: Mapped[str]


class Account(db.Model):  # type: ignore[name-defined]
    """A ledger account. It has no balance column: a balance is the sum of its postings."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Such as `clearing:sandbox` or `owed:PKL:premium`.
    code: Mapped[str]
    kind: Mapped[str]
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("funds.id"))
    gateway: Mapped[str | None]
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_accounts.id"))


class JournalEntry(db.Model):  # type: ignore[name-defined]
    """One business fact in the books; balanced, written once under a unique source."""

    __tablename__ = "journal_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    #: Accounting day (Asia/Jakarta) the fact counts on.
    effective_date: Mapped[datetime.date]
    #: The day it happened on, when the month of that day was closed before anybody knew of it.
    happened_on: Mapped[datetime.date | None]
    posted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    #: None: booked by the system.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    description: Mapped[str] = mapped_column(default="")

    postings: Mapped[list[Posting]] = relationship(order_by="Posting.id")


class Posting(db.Model):  # type: ignore[name-defined]
    """One side of an entry: debit > 0, credit < 0."""

    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entries.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount: Mapped[int]
    #: Its entry's accounting day, set by the database.
    effective_date: Mapped[datetime.date] = mapped_column(server_default=FetchedValue())
    #: The piece of work this share comes from.
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id"))

    account: Mapped[Account] = relationship()
