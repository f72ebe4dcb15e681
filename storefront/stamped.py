"""Signed messages between programs: `t=<unix>,v1=<hex hmac-sha256 of "<t>.<body>">`, one `v1` for each secret."""

from __future__ import annotations

import hashlib
import hmac
import time


def stamp(body: bytes, *secrets: bytes) -> str:
    """The signature of a message that is sent now, by each of the secrets that may be in use at its receiver."""
    moment = str(int(time.time()))
    return ",".join([f"t={moment}", *(f"v1={stamp_hex(secret, moment, body)}" for secret in secrets)])


def stamp_hex(secret: bytes, moment: str, body: bytes) -> str:
    """The HMAC alone."""
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
