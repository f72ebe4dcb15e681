"""What is taken back of a sale: the parts of refunds and the limit on them, and what lost disputes took."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, ForeignKeyConstraint, Integer, SmallInteger
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from storefront.extensions import db
from storefront.people.models import Proposal


class RefundLine(db.Model):  # type: ignore[name-defined]
    """What of an order line is given back."""

    __tablename__ = "refund_lines"

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    #: Pieces; 0: goodwill, nothing comes back.
    quantity: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int]
    #: `restock`, `write_off`, or `none` when they never left or stay with the buyer.
    pieces: Mapped[str]
    #: Whose pieces come first; None: of what has not left yet. `refund_pieces` says whose they are.
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"))


class RefundParcel(db.Model):  # type: ignore[name-defined]
    """Shipping of a parcel that is given back."""

    __tablename__ = "refund_parcels"

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)
    amount: Mapped[int]


class TakenFromShare:
    """Columns of what was taken back from a share of a line: by a refund, or a lost dispute."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[ForeignKeyConstraint]:
        share = ["order_line_shares.order_line_id", "order_line_shares.position"]
        return (ForeignKeyConstraint(["order_line_id", "position"], share),)

    order_line_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("funds.id"))
    amount: Mapped[int]


class RefundShare(TakenFromShare, db.Model):  # type: ignore[name-defined]
    """What a refund takes back from a share of a line; written when it succeeds."""

    __tablename__ = "refund_shares"

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    #: Odd steps take; an even one gives back what the step before took, when the refund came back: below zero.
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)


class RefundLimit(Proposal, db.Model):  # type: ignore[name-defined]
    """From so many rupiah of one order on a second person approves a refund, from a day on."""

    __tablename__ = "refund_limits"

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime.date]
    amount: Mapped[int]
    legal_basis: Mapped[str]
    #: None: what the shop is shipped with.
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # type: ignore[assignment]


class Dispute(db.Model):  # type: ignore[name-defined]
    """A payment that its payer's bank took back for now; `won` or `lost` in the end."""

    __tablename__ = "disputes"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    reference: Mapped[str]
    amount: Mapped[int]
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    closed_at: Mapped[datetime.datetime | None]


class DisputeShare(TakenFromShare, db.Model):  # type: ignore[name-defined]
    """What a lost dispute took back from a share of a line."""

    __tablename__ = "dispute_shares"

    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"), primary_key=True)


class DisputeParcel(db.Model):  # type: ignore[name-defined]
    """What a lost dispute took back of a parcel's shipping."""

    __tablename__ = "dispute_parcels"

    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"), primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)
    amount: Mapped[int]
