"""Quotes, their lines, who accepted them, and papers with a number."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db


class QuoteState(enum.StrEnum):
    """The life of a quote; allowed steps stand in the table `quote_transitions`."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    REVISED = "revised"


class PaperKind(enum.StrEnum):
    """Papers that institutions need, each counted for itself."""

    QUOTE = "quote"
    ORDER_LETTER = "order_letter"
    INVOICE = "invoice"
    RECEIPT = "receipt"
    DELIVERY_NOTE = "delivery_note"
    HANDOVER = "handover"


class Quote(db.Model):  # type: ignore[name-defined]
    """What a facility offers to who asked. Once sent it stays; one that takes its place points to it."""

    __tablename__ = "quotes"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiries.id"))
    #: The one of the same enquiry that came before it.
    former_id: Mapped[int | None] = mapped_column(ForeignKey("quotes.id"))
    #: `PKL-2026-12`, given when it is sent.
    number: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=QuoteState.DRAFT.value)
    #: First instalment, in basis points of the total; 10,000: all at once.
    deposit_bp: Mapped[int] = mapped_column(Integer, default=5_000)
    #: Days after acceptance in which the first instalment is paid.
    first_days: Mapped[int] = mapped_column(Integer, default=7)
    #: Days after those in which the rest is paid.
    rest_days: Mapped[int] = mapped_column(Integer, default=30)
    method_id: Mapped[int] = mapped_column(ForeignKey("shipping_methods.id"))
    shipping_amount: Mapped[int] = mapped_column(default=0)
    #: Last day on which it can be accepted.
    valid_until: Mapped[datetime.date]
    notes: Mapped[str] = mapped_column(default="")
    #: Raised to revoke the link.
    token_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    written_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    sent_at: Mapped[datetime.datetime | None]
    #: Accepted, declined, expired or revised.
    ended_at: Mapped[datetime.datetime | None]

    lines: Mapped[list[QuoteLine]] = relationship(
        order_by="QuoteLine.position", cascade="all, delete-orphan", passive_deletes=False
    )

    @property
    def items_total(self) -> int:
        return sum(line.unit_price * line.quantity for line in self.lines)

    @property
    def total(self) -> int:
        return self.items_total + self.shipping_amount


class QuoteLine(db.Model):  # type: ignore[name-defined]
    """A listed work, or (without a variant) something made to measure, in words."""

    __tablename__ = "quote_lines"

    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    title: Mapped[str]
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"))
    #: Of what is made to measure, as are the two that follow.
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    #: Of one piece, in rupiah.
    material_cost: Mapped[int | None]
    weight_g: Mapped[int | None] = mapped_column(Integer)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[int]
    #: None: taken from the store.
    lead_time_days: Mapped[int | None] = mapped_column(Integer)


class QuoteAcceptance(db.Model):  # type: ignore[name-defined]
    """Who accepted a quote, and the one order that came of it. Erasable but for that."""

    __tablename__ = "quote_acceptances"

    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    accepted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    name: Mapped[str | None]
    #: In the institution, such as *Kepala Bagian Umum*.
    position: Mapped[str | None]
    institution: Mapped[str | None]
    erased_at: Mapped[datetime.datetime | None]


class QuoteStep(db.Model):  # type: ignore[name-defined]
    """When a quote came into a state; written by the database alone."""

    __tablename__ = "quote_steps"

    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class QuotePaper(db.Model):  # type: ignore[name-defined]
    """A paper with its number, without a gap for each facility, kind and year; the database counts."""

    __tablename__ = "quote_papers"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    kind: Mapped[str]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(Integer, server_default=FetchedValue())
    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"))
    #: Of an invoice and a receipt.
    instalment_id: Mapped[int | None] = mapped_column(ForeignKey("instalments.id"))
    #: Of a delivery note and a handover.
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"))
    issued_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
