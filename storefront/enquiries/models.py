"""A thread, its messages, and the asker's address apart from them."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Enquiry(db.Model):  # type: ignore[name-defined]
    """A thread about one product of one facility, or about one of its parcels."""

    __tablename__ = "enquiries"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `question`, or `large_order`: a wish for many pieces, or for something made to measure.
    kind: Mapped[str]
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    #: Asked from the page of this order.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    #: Of that order, where the parcel is meant rather than a work in it.
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    is_public: Mapped[bool]
    #: *Pembeli*, not *Calon pembeli*.
    is_buyer: Mapped[bool] = mapped_column(default=False)
    #: All that is shown of the asker.
    city: Mapped[str] = mapped_column(default="")
    locale: Mapped[str]
    #: Raised to revoke the link.
    token_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class CannedReply(db.Model):  # type: ignore[name-defined]
    """An answer that a facility keeps ready (`enquiries.canned`)."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    name: Mapped[str]
    body: Mapped[str]
    #: Empty: the Indonesian one is used for every asker.
    body_en: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    deleted_at: Mapped[datetime.datetime | None]


class EnquiryContact(db.Model):  # type: ignore[name-defined]
    """Where the answer is told; erasable without touching the thread."""

    __tablename__ = "enquiry_contacts"

    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiries.id"), primary_key=True)
    email: Mapped[str | None]
    erased_at: Mapped[datetime.datetime | None]


class EnquiryFile(db.Model):  # type: ignore[name-defined]
    """A drawing or list that came with a wish, in the private store."""

    __tablename__ = "enquiry_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiries.id"))
    key: Mapped[str]
    #: Bytes.
    size: Mapped[int] = mapped_column(Integer)


class EnquiryMessage(db.Model):  # type: ignore[name-defined]
    """One message of a thread. Until it is shown, its author alone sees it."""

    __tablename__ = "enquiry_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiries.id"))
    #: `asker` or `facility`.
    author: Mapped[str]
    #: Who wrote for the facility; never shown outside.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    body: Mapped[str]
    is_shown: Mapped[bool] = mapped_column(default=False)
    #: Of the form it came from: sent twice, it is said once.
    request_key: Mapped[str]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    erased_at: Mapped[datetime.datetime | None]
