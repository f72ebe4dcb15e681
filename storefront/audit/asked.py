"""What an address asks of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping

from storefront.audit.trail import Asked
from storefront.written import days_between, one_line

#: Characters that each field takes.
LONGEST = {"who": 100, "action": 60, "subject": 200, "words": 100}


def asked_of(args: Mapping[str, str], facility: str | None) -> tuple[Asked, dict[str, str]]:
    """What is asked for by `who`, `action`, `subject`, `words`, `from` and `to`, and what is wrong with a day.

    `facility`: the code of one that the reader may see.
    """
    first, last, errors = days_between(args)
    lines = {name: one_line(args.get(name, ""))[:most] for name, most in LONGEST.items()}
    asked = Asked(facility=facility, first=first, last=last, **lines)
    return asked, errors


def said(args: Mapping[str, str]) -> dict[str, str]:
    """What the address says of all that, for the links of its page."""
    return {name: value for name in (*LONGEST, "facility", "from", "to") if (value := args.get(name, ""))}
