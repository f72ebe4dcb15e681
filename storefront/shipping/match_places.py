"""Which city an address means, as far as a courier's price depends on it.

A name is matched without regard to case or a leading *Kota* or *Kabupaten*. Where a city and a regency share it
(Kota Bogor, Kabupaten Bogor) the district decides, then the word before the name, then the postal code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Text, and_, any_, exists, literal, select

from storefront.extensions import db
from storefront.shipping.models import City, District, PostalCode
from storefront.shipping.places import city_kind, district_key, municipality_key, whole_key

#: The municipalities that people mean by the name of the capital.
OF_THE_CAPITAL = tuple("jakarta" + part for part in ("pusat", "utara", "barat", "selatan", "timur"))


class Whereabouts(NamedTuple):
    """Somewhere in a known province, the rest as people write it; what is not known stays empty."""

    province_id: int
    city: str
    district: str = ""
    postal_code: str = ""


class Candidate(NamedTuple):
    """A city whose name fits, with one of its districts whose name was asked for (None: it has none)."""

    city_id: int
    province_id: int
    key: str
    kind: str
    name: str
    town: str
    district: str | None


def towns(wanted: Sequence[Whereabouts]) -> list[str | None]:
    """What a courier counts as the city of each; empty where the city is unknown or may be one of several.

    None while the shop has no list of cities. One query; more only where names leave a doubt.
    """
    found: dict[tuple[int, str], list[Candidate]] = {}
    for candidate in candidates(wanted):
        found.setdefault((candidate.province_id, candidate.key), []).append(candidate)
    results: list[str | None] = []
    for place in wanted:
        fitting = [each for key in keys_of(place.city) for each in found.get((place.province_id, key), ())]
        if fitting:
            results.append(decide(fitting, place))
        else:
            results.append("" if places_are_known() else None)
    return results


@lru_cache(maxsize=2048)
def keys_of(city: str) -> tuple[str, ...]:
    """The keys that a city's name may have in the list."""
    key = municipality_key(city)
    if key == "jakarta":
        return OF_THE_CAPITAL
    # Kabupaten Kotabaru is also written Kota Baru.
    return tuple({key, whole_key(city)} - {""})


def candidates(wanted: Collection[Whereabouts]) -> list[Candidate]:
    """The cities whose names fit any of `wanted`, once for each district of theirs whose name fits any too."""
    keys = {key for place in wanted for key in keys_of(place.city)}
    if not keys:
        return []
    district_keys = {district_key(place.district) for place in wanted} - {""}
    rows = db.session.execute(
        select(City.id, City.province_id, City.key, City.kind, City.name, City.town, District.key)
        .outerjoin(District, and_(District.city_id == City.id, District.key == _any_of(district_keys, Text)))
        .where(City.province_id == _any_of({place.province_id for place in wanted}, BigInteger))
        .where(City.key == _any_of(keys, Text))
        .order_by(City.code)
    ).all()
    return [Candidate._make(row) for row in rows]


def decide(fitting: Sequence[Candidate], place: Whereabouts) -> str:
    """The one city among `fitting` that is meant; empty when that stays in doubt."""
    for left in _narrower(fitting, place):
        names = {each.town for each in left}
        if len(names) == 1:
            return names.pop()
    using = _using(place.postal_code, {each.city_id for each in fitting})
    names = {each.town for each in fitting if each.city_id in using}
    return names.pop() if len(names) == 1 else ""


def _any_of(values: Collection[Any], kind: Any) -> Any:
    """One parameter however many values there are: IN would make a statement of its own for each number."""
    return any_(literal(list(values), ARRAY(kind)))


def places_are_known() -> bool:
    """Whether the list of cities was loaded at all."""
    return bool(db.session.scalar(select(exists(select(City.id)))))


def _narrower(fitting: Sequence[Candidate], place: Whereabouts) -> Iterator[list[Candidate]]:
    """All of `fitting`, those that have the district, and those of the kind that the name begins with."""
    yield list(fitting)
    district, kind = district_key(place.district), city_kind(place.city)
    yield [each for each in fitting if district and each.district == district]
    yield [each for each in fitting if each.kind == kind]


def _using(postal_code: str, city_ids: Collection[int]) -> set[int]:
    """Those of the cities that use the postal code."""
    query = (
        select(District.city_id)
        .join(PostalCode, PostalCode.district_id == District.id)
        .where(PostalCode.code == postal_code, District.city_id.in_(city_ids))
    )
    return set(db.session.scalars(query)) if postal_code else set()
