"""Carts."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
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

    lines: Mapped[list[CartLine]] = relationship(order_by="CartLine.added_at")


class CartLine(db.Model):  # type: ignore[name-defined]
    """A variant in a cart, with the price that was shown when it was added."""

    __tablename__ = "cart_lines"

    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_shown: Mapped[int]
    added_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
