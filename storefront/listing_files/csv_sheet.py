"""A CSV file as a sheet: UTF-8, UTF-16 or Windows-1252; semicolon, comma or tab."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from flask_babel import gettext as _

from storefront.listing_files.sheet import (
    LAST_ROW,
    MOST_COLUMNS,
    MOST_ROWS,
    BadListingFile,
    Sheet,
    too_many_rows,
    too_wide,
)

DELIMITERS = ";,\t"


def read_csv(content: bytes) -> Sheet:
    """The sheet; rows are read as they are asked for. Raises BadListingFile, while reading too."""
    encoding = _encoding(content)
    head = content[:20_000].decode(encoding, errors="ignore")
    if "\0" in head:
        raise BadListingFile()
    first = next((line for line in head.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    file = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, errors="replace", newline="")
    return Sheet(_rows(csv.reader(file, delimiter=delimiter)), delimiter=delimiter)


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows by number: as a spreadsheet counts, so that breaks within quotes are one row."""
    found = number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadListingFile(
                _(
                    "Baris %(row)d tidak dapat dibaca: mungkin ada tanda kutip yang tidak ditutup.",
                    row=number + 1,
                )
            ) from error
        number += 1
        if not any(cell.strip() for cell in row):
            continue
        found += 1
        if found > MOST_ROWS + 1:
            raise too_many_rows()
        if number > LAST_ROW or len(row) > MOST_COLUMNS:
            raise too_wide()
        yield number, [cell.replace("\0", "") for cell in row]


def _encoding(content: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return name
    start = content[:2000]
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
