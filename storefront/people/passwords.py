"""Passwords: how they are kept, compared and refused.

OWASP ASVS 5.0, 6.2: at least ten characters, any characters, none of the common ones; argon2id at rest.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _

from storefront.errors import Invalid

MIN_LENGTH = 10
#: Longer ones only cost time to hash.
MAX_LENGTH = 200
#: Of a password, at least so many characters must differ.
MIN_DIFFERENT = 4
COMMON = Path(__file__).with_name("common_passwords.txt")

#: What an account without a password keeps in its place.
NO_PASSWORD = "!"  # noqa: S105 - the absence of one

#: argon2id with the parameters that OWASP names for servers (19 MiB, two passes, one lane).
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash of `password`, with its salt and parameters."""
    return _hasher.hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one behind `password_hash`.

    Without a hash (no such account, or one without a password) it takes as long and says no, so that time tells
    nothing.
    """
    if password_hash == NO_PASSWORD:
        password_hash = None
    try:
        _hasher.verify(password_hash or _nobody(), _normal(password[: MAX_LENGTH + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with older parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check_new(password: str, *, email: str = "", name: str = "") -> None:
    """Return only if `password` may be set for the person.

    Raises `Invalid` with the field `password`: too short, too long, common, or made of the person's own
    name or e-mail address.
    """
    normal = _normal(password)
    if len(normal) < MIN_LENGTH:
        raise Invalid({"password": _("Kata sandi paling sedikit %(count)d karakter.", count=MIN_LENGTH)})
    if len(normal) > MAX_LENGTH:
        raise Invalid({"password": _("Kata sandi paling banyak %(count)d karakter.", count=MAX_LENGTH)})
    plain = normal.casefold()
    if plain in common() or len(set(plain)) < MIN_DIFFERENT or _is_run(plain):
        raise Invalid(
            {"password": _("Kata sandi ini mudah ditebak. Pilih yang lain, misalnya empat kata acak.")}
        )
    if _holds_own_words(plain, email, name):
        raise Invalid({"password": _("Jangan memakai nama atau alamat surel Anda sebagai kata sandi.")})


@cache
def common() -> frozenset[str]:
    """Common passwords of ten or more characters, in lower case."""
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line.strip() and not line.startswith("#"))


def _normal(password: str) -> str:
    # The same letters typed on another keyboard may arrive composed differently.
    return unicodedata.normalize("NFC", password)


def _is_run(text: str) -> bool:
    """Whether `text` only counts up or down, such as `1234567890` or `abcdefghij`."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}


def _holds_own_words(plain: str, email: str, name: str) -> bool:
    words = {email.casefold(), email.casefold().partition("@")[0], name.casefold().replace(" ", "")}
    rest = min((len(plain.replace(word, "")) for word in words if len(word) >= 4), default=len(plain))
    return rest < MIN_LENGTH // 2


@cache
def _nobody() -> str:
    """A hash that no password is known for; made once, with today's parameters."""
    return _hasher.hash("nobody's password")
