"""What stands beside an export file, so that a reader can check it and an auditor can make it again."""

from __future__ import annotations

import json
from typing import Any

from flask import current_app

from storefront.exports.columns import SALES
from storefront.exports.formats import Format
from storefront.exports.moment import rfc3339
from storefront.exports.sales import Source

#: Marks invented figures while DEMO is on (CONTRACT.md, "Reporting"). Never translated: it is a stamp.
DEMO_NOTE = "DATA CONTOH – angka rekaan"


def demo_note() -> str | None:
    """The mark that every export carries while DEMO is on."""
    return DEMO_NOTE if current_app.extensions["settings"].demo else None


def manifest(source: Source, format: Format, *, file: str, sha256: str, note: str | None) -> dict[str, Any]:
    """The manifest of the finished file; the same for the same export, so it says nothing of today."""
    found: dict[str, Any] = {
        "file": file,
        "export": "sales",
        "format": format.value,
        "row_count": source.totals.rows,
        "sums": source.totals.sums,
        "filters": source.selection.filters,
        "as_of": rfc3339(source.as_of),
        "sha256": sha256,
        "columns": [column.name for column in SALES],
        "currency": "IDR",
        "times": "UTC",
        "days": "Asia/Jakarta",
    }
    return found | ({"note": note} if note else {})


def as_json(found: dict[str, Any]) -> bytes:
    """The manifest as the file's bytes."""
    return json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n"
