"""Carts."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db


class Cart(db.Model):  # type: ignore[name-defined]
    """What a shopper has laid aside. Found by a random token, of which only the hash is kept."""

    __tablename__ = "carts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: SHA-256 of the token.
    token_hash: Mapped[bytes]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: Set: already ordered, closed.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    updated_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: District, city, province, for an estimate.
    place: Mapped[str | None]
    #: What happened when carts were put together (see `merge`), until it has been read.
    news: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))

    lines: Mapped[list[CartLine]] = relationship(order_by="CartLine.added_at")


class CartLine(db.Model):  # type: ignore[name-defined]
    """A variant in a cart, with the price that was shown when it was added."""

    __tablename__ = "cart_lines"

    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_shown: Mapped[int]
    added_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class KeptLine(db.Model):  # type: ignore[name-defined]
    """A variant beside a cart: put by for later (`saved`), or taken out (`removed`, `unsaved`) and to be had back."""

    __tablename__ = "kept_lines"

    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    shelf: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_shown: Mapped[int]
    added_at: Mapped[datetime.datetime]
    kept_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class CartKeeping(db.Model):  # type: ignore[name-defined]
    """From a day on: how many days a cart is kept that nobody touches."""

    __tablename__ = "cart_keeping"

    valid_from: Mapped[datetime.date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    legal_basis: Mapped[str]
