"""The columns of a file of listings: their headings, what they hold, and how a text is guarded in a cell.

The headings are part of the file's format, so they stay Indonesian in every language; English ones are read too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from storefront.listing_files.column_list import COLUMNS
from storefront.spreadsheet import FORMULA

#: Written into a cell, it takes away what stands there; an empty cell changes nothing.
EMPTIED = "(kosong)"
#: What it is read as: no text from outside holds this sign.
TAKEN_AWAY = "\0"
#: Rows with this product key are examples.
EXAMPLE = "CONTOH"
#: Heading of the column of reasons in an error file.
REASONS = "Alasan"
#: Between the names of photos, and between their descriptions.
PHOTO_BREAK, ALT_BREAK = ";", "|"

BY_KEY = {column.key: column for column in COLUMNS}
HEADINGS = tuple(column.heading for column in COLUMNS)
SCOPES = {
    "nationwide": "Seluruh Indonesia",
    "province": "Provinsi yang sama",
    "same_city": "Kota yang sama",
    "pickup": "Ambil sendiri",
}
YES, NO = ("ya", "y", "yes", "true", "1", "benar"), ("tidak", "t", "no", "n", "false", "0", "salah")
#: Units of food as people write them.
UNITS = {"g": "g", "gr": "g", "gram": "g", "ml": "ml", "mililiter": "ml", "pcs": "pcs", "buah": "pcs"}
#: A column → the one that says the same in English.
ENGLISH_OF = {column.key.removesuffix("_en"): column.key for column in COLUMNS if column.key.endswith("_en")}


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", heading.casefold())


_NAMES = {
    name: column.key
    for column in COLUMNS
    for name in map(_plain, (column.heading, column.english, column.key))
}


def keys_of(headings: Sequence[str]) -> list[str | None]:
    """The column that each heading names; None for one that we do not know, or that stands there twice."""
    seen: set[str] = set()
    keys: list[str | None] = []
    for heading in headings:
        key = _NAMES.get(_plain(heading))
        keys.append(key if key not in seen else None)
        if key:
            seen.add(key)
    return keys


def guarded(text: str) -> str:
    """A text as it stands in a cell: what a spreadsheet would run, or we would take otherwise, begins with `'`."""
    return f"'{text}" if FORMULA.match(text) or text.startswith("'") or text.strip() == EMPTIED else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    rest = text[1:]
    is_guard = text.startswith("'") and (
        FORMULA.match(rest) or rest.startswith("'") or rest.strip() == EMPTIED
    )
    return rest if is_guard else text


def read_cell(cell: str) -> str:
    """What a filled cell says: its text without the guard, or TAKEN_AWAY."""
    return TAKEN_AWAY if cell.strip().casefold() == EMPTIED else unguarded(cell)


def yes_no(text: str) -> bool | None:
    """`ya` or `tidak`, in the ways that people and spreadsheets write them; None for anything else."""
    plain = text.strip().casefold()
    return True if plain in YES else False if plain in NO else None
