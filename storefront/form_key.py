"""A form carries a random key: sent twice, it acts once. The tables that keep keys ask for the same shape."""

from __future__ import annotations

import re
import secrets

from flask_babel import lazy_gettext as _l

KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
#: Said where a form came without one.
TOO_OLD = _l("Formulir ini sudah terlalu lama terbuka. Periksa isinya, lalu kirim lagi.")


def new_key() -> str:
    """A key for a fresh form."""
    return secrets.token_urlsafe(18)


def is_key(written: str) -> bool:
    """Whether a form came with a key."""
    return bool(KEY.fullmatch(written))


def kept_key(written: str) -> str:
    """The key of a form that is shown again: its own, or a new one where that was none."""
    return written if is_key(written) else new_key()
