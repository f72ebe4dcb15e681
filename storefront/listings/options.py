"""Variants by options: sizes × colours become rows; rows that are there keep what was typed, and their ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any

from flask_babel import gettext as _

from storefront.errors import Invalid
from storefront.listings.listing import MOST_VARIANTS
from storefront.listings.typed import blank_variant
from storefront.written import one_line

#: What many rows may be given at once.
BULK = ("price", "stock", "weight", "material_cost", "lead_time", "capacity", "made_to_order", "is_active", "photo")
#: A new combination begins with these of the row that it grew from; pieces and SKUs are its own.
INHERITED = ("price", "material_cost", "weight", "made_to_order", "lead_time", "capacity", "photo")


def values_of(content: Mapping[str, Any], place: int) -> list[str]:
    """The values of the option at `place`, in the order in which rows name them."""
    named = [row["options"][place] for row in content["variants"] if len(row["options"]) > place]
    return list({value.casefold(): value for value in reversed(named) if value}.values())[::-1]


def split(written: str) -> list[str]:
    """`S, M, L` as values, each once."""
    values = [value for value in map(one_line, written.replace("\n", ",").split(",")) if value]
    return list({value.casefold(): value for value in reversed(values)}.values())[::-1]


def combined(content: Mapping[str, Any], written: Sequence[str]) -> dict[str, Any]:
    """The content with a row for each combination of the values `written` for each option.

    A row with the same values stays; one that had fewer options grows into those that begin with its values. A row
    that no combination names is sold no more if the product has it, and is gone if it was only typed. Raises Invalid.
    """
    names = [one_line(name) for name in content["options"] if one_line(name)]
    values = [split(text) for text in written[: len(names)]]
    if not names or not all(values):
        raise Invalid({"options": _("Tulis nama pilihannya (misalnya Ukuran) dan nilainya (misalnya S, M, L).")})
    wanted = list(product(*values))
    there = [dict(row) for row in content["variants"]]
    used: set[int] = set()
    rows = [_row(combination, there, used) for combination in wanted]
    gone = [
        {**row, "is_active": False} for n, row in enumerate(there) if n not in used and row["id"] and row["options"]
    ]
    if len(rows) + len(gone) > MOST_VARIANTS:
        raise Invalid({"options": _("Paling banyak %(n)d varian. Kurangi nilainya.", n=MOST_VARIANTS)})
    return {**content, "options": names, "variants": rows + gone}


def _row(combination: tuple[str, ...], there: list[dict[str, Any]], used: set[int]) -> dict[str, Any]:
    """The row of a combination: the one that has it, else the nearest that it grew from."""
    key = [value.casefold() for value in combination]
    known = [[value.casefold() for value in row["options"]] for row in there]
    for length in range(len(key), -1, -1):
        for n, options in enumerate(known):
            if options == key[:length]:
                return _grown(there[n], combination, n, used, same=length == len(key))
    source = there[0] if there else blank_variant()
    return {**blank_variant(), **{name: source[name] for name in INHERITED}, "options": list(combination)}


def _grown(
    row: dict[str, Any], combination: tuple[str, ...], n: int, used: set[int], *, same: bool
) -> dict[str, Any]:
    options = {"options": list(combination), "options_en": row["options_en"] if same else []}
    if n not in used:
        used.add(n)
        return {**row, **options}
    return {**blank_variant(), **{name: row[name] for name in INHERITED}, **options}


def translated(content: Mapping[str, Any], written: Sequence[str]) -> dict[str, Any]:
    """The content with English values for each option, written in the order of the Indonesian ones."""
    tables: list[dict[str, str]] = []
    for place, text in enumerate(written[: len(content["options"])]):
        english = [one_line(value) for value in text.split(",")]
        tables.append(
            {value.casefold(): english[n] for n, value in enumerate(values_of(content, place)) if n < len(english)}
        )
    rows = [
        {**row, "options_en": _english(row["options"], tables)} if any(tables) else dict(row)
        for row in content["variants"]
    ]
    return {**content, "variants": rows}


def _english(options: Sequence[str], tables: Sequence[Mapping[str, str]]) -> list[str]:
    found = [table.get(value.casefold(), "") for value, table in zip(options, tables, strict=False)]
    return found if all(found) else []


def filled(content: Mapping[str, Any], picked: Collection[int], name: str, value: str) -> dict[str, Any]:
    """The content with one field of the rows `picked` (all, if none) set. Raises Invalid."""
    if name not in BULK:
        raise Invalid({"bulk": _("Pilih dulu apa yang mau diisi.")})
    given: str | bool = value == "1" if name in ("made_to_order", "is_active") else value
    rows = [
        {**row, name: given} if not picked or n in picked else dict(row) for n, row in enumerate(content["variants"])
    ]
    return {**content, "variants": rows}


def without(content: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The content without a row; one that the product has is sold no more instead."""
    rows = [dict(row) for row in content["variants"]]
    if 0 <= place < len(rows):
        if rows[place]["id"]:
            rows[place]["is_active"] = False
        elif len(rows) > 1:
            del rows[place]
    return {**content, "variants": rows}
