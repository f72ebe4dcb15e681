"""Cells and a listing as typed: what a cell means there, what stands there now, and how it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storefront.content_rule import clean
from storefront.listing_files import parts
from storefront.listing_files.columns import BY_KEY, COLUMNS, TAKEN_AWAY, UNITS, yes_no
from storefront.listing_files.words import Words
from storefront.listings.typed import blank_variant
from storefront.written import day, one_line, whole_number

LISTS = ("workshop", "category", "group", "scope")
#: Columns that are no part of a listing as typed.
APART = ("key", "photos", "alts", "alts_en")
#: Columns that are entries of a list of names or values.
OPTIONS = {
    f"{name}{place + 1}{tail}": (f"options{tail}", place)
    for name in ("option", "value")
    for place in (0, 1)
    for tail in ("", "_en")
}
#: On a variant that is listed already these change at once.
AT_ONCE = ("price", "lead_time", "capacity", "stock")


class Edit(NamedTuple):
    """Write `value` into a column; `slot` is the variant's place, None: the product's."""

    slot: int | None
    column: str
    value: str | bool


def meaning(column: str, cell: str, words: Words) -> str | bool | None:
    """What a filled cell says, in the form in which listings are typed; None: no word or day that we know."""
    if cell == TAKEN_AWAY:
        return "" if not BY_KEY[column].is_yes_no else None
    if column in LISTS:
        return words.id_of(column, cell)
    if BY_KEY[column].is_yes_no:
        return yes_no(cell)
    if column == "food_net_unit":
        return UNITS.get(cell.strip().casefold())
    if BY_KEY[column].is_day and day(cell) is None:
        return None
    return plain(column, cell)


def plain(column: str, text: str) -> str:
    """One way of writing each text, so that two can be compared."""
    if BY_KEY[column].is_number:
        number = whole_number(text)
        return one_line(text) if number is None else str(number)
    if BY_KEY[column].is_day:
        found = day(text)
        return one_line(text) if found is None else found.isoformat()
    if BY_KEY[column].part:
        return parts.plain(column, text)
    if column.startswith("description"):
        return clean(text)
    return one_line(text).upper() if column == "sku" else one_line(text)


def standing(content: Mapping[str, Any], slot: int | None, column: str) -> str | bool:
    """What a listing as typed holds in a column."""
    if column in OPTIONS:
        name, place = OPTIONS[column]
        return _at((content if slot is None else content["variants"][slot])[name], place)
    if BY_KEY[column].part:
        value = parts.standing(content, column)
        return value if isinstance(value, bool) else plain(column, value)
    if slot is None:
        return content[column] if column in LISTS else plain(column, content[column])
    value = content["variants"][slot][column]
    return value if isinstance(value, bool) else plain(column, value)


def _at(values: Sequence[str], place: int) -> str:
    return one_line(values[place]) if place < len(values) else ""


def write(content: dict[str, Any], edits: Sequence[Edit]) -> None:
    """Make a listing as typed say what the edits say; slots beyond its variants are new ones.

    What is written anew is English no more, unless the edits say that too.
    """
    for edit in sorted(edits, key=lambda edit: edit.column.endswith("_en")):
        while edit.slot is not None and edit.slot >= len(content["variants"]):
            content["variants"].append(blank_variant())
        row = content if edit.slot is None else content["variants"][edit.slot]
        if edit.column in OPTIONS:
            _write_option(row, edit)
        elif BY_KEY[edit.column].part:
            parts.write(content, edit.column, edit.value)
        else:
            row[edit.column] = edit.value


def _write_option(row: dict[str, Any], edit: Edit) -> None:
    name, place = OPTIONS[edit.column]
    values, english = [*row["options"], "", ""][:2], [*row["options_en"], "", ""][:2]
    if name == "options":
        values[place], english[place] = str(edit.value), ""
        row["options"] = values[: 2 if values[1] else 1 if values[0] else 0]
    else:
        english[place] = str(edit.value)
    # As long as what it says in English.
    row["options_en"] = english[: len(row["options"])] if any(english) else []


def shown(column: str, value: str | bool, words: Words) -> str:
    """A value as a cell holds it."""
    if column == "not_halal":
        return "ya" if value else ""  # of what is no food nobody says either
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    return words.written(column, value) if column in LISTS else value


def cells_of(content: Mapping[str, Any], slot: int, words: Words) -> dict[str, str]:
    """A variant's row of a file, unguarded; without the columns that stand apart."""
    return {
        column.key: shown(
            column.key, standing(content, None if column.of_product else slot, column.key), words
        )
        for column in COLUMNS
        if column.key not in APART
    }
