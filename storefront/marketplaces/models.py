"""Marketplaces, their files of sales, and the orders that were booked from them."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.payments.gateway import MARKETPLACES


class Marketplace(db.Model):  # type: ignore[name-defined]
    """Where goods are sold beside the shop."""

    __tablename__ = "marketplaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    #: What we need (`sheet.COLUMNS`) → the heading over it in this marketplace's files.
    columns: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    #: The fee stands on each row of an order and counts once; else rows add up.
    fee_of_order: Mapped[bool] = mapped_column(default=False)
    added_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())

    @property
    def gateway(self) -> str:
        """By which name its money stands in the books."""
        return MARKETPLACES + self.code


class MarketplaceFile(db.Model):  # type: ignore[name-defined]
    """A file of one month: looked at row by row, then booked order by order."""

    __tablename__ = "marketplace_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    marketplace_id: Mapped[int] = mapped_column(ForeignKey("marketplaces.id"))
    #: Its first day.
    month: Mapped[datetime.date]
    name: Mapped[str]
    #: [row number in the file, cell, cell …], cells as `sheet.COLUMNS` orders them.
    rows: Mapped[list[list[Any]]] = mapped_column(JSONB)
    fee_of_order: Mapped[bool] = mapped_column(default=False)
    #: `ready`, `booking` or `done`.
    state: Mapped[str] = mapped_column(default="ready")
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    booked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    done_at: Mapped[datetime.datetime | None]
    #: Order number → the sentence why it was not booked.
    refused: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)


class MarketplaceOrder(db.Model):  # type: ignore[name-defined]
    """An order here, and its number there."""

    __tablename__ = "marketplace_orders"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    marketplace_id: Mapped[int] = mapped_column(ForeignKey("marketplaces.id"))
    number: Mapped[str]
    file_id: Mapped[int] = mapped_column(ForeignKey("marketplace_files.id"))
    sold_on: Mapped[datetime.date]
