"""Tills, their sessions, what was sold in them, what waits for a decision, and what came back."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, ForeignKeyConstraint, column, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


def _session() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["session_id", "exhibition_id"], ["till_sessions.id", "till_sessions.exhibition_id"]
    )


class Till(db.Model):  # type: ignore[name-defined]
    """Where cash lies at a fair."""

    __tablename__ = "tills"

    id: Mapped[int] = mapped_column(primary_key=True)
    exhibition_id: Mapped[int] = mapped_column(ForeignKey("exhibitions.id"))
    name: Mapped[str]
    #: Code of its account in the books.
    account: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class TillSession(db.Model):  # type: ignore[name-defined]
    """From the float to the count; amounts in rupiah."""

    __tablename__ = "till_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["till_id", "exhibition_id"], ["tills.id", "tills.exhibition_id"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    till_id: Mapped[int]
    exhibition_id: Mapped[int]
    opened_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    opened_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    opening_float: Mapped[int]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime.datetime | None]
    #: Pieces of each banknote and coin by its value, as text; None: counted as one sum.
    notes: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    counted: Mapped[int | None]
    #: What should have lain there when it was counted.
    expected: Mapped[int | None]
    explanation: Mapped[str] = mapped_column(default="")


class CounterSale(db.Model):  # type: ignore[name-defined]
    """A sale at a stand: whose till, how it was paid, and the key that makes it one. Append-only."""

    __tablename__ = "counter_sales"
    __table_args__ = (_session(),)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    exhibition_id: Mapped[int]
    session_id: Mapped[int]
    cashier_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str]
    #: SHA-256 of what was sent.
    request_hash: Mapped[bytes]
    #: `cash` or `gateway`.
    payment: Mapped[str]
    tendered: Mapped[int | None]
    change: Mapped[int | None]
    #: The moment that counts, and what the phone's clock said of it (None: sold with a line).
    sold_at: Mapped[datetime.datetime]
    phone_at: Mapped[datetime.datetime | None]
    received_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: It came after its session was closed.
    is_late: Mapped[bool] = mapped_column(default=False)


class CounterConflict(db.Model):  # type: ignore[name-defined]
    """A sale made without a line that does not fit what is known here: a person decides, once."""

    __tablename__ = "counter_conflicts"
    __table_args__ = (_session(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exhibition_id: Mapped[int]
    session_id: Mapped[int]
    cashier_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str]
    request_hash: Mapped[bytes]
    #: `price`, `stock`, `unknown_sku` or `unavailable`.
    reason: Mapped[str]
    #: Its lines (sku, quantity, unit_price) and what was tendered, as it came.
    sold: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: Rupiah that the buyer paid.
    total: Mapped[int]
    sold_at: Mapped[datetime.datetime]
    phone_at: Mapped[datetime.datetime]
    received_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    is_late: Mapped[bool] = mapped_column(default=False)
    #: `sold` after all, or `given_back`.
    settled: Mapped[str | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    settled_at: Mapped[datetime.datetime | None]
    note: Mapped[str] = mapped_column(default="")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))


class CounterVoid(db.Model):  # type: ignore[name-defined]
    """A refund at the stand, with the second person who agreed. Append-only."""

    __tablename__ = "counter_voids"

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    #: Whose cash it left.
    session_id: Mapped[int] = mapped_column(ForeignKey("till_sessions.id"))
    is_cash: Mapped[bool]
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    agreed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class CounterPin(db.Model):  # type: ignore[name-defined]
    """The number by which a second person says yes on somebody else's phone; only its hash."""

    __tablename__ = "counter_pins"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    pin_hash: Mapped[str]
    set_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class TillSettlement(db.Model):  # type: ignore[name-defined]
    """Cash of a closed session that finance brought to the bank, and a difference booked for good. Append-only."""

    __tablename__ = "till_settlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("till_sessions.id"))
    banked: Mapped[int]
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_accounts.id"))
    #: The number on the bank's slip; empty: not written down.
    bank_reference: Mapped[str] = mapped_column(default="")
    #: Over > 0, short < 0.
    difference: Mapped[int] = mapped_column(default=0)
    on_day: Mapped[datetime.date]
    note: Mapped[str] = mapped_column(default="")
    settled_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    settled_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    request_key: Mapped[str]


#: The database's own view: what each session took, gave back, banked, and what is left of it in the till.
SUMS = table(
    "till_session_sums",
    *map(
        column,
        (
            "session_id", "count", "sales", "given_back", "cash_sales", "late", "late_sales", "banked",
            "booked_difference", "left_in_till",
        ),
    ),
)  # fmt: skip
