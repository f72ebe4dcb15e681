"""Rows of a file as they were read, and the plan that stores those of one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storefront.listing_files.content import Edit
from storefront.listing_files.current import DraftSeen, ProductSeen
from storefront.written import one_line


@dataclass
class FileRow:
    """A row as it was read: texts of the filled cells by column, and what was found at once."""

    number: int
    cells: list[str]
    values: dict[str, str]
    faults: list[dict[str, str]] = field(default_factory=list)
    remarks: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[dict[str, str]] = field(default_factory=list)
    verdict: str = "same"

    def wrong(self, column: str, text: str) -> None:
        """The first sentence about a column stays."""
        if not any(fault["column"] == column for fault in self.faults):
            self.faults.append({"column": column, "text": text})

    @property
    def sku(self) -> str:
        return one_line(self.values.get("sku", "")).upper()

    @property
    def key(self) -> str:
        return one_line(self.values.get("key", ""))


class NamedPhoto(NamedTuple):
    """A photo that a row names, with what is to be seen on it."""

    name: str
    alt: str
    alt_en: str
    row: int


@dataclass
class Plan:
    """How the rows are stored, if no row has a fault."""

    rows: Sequence[FileRow]
    product: ProductSeen | None = None
    draft: DraftSeen | None = None
    #: Of the proposal or the draft; on nothing at all they make a new one.
    edits: list[Edit] = field(default_factory=list)
    #: Row → variant, and what changes at once: column → number, None: taken away.
    at_once: dict[int, tuple[int, dict[str, int | None]]] = field(default_factory=dict)
    photos: list[NamedPhoto] = field(default_factory=list)
    #: The draft that holds it, once it is stored.
    written_to: int | None = None

    @property
    def is_new(self) -> bool:
        return self.product is None and self.draft is None

    @property
    def has_fault(self) -> bool:
        return any(row.faults for row in self.rows)
