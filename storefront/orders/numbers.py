"""Numbers and ids that nobody can guess or walk."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Crockford's base 32: no I, L, O, U, so that a number survives being read aloud.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_system = secrets.SystemRandom()
_random: ContextVar[random.Random | None] = ContextVar("random", default=None)


def _choices(signs: str, count: int) -> str:
    return "".join((_random.get() or _system).choices(signs, k=count))


def new_order_number() -> str:
    """A random order number such as `KB-7Q2M-4XPA` (40 bits; the link's token is what protects it)."""
    signs = _choices(ALPHABET, 8)
    return f"KB-{signs[:4]}-{signs[4:]}"


def new_payment_id() -> str:
    """A random payment id of more than 128 bits."""
    return "pay_" + _choices(URL_SAFE, 24)


@contextmanager
def use_random(source: random.Random) -> Iterator[None]:
    """Take numbers from `source` instead of the system's: demo data of one seed get the same numbers."""
    token = _random.set(source)
    try:
        yield
    finally:
        _random.reset(token)
