"""Questions that were answered in public, as everybody reads them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: On the page of its own.
PAGE = 20


@dataclass(frozen=True)
class PublicLine:
    #: `asker` or `facility`.
    by: str
    body: str
    at: datetime.datetime


@dataclass(frozen=True)
class PublicQuestion:
    id: int
    city: str
    is_buyer: bool
    #: Of the asker.
    locale: str
    lines: tuple[PublicLine, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PublicQuestion:
        lines = tuple(
            PublicLine(line["by"], line["body"], datetime.datetime.fromisoformat(line["at"]))
            for line in row["lines"]
        )
        return cls(row["id"], row["city"], row["is_buyer"], row["locale"], lines)
