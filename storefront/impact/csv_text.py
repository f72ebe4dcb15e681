"""A small public table as CSV: RFC 4180, UTF-8 with a byte order mark, no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from storefront.spreadsheet import guarded


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> str:
    """The table; text that looks like a formula gets a leading `'`, numbers stay numbers."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return "\ufeff" + file.getvalue()
