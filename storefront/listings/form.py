"""A page's form as the content of a draft. What the form does not name stays as it was.

Fields are named by their path: `title`, `variants.0.price`, `food.storage`, `sizes.rows`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from storefront.listings.listing import FACT_KINDS, MOST_FACTS, MOST_OPTIONS, MOST_VARIANTS
from storefront.listings.typed import (
    FACT_TEXTS,
    FOOD_TEXTS,
    MOST_COLUMNS,
    TEXTS,
    VARIANT_TEXTS,
    blank_variant,
)

FLAGS = ("made_to_order", "is_active")


def content_of(form: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says, over the content that stood there `before`; in the shape of `typed`, not yet cut to it."""
    content = dict(before)
    content.update({name: _text(form, name) for name in TEXTS if name in form})
    for name in ("options", "options_en"):
        if f"{name}.0" in form:
            content[name] = _list(form, name)
    if "variants.0.price" in form:
        content["variants"] = _variants(form, before["variants"])
    if "facts.0.label" in form:
        content["facts"] = [
            {name: _text(form, f"facts.{n}.{name}") for name in FACT_TEXTS}
            for n in range(MOST_FACTS)
            if _text(form, f"facts.{n}.label") or _text(form, f"facts.{n}.value")
        ]
    if "food.composition" in form:
        food = {name: _text(form, f"food.{name}") for name in FOOD_TEXTS}
        content["food"] = food if any(value for name, value in food.items() if name != "net_unit") else None
    if "sizes.columns" in form:
        content["sizes"] = _sizes(form)
    return content


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n")


def _list(form: Mapping[str, str], name: str) -> list[str]:
    """A list's texts, without the empty ones at its end."""
    texts = [_text(form, f"{name}.{n}") for n in range(MOST_OPTIONS)]
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def _variants(form: Mapping[str, str], before: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for n in range(MOST_VARIANTS):
        stem = f"variants.{n}."
        if f"{stem}price" not in form:
            break
        row = {**blank_variant(), **(before[n] if n < len(before) else {})}
        row.update({name: _text(form, stem + name) for name in (*VARIANT_TEXTS, "seen") if stem + name in form})
        for name in ("options", "options_en"):
            if f"{stem}{name}.0" in form:
                row[name] = _list(form, f"{stem}{name}")
        # An unticked box is not sent: `flags` says that the boxes were there.
        if stem + "flags" in form:
            row.update({name: stem + name in form for name in FLAGS})
        rows.append(row)
    return rows


def _sizes(form: Mapping[str, str]) -> dict[str, Any] | None:
    """Columns on one line, each row on a line of its own: `Lebar dada: 50, 52`."""
    columns = [part.strip() for part in _text(form, "sizes.columns").split(",")] if form["sizes.columns"] else []
    lines = [line for line in _text(form, "sizes.rows").split("\n") if line.strip()]
    if not columns and not lines:
        return None
    split = [re.split(r"\s*:\s*", line, maxsplit=1) for line in lines]
    columns_en = _text(form, "sizes.columns_en")
    return {
        **{name: _text(form, f"sizes.{name}") for name in ("title", "title_en", "note", "note_en")},
        "columns": columns[:MOST_COLUMNS],
        "columns_en": [part.strip() for part in columns_en.split(",")] if columns_en.strip() else [],
        "rows": [parts[0].strip() for parts in split],
        "cells": [[cell.strip() for cell in parts[1].split(",")] if len(parts) > 1 else [] for parts in split],
    }


def rows_text(sizes: Mapping[str, Any] | None) -> str:
    """A table of sizes as it is typed, a line for each row."""
    if sizes is None:
        return ""
    return "\n".join(f"{row}: {', '.join(cells)}" for row, cells in zip(sizes["rows"], sizes["cells"], strict=True))


def blank_fact() -> dict[str, str]:
    return {**dict.fromkeys(FACT_TEXTS, ""), "kind": FACT_KINDS[0]}
