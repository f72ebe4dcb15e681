"""Text in the cells of a CSV file that a spreadsheet may open."""

from __future__ import annotations

import re
from typing import Any

#: What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection").
FORMULA = re.compile(r"[=+@\t\r-]")


def guarded(cell: Any) -> Any:
    """The value of a cell; text that would be run as a formula gets a leading `'`, numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell
