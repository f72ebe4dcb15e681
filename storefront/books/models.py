"""What becomes of the money after the sale: accounts, payouts, settlements, deposits, closed months."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.books import connect_models, taken_back_models  # noqa: F401 - made known with the others
from storefront.extensions import db
from storefront.people.models import Decision, Proposal


class FeeBearer(Proposal, db.Model):  # type: ignore[name-defined]
    """Who bears the provider's fees from a day on: a fund, or (None) the operator."""

    __tablename__ = "fee_bearers"

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime.date]
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("funds.id"))
    #: Needed when the fund is the state's revenue.
    legal_basis: Mapped[str] = mapped_column(default="")
    #: None: what the shop is shipped with.
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # type: ignore[assignment]


class BankAccount(Proposal, db.Model):  # type: ignore[name-defined]
    """A registered account; money lies nowhere else. Proposed by one person, approved by another."""

    __tablename__ = "bank_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: None: the central office.
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    #: The facility itself proposed it: then finance agrees, and nobody of the facility.
    from_facility: Mapped[bool] = mapped_column(default=False)
    bank: Mapped[str]
    number: Mapped[str]
    holder: Mapped[str]
    permission_letter: Mapped[str]
    valid_from: Mapped[datetime.date]
    valid_to: Mapped[datetime.date | None]
    #: Its last day as somebody proposes it; `valid_to` once a second person agrees.
    end_on: Mapped[datetime.date | None]
    end_proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    end_approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Payout(db.Model):  # type: ignore[name-defined]
    """Money that a gateway passed on to our bank."""

    __tablename__ = "payouts"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    reference: Mapped[str]
    amount: Mapped[int]
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    arrived_on: Mapped[datetime.date]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class Settlement(Proposal, db.Model):  # type: ignore[name-defined]
    """Paying a facility what a fund (or, None, shipping) owes it."""

    __tablename__ = "settlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("funds.id"))
    amount: Mapped[int]
    #: Where it goes: to a bank account, or (None) by transfers to the facility's account at the provider.
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_accounts.id"))
    connected_account_id: Mapped[int | None] = mapped_column(ForeignKey("connected_accounts.id"))
    #: `proposed`, `rejected`, `approved`, `paid` or `reversed`.
    state: Mapped[str] = mapped_column(default="proposed")
    note: Mapped[str] = mapped_column(default="")
    paid_on: Mapped[datetime.date | None]
    bank_reference: Mapped[str | None]
    #: Who wrote down that it was paid; somebody else must reverse it. None of transfers: the provider says so.
    paid_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: What its transfers came to, once none is under way.
    transferred: Mapped[int | None]
    transferred_at: Mapped[datetime.datetime | None]
    reversed_on: Mapped[datetime.date | None]
    reversed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reversal_reason: Mapped[str | None]

    @property
    def goes_by_transfer(self) -> bool:
        """Whether the provider sends it, rather than our bank."""
        return self.connected_account_id is not None


class Satker(db.Model):  # type: ignore[name-defined]
    """A paying unit as the treasury knows it, from a day on."""

    __tablename__ = "satkers"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    ministry_code: Mapped[str]
    unit_code: Mapped[str]
    office_code: Mapped[str]
    tax_number: Mapped[str]
    treasurer: Mapped[str]
    #: The treasury's account code for the revenue, six digits.
    revenue_account: Mapped[str]
    valid_from: Mapped[datetime.date]
    valid_to: Mapped[datetime.date | None]


class DepositDeadline(db.Model):  # type: ignore[name-defined]
    """Days from the money's arrival to the day its deposit is due, from a day on."""

    __tablename__ = "deposit_deadlines"

    valid_from: Mapped[datetime.date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    legal_basis: Mapped[str]


class Deposit(Proposal, db.Model):  # type: ignore[name-defined]
    """State revenue on its way to the treasury: billing code, then NTPN."""

    __tablename__ = "deposits"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    satker_id: Mapped[int] = mapped_column(ForeignKey("satkers.id"))
    amount: Mapped[int]
    due_on: Mapped[datetime.date]
    #: `proposed`, `rejected`, `approved`, `paid` or `reversed`.
    state: Mapped[str] = mapped_column(default="proposed")
    #: Fifteen digits from SIMPONI; it expires.
    billing_code: Mapped[str | None]
    billing_expires_at: Mapped[datetime.datetime | None]
    #: The bank's receipt number.
    ntb: Mapped[str | None]
    #: The treasury's receipt number, sixteen characters, unique.
    ntpn: Mapped[str | None]
    paid_on: Mapped[datetime.date | None]
    booked_on: Mapped[datetime.date | None]
    #: The slip, in the private part of the media store.
    proof_key: Mapped[str | None]
    #: Who wrote down that it was paid; somebody else must reverse it.
    paid_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reversed_on: Mapped[datetime.date | None]
    reversed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reversal_reason: Mapped[str | None]

    lines: Mapped[list[DepositLine]] = relationship()


class DepositLine(db.Model):  # type: ignore[name-defined]
    """A posting that a deposit carries: from the slip back to the piece of work."""

    __tablename__ = "deposit_lines"

    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposits.id"), primary_key=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), primary_key=True)
    #: Of a refund's posting: below zero.
    amount: Mapped[int]
    #: False once its deposit was rejected or reversed: the posting is free for another.
    is_living: Mapped[bool] = mapped_column(server_default=FetchedValue())


class PremiumDistribution(Decision, db.Model):  # type: ignore[name-defined]
    """A facility's record that premium was passed on; counted, never named."""

    __tablename__ = "premium_distributions"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"))
    distributed_on: Mapped[datetime.date]
    people: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int]
    #: `entered`, `approved` or `rejected`.
    state: Mapped[str] = mapped_column(default="entered")
    entered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    entered_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class BudgetReturn(Proposal, db.Model):  # type: ignore[name-defined]
    """Premium or capital that returned as budget, where a rule sends all to the state."""

    __tablename__ = "budget_returns"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    fund_id: Mapped[int] = mapped_column(ForeignKey("funds.id"))
    amount: Mapped[int]
    #: Of the disbursement order (SP2D) that brought it.
    reference: Mapped[str]
    returned_on: Mapped[datetime.date]
    #: The central office's account where it arrived.
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    #: `proposed`, `rejected` or `booked`.
    state: Mapped[str] = mapped_column(default="proposed")


class Correction(Proposal, db.Model):  # type: ignore[name-defined]
    """A correction of the books, with its reason and two people."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    effective_date: Mapped[datetime.date]
    #: `[{"account": code, "amount": rupiah}]`, debit > 0.
    legs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: `proposed`, `rejected` or `booked`.
    state: Mapped[str] = mapped_column(default="proposed")


class Period(db.Model):  # type: ignore[name-defined]
    """A month that was closed, with the hash of its postings chained to the month before."""

    __tablename__ = "periods"

    #: First day of the month.
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    #: `closed` or `reopened`.
    state: Mapped[str]
    closed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    closed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    hash: Mapped[bytes]
    previous_hash: Mapped[bytes | None]
    entries: Mapped[int]
    reopened_at: Mapped[datetime.datetime | None]
    reopened_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reopen_reason: Mapped[str | None]


class PeriodCheck(db.Model):  # type: ignore[name-defined]
    """All invariants checked before a month is closed, and what the month held then."""

    __tablename__ = "period_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: First day of the month.
    month: Mapped[datetime.date]
    asked_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: None while it runs.
    finished_at: Mapped[datetime.datetime | None]
    #: SHA-256 of the month's postings when they were checked.
    content: Mapped[bytes | None]
    #: `[{"name", "promise", "count"}]` of broken invariants; empty: all hold.
    broken: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
