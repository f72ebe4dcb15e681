"""Facts, food, papers and sizes of many products as typed, and what categories ask for, each read at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Row, func, select

from storefront.catalogue.models import CategoryNeed, ProductFact, ProductFood, ProductPaper, SizeTable
from storefront.extensions import db
from storefront.listing_files.parts import SIZE_TEXTS
from storefront.listings.typed import FACT_TEXTS, FOOD_TEXTS, PAPER_TEXTS


def add_words(contents: Mapping[int, dict[str, Any]]) -> None:
    """Fill in facts, food, papers and sizes of products, by id, as `typed` writes them: four statements."""
    for row in _rows(ProductFact, contents, ProductFact.position):
        contents[row.product_id]["facts"].append(_texts(row, FACT_TEXTS))
    for row in _rows(ProductFood, contents, ProductFood.product_id):
        contents[row.product_id]["food"] = _texts(row, FOOD_TEXTS)
    for row in _rows(ProductPaper, contents, ProductPaper.kind):
        paper = {**_texts(row, PAPER_TEXTS), "document_key": row.document_key}
        contents[row.product_id]["papers"].append(paper)
    for row in _rows(SizeTable, contents, SizeTable.id):
        contents[row.product_id]["sizes"] = {
            **_texts(row, SIZE_TEXTS),
            **{name: list(getattr(row, name)) for name in ("columns", "columns_en", "rows")},
            "cells": [list(cells) for cells in row.cells],
        }


def _rows(model: Any, contents: Mapping[int, Any], order: Any) -> Sequence[Row[Any]]:
    """Rows of these products, as plain columns."""
    columns = select(*model.__table__.columns)
    return db.session.execute(
        columns.where(model.product_id == func.any(list(contents))).order_by(order)
    ).all()


def _texts(row: Any, names: Sequence[str]) -> dict[str, str]:
    values = {name: getattr(row, name) for name in names}
    return {name: "" if value is None else str(value) for name, value in values.items()}


class Asked:
    """What categories ask for."""

    @cached_property
    def needs(self) -> dict[int, set[str]]:
        """By category."""
        found: dict[int, set[str]] = {}
        for category_id, need in db.session.execute(select(CategoryNeed.category_id, CategoryNeed.need)):
            found.setdefault(category_id, set()).add(need)
        return found

    @cached_property
    def with_sizes(self) -> set[int]:
        """Categories that have a table of sizes themselves."""
        found = select(SizeTable.category_id).where(SizeTable.category_id.is_not(None))
        return set(db.session.scalars(found))
