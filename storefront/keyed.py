"""Checks that only this shop can make, by which links and codes are told; and what only it can read."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


def keyed_check(purpose: str, text: str) -> bytes:
    """HMAC-SHA256 of `text` under a key of the purpose's own, derived from `SECRET_KEY`: 32 bytes.

    The same for ever while the secret stays: letters that were sent long ago rest on it.
    """
    key = hmac.digest(str(current_app.config["SECRET_KEY"]).encode(), purpose.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256")


def in_address(check: bytes) -> str:
    """A check as it stands in an address."""
    return base64.urlsafe_b64encode(check).rstrip(b"=").decode()


def sealed(purpose: str, content: bytes) -> bytes:
    """`content` encrypted and signed (Fernet) under a key of the purpose's own, derived from `SECRET_KEY`."""
    return _box(purpose).encrypt(content)


def opened(purpose: str, content: bytes) -> bytes | None:
    """What was sealed for this purpose; None when it was changed, or the secret has changed since."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(purpose).decrypt(content)
    except InvalidToken:
        return None


def _box(purpose: str) -> Fernet:
    from cryptography.fernet import Fernet  # six megabytes; few processes seal anything

    return Fernet(base64.urlsafe_b64encode(keyed_check(purpose, "sealed")))
