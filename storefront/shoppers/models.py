"""Saved addresses and wishes."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class SavedAddress(db.Model):  # type: ignore[name-defined]
    """Where a person has things sent; seen by its owner alone. An order copies it, and never follows it."""

    __tablename__ = "saved_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: What its owner calls it (*Rumah*), may be empty.
    label: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    #: `+62…`
    phone: Mapped[str | None]
    line1: Mapped[str]
    district: Mapped[str]
    city: Mapped[str]
    province: Mapped[str]
    postal_code: Mapped[str]
    #: Offered first; at most one of a person.
    is_preferred: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class Wish(db.Model):  # type: ignore[name-defined]
    """A product that a person would like to have."""

    __tablename__ = "wishes"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    #: The lowest price when it was saved, rupiah.
    price_saved: Mapped[int]
    saved_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
