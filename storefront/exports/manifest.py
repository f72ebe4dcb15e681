"""What stands beside an export file, so that a reader can check it and an auditor can make it again."""

from __future__ import annotations

import json
from typing import Any

from flask import current_app

#: Marks invented figures while DEMO is on (CONTRACT.md, "Reporting"). Never translated: it is a stamp.
DEMO_NOTE = "DATA CONTOH – angka rekaan"


def demo_note() -> str | None:
    """The mark that every export carries while DEMO is on."""
    return DEMO_NOTE if current_app.extensions["settings"].demo else None


def as_json(found: dict[str, Any]) -> bytes:
    """The manifest as the file's bytes."""
    return json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n"
