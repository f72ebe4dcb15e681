"""What an e-mail address looks like, wherever people write one."""

from __future__ import annotations

import re

#: Deliberately plain: what is wrong here would also be refused by a mail server.
LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})+")


def is_address(text: str) -> bool:
    """Whether `text`, in small letters, is an address that mail can be sent to."""
    local = text.partition("@")[0]
    return (
        len(text) <= 254
        and len(local) <= 64
        and bool(EMAIL.fullmatch(text))
        and ".." not in local
        and local[0] != "."
    )
