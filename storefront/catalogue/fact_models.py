"""What a product's page says beside its description, and who waits for something to be back."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class SizeTable(db.Model):  # type: ignore[name-defined]
    """Sizes as rows × columns, for one product or for all of a category; a product's own comes first."""

    __tablename__ = "size_tables"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: Empty: as in Indonesian.
    columns_en: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    rows: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: One list for each row.
    cells: Mapped[list[list[str]]] = mapped_column(ARRAY(Text))
    note: Mapped[str] = mapped_column(default="")
    note_en: Mapped[str] = mapped_column(default="")


class ProductFact(db.Model):  # type: ignore[name-defined]
    """One thing to be said of a product: a label and a value, in both languages."""

    __tablename__ = "product_facts"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: `material`, `care` or `detail`.
    kind: Mapped[str]
    label: Mapped[str]
    label_en: Mapped[str] = mapped_column(default="")
    value: Mapped[str]
    value_en: Mapped[str] = mapped_column(default="")


class ProductFood(db.Model):  # type: ignore[name-defined]
    """What a pack of food must say."""

    __tablename__ = "product_foods"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    composition: Mapped[str]
    composition_en: Mapped[str] = mapped_column(default="")
    net_amount: Mapped[int] = mapped_column(Integer)
    #: `g`, `ml` or `pcs`.
    net_unit: Mapped[str]
    #: Days that it keeps, counted from packing.
    shelf_life_days: Mapped[int | None] = mapped_column(Integer)
    #: Of what lies in the store, when it is one batch.
    best_before: Mapped[datetime.date | None]
    storage: Mapped[str]
    storage_en: Mapped[str] = mapped_column(default="")
    #: Empty: none.
    allergens: Mapped[str] = mapped_column(default="")
    allergens_en: Mapped[str] = mapped_column(default="")


class ProductPaper(db.Model):  # type: ignore[name-defined]
    """The paper behind a claim; without its number the claim is not made."""

    __tablename__ = "product_papers"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    #: `halal`, `not_halal`, `pirt`, `bpom`, `cosmetic` or `svlk`.
    kind: Mapped[str]
    #: Empty for `not_halal` alone.
    number: Mapped[str] = mapped_column(default="")
    issued_by: Mapped[str] = mapped_column(default="")
    #: Last day; None: until it is taken back.
    valid_until: Mapped[datetime.date | None]
    #: A private file.
    document_key: Mapped[str | None]


class CategoryNeed(db.Model):  # type: ignore[name-defined]
    """What products of a category must say before they are shown."""

    __tablename__ = "category_needs"

    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), primary_key=True)
    #: `food`, `registration`, `halal`, `cosmetic`, `svlk`, `material`, `care` or `sizes`.
    need: Mapped[str] = mapped_column(primary_key=True)


class StockAlert(db.Model):  # type: ignore[name-defined]
    """Somebody wants to be told when a variant is back. The row is the debt: it goes once they were told."""

    __tablename__ = "stock_alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    #: In small letters.
    email: Mapped[str]
    locale: Mapped[str]
    #: Keyed hash of the network that asked.
    network: Mapped[bytes | None]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: When the letter that asks for their word went.
    asked_at: Mapped[datetime.datetime | None]
    #: When they gave it.
    confirmed_at: Mapped[datetime.datetime | None]
