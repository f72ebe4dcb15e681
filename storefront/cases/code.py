"""A case's number and its secret code: whoever holds both may read the answer, without an account.

The code is computed from the number's row and the shop's key, and never stored: the same on the page and in letters.
"""

from __future__ import annotations

import hmac
import re
import secrets

from sqlalchemy import select

from storefront.cases.models import Case
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyed import keyed_check
from storefront.people import attempts

#: Without the letters that are taken for digits.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALIKE = str.maketrans("OIL", "011")
#: 26 signs of 5 bits.
LENGTH, GROUP = 26, 4
NUMBER = re.compile(r"LP([0-9A-Z]{4})([0-9A-Z]{4})")


def new_number() -> str:
    """A number that tells nothing of how many there are."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(8))
    return f"LP-{signs[:4]}-{signs[4:]}"


def secret_code(case: Case) -> str:
    """The code of a case, in groups that can be written down."""
    number = int.from_bytes(keyed_check("storefront case code", f"{case.id}|{case.number}"))
    signs = "".join(SIGNS[(number >> (5 * place)) % 32] for place in range(LENGTH))
    return "-".join(signs[place : place + GROUP] for place in range(0, LENGTH, GROUP))


def plain(written: str) -> str:
    """A code or number as it was meant, whatever was written between its signs."""
    return re.sub(r"[^0-9A-Z]", "", written.upper()[:80])


def find(number: str, code: str) -> Case:
    """The case for somebody who holds its code. Raises NotFound alike for a wrong number and a wrong code."""
    known = NUMBER.fullmatch(plain(number))
    case: Case | None = None
    if known:
        written = "LP-" + "-".join(part.translate(ALIKE) for part in known.groups())
        case = db.session.scalar(select(Case).where(Case.number == written))
    expected = plain(secret_code(case)) if case is not None else "-" * LENGTH
    given = plain(code).translate(ALIKE)
    if not hmac.compare_digest(expected.encode(), given.encode()) or case is None:
        raise NotFound()
    return case


def open_case(number: str, code: str, address: str | None) -> Case:
    """The same for somebody at the network address `address`; wrong codes are counted, and committed at once.

    Raises NotFound for a wrong one, `attempts.TooManyTries` after many of them.
    """
    try:
        return find(number, code)
    except NotFound:
        attempt = attempts.begin("case_code", plain(number)[:20] or "-", address)
        db.session.commit()
        attempts.check(attempt)
        raise
