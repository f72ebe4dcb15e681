"""What an address asks of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from storefront.audit.trail import Asked
from storefront.written import day, one_line

#: Characters that each field takes.
LONGEST = {"who": 100, "action": 60, "subject": 200, "words": 100}


def asked_of(args: Mapping[str, str], facility: str | None) -> tuple[Asked, dict[str, str]]:
    """What is asked for by `who`, `action`, `subject`, `words`, `from` and `to`, and what is wrong with a day.

    `facility`: the code of one that the reader may see.
    """
    texts = {name: args.get(name, "").strip() for name in ("from", "to")}
    days = {name: day(text) for name, text in texts.items()}
    errors = {
        name: _("Tulis tanggalnya seperti 2026-11-30.") for name, text in texts.items() if text and days[name] is None
    }
    if not errors and days["from"] and days["to"] and days["from"] > days["to"]:
        errors["to"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    lines = {name: one_line(args.get(name, ""))[:most] for name, most in LONGEST.items()}
    asked = Asked(facility=facility, first=days["from"], last=days["to"], **lines)
    return asked, errors


def said(args: Mapping[str, str]) -> dict[str, str]:
    """What the address says of all that, for the links of its page."""
    return {name: value for name in (*LONGEST, "facility", "from", "to") if (value := args.get(name, ""))}
