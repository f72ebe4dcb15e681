"""Short links on labels and stands: `/p/<code>` leads to a variant's product or to a parcel."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.catalogue.models import ShortCode
from storefront.extensions import db

Kind = Literal["variant", "parcel"]
#: Crockford's base 32: no I, L, O, U, so that a code read aloud or by hand is read right.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: 40 random bits: short enough for a label, too many to walk.
LENGTH = 8
CODE = re.compile(rf"[{ALPHABET}]{{6,12}}")
MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})

VARIANT_SLUG = text(
    """SELECT p.slug FROM variants v JOIN products p ON p.id = v.product_id
        JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
        WHERE v.id = :id AND p.status = 'published'"""
)


@dataclass(frozen=True)
class Target:
    """What a code stands for."""

    kind: Kind
    id: int


def short_code(kind: Kind, target: int) -> str:
    """The code of a variant or parcel, made on first asking. Never commits."""
    while True:
        known = db.session.scalar(
            select(ShortCode.code).where(ShortCode.kind == kind, ShortCode.target == target)
        )
        if known is not None:
            return known
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        db.session.execute(
            upsert(ShortCode).values(code=code, kind=kind, target=target).on_conflict_do_nothing()
        )


def codes_of(kind: Kind, targets: Sequence[int]) -> dict[int, str]:
    """The codes of many variants or parcels, by their ids; those that have none yet get one. Never commits."""
    query = select(ShortCode.target, ShortCode.code).where(ShortCode.kind == kind, ShortCode.target.in_(targets))
    found = {row.target: row.code for row in db.session.execute(query)}
    return {target: found.get(target) or short_code(kind, target) for target in targets}


def resolve(code: str) -> Target | None:
    """What `code` stands for, forgiving small letters and I, L, O; None when there is no such code."""
    tidy = code.upper().translate(MISREAD)
    if not CODE.fullmatch(tidy):
        return None
    row = db.session.execute(
        select(ShortCode.kind, ShortCode.target).where(ShortCode.code == tidy)
    ).one_or_none()
    return None if row is None else Target(row.kind, row.target)


def product_slug_of(variant_id: int) -> str | None:
    """Where the public finds a variant; None while it is not on sale."""
    return db.session.execute(VARIANT_SLUG, {"id": variant_id}).scalar_one_or_none()
