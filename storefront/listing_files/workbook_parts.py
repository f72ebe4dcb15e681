"""What calamine does not say of a workbook, from its XML, read in a stream: how large it is, before it is opened;
formulas, merged cells, percentages. Memory stays flat, and what is too large is refused as soon as that is seen.
"""

from __future__ import annotations

import io
import re
import xml.parsers.expat as expat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from storefront.listing_files.sheet import (
    LAST_ROW,
    MOST_COLUMNS,
    MOST_MEMBERS,
    MOST_ROWS,
    MOST_UNPACKED,
    BadListingFile,
    too_large_inside,
    too_many_rows,
    too_wide,
)

CHUNK = 64 * 1024
#: Tags of a sheet that say where something stands; none is longer than this.
TAGS = re.compile(
    rb"<(?:\w+:)?(row|c|f|v|is|mergeCell)(?=[\s/>])([^>]*)>"
)  # fmt: skip
LONGEST_TAG = 4096
REF = re.compile(rb'\br="([A-Z]{1,3})?(\d{1,7})"')
STYLE = re.compile(rb'\bs="(\d{1,5})"')
RANGE = re.compile(rb'ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


@dataclass
class Parts:
    """Of one sheet; rows from 1, columns from 0."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    #: First row, first column, last row, last column.
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    percents: set[tuple[int, int]] = field(default_factory=set)
    filled: int = 0

    def fill(self, row: int, column: int, is_new: bool, times: int = 1) -> None:
        """A cell that holds something; `is_new`: the first in its row. Raises BadListingFile beyond the limits."""
        if is_new:
            self.filled += times
            if self.filled > MOST_ROWS + 1:
                raise too_many_rows()
        if row > LAST_ROW or column >= MOST_COLUMNS:
            raise too_wide()


def open_zip(content: bytes) -> zipfile.ZipFile:
    """The workbook's archive, once what it says of its size is within the limits. Raises BadListingFile."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise BadListingFile() from error
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_UNPACKED:
        raise too_large_inside()
    return archive


def member_blocks(archive: zipfile.ZipFile, name: str, most: int = MOST_UNPACKED) -> Iterator[bytes]:
    """A member in blocks, never more than `most` bytes, whatever the archive says of it. Raises BadListingFile."""
    seen = 0
    try:
        with archive.open(name) as file:
            while block := file.read(CHUNK):
                seen += len(block)
                if seen > most:
                    raise too_large_inside()
                yield block
    except (
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        raise BadListingFile() from error


def small_member(archive: zipfile.ZipFile, name: str) -> bytes:
    return b"".join(member_blocks(archive, name, 4 * 1024 * 1024))


def xlsx_paths(archive: zipfile.ZipFile) -> list[str]:
    """Members that hold the sheets, in the workbook's order. Raises BadListingFile."""
    book = small_member(archive, "xl/workbook.xml")
    targets = {}
    for tag in re.findall(
        rb"<(?:\w+:)?Relationship\b[^>]*>", small_member(archive, "xl/_rels/workbook.xml.rels")
    ):
        found_id, target = re.search(rb'\bId="([^"]+)"', tag), re.search(rb'\bTarget="([^"]+)"', tag)
        if found_id and target:
            path = target[1].decode("utf-8", "replace")
            targets[found_id[1]] = path[1:] if path.startswith("/") else f"xl/{path}"
    found = re.findall(rb"<(?:\w+:)?sheet\b[^>]*\br:id=\"([^\"]+)\"", book) or re.findall(
        rb"<(?:\w+:)?sheet\b[^>]*\w+:id=\"([^\"]+)\"", book
    )
    return [targets.get(one, "") for one in found]


def percent_styles(archive: zipfile.ZipFile) -> set[bytes]:
    """Numbers of the cell styles that show percentages."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    styles = small_member(archive, "xl/styles.xml")
    formats = {b"9", b"10"}
    for tag in re.findall(rb"<(?:\w+:)?numFmt\b[^>]*>", styles):
        number, code = re.search(rb'numFmtId="(\d+)"', tag), re.search(rb'formatCode="([^"]*)"', tag)
        if number and code and b"%" in code[1]:
            formats.add(number[1])
    block = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    cells = re.findall(rb"<(?:\w+:)?xf\b[^>]*>", block[0]) if block else []
    return {
        str(place).encode()
        for place, tag in enumerate(cells)
        if (found := re.search(rb'numFmtId="(\d+)"', tag)) and found[1] in formats
    }


def xlsx_parts(archive: zipfile.ZipFile, path: str) -> Parts:
    """What stands where in a sheet. Raises BadListingFile."""
    parts, percents = Parts(), percent_styles(archive)
    row, column, is_new, rest = 0, -1, True, b""
    for block in member_blocks(archive, path):
        text = rest + block
        end = text.rfind(b"<")
        # A tag that is cut in two waits for its other half.
        cut = end if end >= 0 and b">" not in text[end:] and len(text) - end < LONGEST_TAG else len(text)
        text, rest = text[:cut], text[cut:]
        for tag in TAGS.finditer(text):
            kind, attributes = tag[1], tag[2]
            if kind == b"row":
                found = REF.search(attributes)
                row, column, is_new = int(found[2]) if found else row + 1, -1, True
            elif kind == b"c":
                found = REF.search(attributes)
                column = column_number(found[1]) if found and found[1] else column + 1
                style = STYLE.search(attributes) if percents else None
                if style and style[1] in percents:
                    parts.percents.add((row, column))
            elif kind == b"mergeCell":
                if (found := RANGE.search(attributes)) and len(parts.merged) < MOST_ROWS:
                    first, last = column_number(found[1]), column_number(found[3])
                    parts.merged.append((int(found[2]), first, int(found[4]), last))
            else:
                if kind == b"f":
                    parts.formulas.add((row, column))
                parts.fill(row, column, is_new)
                is_new = False
    return parts


def column_number(letters: bytes) -> int:
    """`A` is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


class _OdsWalk:
    """Follows the tables of an ODS file's content."""

    def __init__(self) -> None:
        self.sheets: list[Parts] = []
        self.row = self.next_row = self.column = 0
        self.is_new, self.depth = True, 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.buffer_text = True

    def refuse(self, *_: object) -> None:
        raise BadListingFile()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self.sheets.append(Parts())
            self.next_row = 1
        elif name == "table:table-row" and self.sheets:
            self.row, self.column, self.is_new = self.next_row, 0, True
            self.repeat = _times(attributes, "table:number-rows-repeated")
            self.next_row += self.repeat
        elif name in ("table:table-cell", "table:covered-table-cell") and self.sheets:
            self.cell(attributes)

    def cell(self, attributes: dict[str, str]) -> None:
        parts, times = self.sheets[-1], _times(attributes, "table:number-columns-repeated")
        if "office:value-type" in attributes or "table:formula" in attributes:
            parts.fill(self.next_row - 1, self.column + times - 1, self.is_new, self.repeat)
            self.is_new = False
            places = [
                (row, column)
                for row in range(self.row, self.next_row)
                for column in range(self.column, self.column + times)
            ]
            if "table:formula" in attributes:
                parts.formulas.update(places)
            if attributes.get("office:value-type") == "percentage":
                parts.percents.update(places)
        down, right = (
            _times(attributes, "table:number-rows-spanned"),
            _times(attributes, "table:number-columns-spanned"),
        )
        if (down > 1 or right > 1) and len(parts.merged) < MOST_ROWS:
            parts.merged.append((self.row, self.column, self.row + down - 1, self.column + right - 1))
        self.column += times


def _times(attributes: dict[str, str], name: str) -> int:
    found = attributes.get(name, "1")
    return int(found) if re.fullmatch(r"[0-9]{1,7}", found) else 1


def ods_parts(archive: zipfile.ZipFile) -> list[Parts]:
    """What stands where, for each sheet. Raises BadListingFile."""
    walk = _OdsWalk()
    try:
        for block in member_blocks(archive, "content.xml"):
            walk.parser.Parse(block)
        walk.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise BadListingFile() from error
    return walk.sheets
