"""Checks that only this shop can make: what links, codes and hashed addresses are told by."""

from __future__ import annotations

import base64
import hmac

from flask import current_app


def keyed_check(purpose: str, text: str) -> bytes:
    """HMAC-SHA256 of `text` under a key of the purpose's own, derived from `SECRET_KEY`: 32 bytes.

    The same for ever while the secret stays: letters that were sent long ago rest on it.
    """
    key = hmac.digest(str(current_app.config["SECRET_KEY"]).encode(), purpose.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256")


def in_address(check: bytes) -> str:
    """A check as it stands in an address."""
    return base64.urlsafe_b64encode(check).rstrip(b"=").decode()
