"""*Pembeli di <kota>*: the one thing that is shown of who writes, so it must be a city and nothing else."""

from __future__ import annotations

import re

from sqlalchemy import exists, select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.match_places import keys_of
from storefront.shipping.models import City
from storefront.shipping.places import city_key

LONGEST = 60
LETTERS = re.compile(r"[^\W\d_][^\d_@:/<>]{1,59}")
#: What people call a city that is written otherwise.
NICKNAMES = {"solo": "surakarta", "jogja": "yogyakarta"}


def plain_city(written: str) -> str:
    """`written` as a city may be shown; empty when it cannot be one."""
    line = " ".join(written.split())
    return line if line and len(line) <= LONGEST and LETTERS.fullmatch(line) else ""


def is_known(city: str) -> bool:
    """Whether there is such a city or regency, as far as we know; the empty one is no secret either."""
    key = city_key(city)
    if not key or key in {city_key(name) for name in _of_facilities()}:
        return True
    return bool(db.session.scalar(select(exists().where(City.key.in_(keys_of(NICKNAMES.get(key, city)))))))


def _of_facilities() -> list[str]:
    return list(db.session.scalars(select(Facility.city).distinct()))
