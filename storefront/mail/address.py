"""What counts as an e-mail address, wherever one is typed."""

from __future__ import annotations

import re

LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
#: Deliberately plain: what is wrong here would also be refused by a mail server.
EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})+")


def is_email(text: str) -> bool:
    """Whether `text` is one whole address, in letters of any case."""
    local = text.partition("@")[0]
    is_short = len(text) <= 254 and len(local) <= 64
    return bool(is_short and EMAIL.fullmatch(text.lower()) and ".." not in local and local[0] != ".")
