"""What was typed for a listing, as a draft keeps it: texts as they were written, so that nothing is ever lost.

The shape is the one of `blank()`; every leaf is a string, but for the yes-and-no of `made_to_order` and `is_active`.
`variants[].id` names a variant of the product, `variants[].photo` a photo of the draft; `document_key` of a paper is
set by whoever stores the file, never by a browser. `variants[].seen`: what the shop said at once when it was typed
(`at_once`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storefront.listings.listing import (
    FACT_KINDS,
    MOST_FACTS,
    MOST_OPTIONS,
    MOST_VARIANTS,
    PAPER_KINDS,
    ListedFood,
    ListedSizes,
    ListedVariant,
    Listing,
)

#: Longest texts that are kept at all, far beyond what is let through.
LONG, SHORT = 10_000, 1_200
TEXTS = ("title", "title_en", "description", "description_en", "workshop", "category", "group", "scope")
VARIANT_TEXTS = (
    "id", "sku", "price", "material_cost", "weight", "lead_time", "capacity", "stock", "photo",
)  # fmt: skip
FACT_TEXTS = ("kind", "label", "label_en", "value", "value_en")
FOOD_TEXTS = (
    "composition", "composition_en", "net_amount", "net_unit", "shelf_life_days", "best_before", "storage",
    "storage_en", "allergens", "allergens_en",
)  # fmt: skip
PAPER_TEXTS = ("kind", "number", "issued_by", "valid_until")
MOST_COLUMNS, MOST_ROWS = 8, 30


def blank() -> dict[str, Any]:
    """A draft in which nothing is written yet: one variant without options."""
    return {
        **dict.fromkeys(TEXTS, ""),
        "scope": "nationwide",
        "options": [],
        "options_en": [],
        "variants": [blank_variant()],
        "facts": [],
        "food": None,
        "papers": [],
        "sizes": None,
    }


def blank_variant() -> dict[str, Any]:
    return {
        **dict.fromkeys(VARIANT_TEXTS, ""),
        "seen": "",
        "options": [],
        "options_en": [],
        "made_to_order": False,
        "is_active": True,
    }


def kept(content: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`content` from outside in the shape of `blank()`: what does not belong is left out, the rest kept as typed.

    Papers keep the files that they had in `before`.
    """
    files = {paper["kind"]: paper.get("document_key") for paper in (before or {}).get("papers", ())}
    papers = [_texts(paper, PAPER_TEXTS) for paper in _maps(content.get("papers"), len(PAPER_KINDS))]
    food, sizes = content.get("food"), content.get("sizes")
    return {
        **_texts(content, TEXTS),
        "options": _list(content.get("options"), MOST_OPTIONS),
        "options_en": _list(content.get("options_en"), MOST_OPTIONS),
        "variants": [_variant(row) for row in _maps(content.get("variants"), MOST_VARIANTS)] or [blank_variant()],
        "facts": [_texts(row, FACT_TEXTS) for row in _maps(content.get("facts"), MOST_FACTS)],
        "food": _texts(food, FOOD_TEXTS) if isinstance(food, Mapping) else None,
        "papers": [{**paper, "document_key": files.get(paper["kind"])} for paper in papers],
        "sizes": _sizes(sizes) if isinstance(sizes, Mapping) else None,
    }


def typed(listing: Listing, photo_ids: Sequence[int] = ()) -> dict[str, Any]:
    """A listing as somebody would have typed it. `photo_ids`: of the draft's photos, in the listing's order."""
    return {
        "title": listing.title,
        "title_en": listing.title_en,
        "description": listing.description,
        "description_en": listing.description_en,
        "workshop": str(listing.workshop_id),
        "category": str(listing.category_id),
        "group": _text(listing.commodity_group_id),
        "scope": listing.delivery_scope,
        "options": list(listing.options),
        "options_en": list(listing.options_en),
        "variants": [_typed_variant(row, photo_ids) for row in listing.variants] or [blank_variant()],
        "facts": [{name: getattr(fact, name) for name in FACT_TEXTS} for fact in listing.facts],
        "food": _typed_food(listing.food) if listing.food else None,
        "papers": [
            {**{name: _text(getattr(paper, name)) for name in PAPER_TEXTS}, "document_key": paper.document_key}
            for paper in listing.papers
        ],
        "sizes": _typed_sizes(listing.sizes) if listing.sizes else None,
    }


def blank_fact(kind: str = FACT_KINDS[0]) -> dict[str, str]:
    return {**dict.fromkeys(FACT_TEXTS, ""), "kind": kind}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _typed_variant(row: ListedVariant, photo_ids: Sequence[int]) -> dict[str, Any]:
    return {
        "id": _text(row.id),
        "options": list(row.options),
        "options_en": list(row.options_en),
        "sku": row.sku,
        "price": _text(row.price),
        "material_cost": _text(row.material_cost),
        "weight": _text(row.weight_g),
        "made_to_order": row.made_to_order,
        "lead_time": _text(row.lead_time_days),
        "capacity": _text(row.weekly_capacity),
        "stock": _text(row.stock),
        "photo": str(photo_ids[row.photo - 1]) if row.photo and row.photo <= len(photo_ids) else "",
        "is_active": row.is_active,
        "seen": "",
    }


def _typed_food(food: ListedFood) -> dict[str, str]:
    return {name: _text(getattr(food, name)) for name in FOOD_TEXTS}


def _typed_sizes(sizes: ListedSizes) -> dict[str, Any]:
    return {
        "title": sizes.title,
        "title_en": sizes.title_en,
        "columns": list(sizes.columns),
        "columns_en": list(sizes.columns_en),
        "rows": list(sizes.rows),
        "cells": [list(row) for row in sizes.cells],
        "note": sizes.note,
        "note_en": sizes.note_en,
    }


def _variant(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_texts(row, (*VARIANT_TEXTS, "seen")),
        "options": _list(row.get("options"), MOST_OPTIONS),
        "options_en": _list(row.get("options_en"), MOST_OPTIONS),
        "made_to_order": row.get("made_to_order") is True,
        "is_active": row.get("is_active") is not False,
    }


def _sizes(sizes: Mapping[str, Any]) -> dict[str, Any]:
    columns, rows = _list(sizes.get("columns"), MOST_COLUMNS), _list(sizes.get("rows"), MOST_ROWS)
    written = sizes.get("cells")
    lines = [_list(line, MOST_COLUMNS) for line in written] if isinstance(written, list) else []
    lines = (lines + [[] for _row in rows])[: len(rows)]
    return {
        **_texts(sizes, ("title", "title_en", "note", "note_en")),
        "columns": columns,
        "columns_en": _list(sizes.get("columns_en"), MOST_COLUMNS),
        "rows": rows,
        "cells": [(line + [""] * len(columns))[: len(columns)] for line in lines],
    }


def _texts(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: _kept_text(row.get(name), LONG if name.startswith("description") else SHORT) for name in names}


def _list(value: Any, most: int) -> list[str]:
    return [_kept_text(text, SHORT) for text in value[:most]] if isinstance(value, list) else []


def _maps(value: Any, most: int) -> list[Mapping[str, Any]]:
    return [row for row in value[:most] if isinstance(row, Mapping)] if isinstance(value, list) else []


def _kept_text(value: Any, longest: int) -> str:
    # PostgreSQL keeps no NUL in a text.
    return str(value).replace("\0", "")[:longest] if isinstance(value, str | int) and value is not True else ""
