"""Finding places for somebody who fills in an address: what a postal code means, what can be chosen next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Select, select

from storefront.extensions import db
from storefront.shipping.addresses import POSTAL_CODE
from storefront.shipping.destinations import find_province
from storefront.shipping.match_places import keys_of
from storefront.shipping.models import City, District, PostalCode, Province
from storefront.shipping.places import city_kind, district_key, municipality_key, province_key

#: The parts of an address that a list of places knows, wide to narrow.
PLACE_FIELDS = ("province", "city", "district", "postal_code")
#: A word that is found in more districts is no help.
MOST_FOUND = 30


class Place(NamedTuple):
    """A district, and what it lies in."""

    code: str
    district: str
    city: str
    province: str
    city_id: int
    province_id: int
    town: str

    @property
    def label(self) -> str:
        """`Banyumanik, Kota Semarang, Jawa Tengah`."""
        return f"{self.district}, {self.city}, {self.province}"

    def values(self) -> dict[str, str]:
        """What it puts into the fields of an address."""
        return {"province": self.province, "city": self.city, "district": self.district}


@dataclass(frozen=True)
class Filled:
    """What can be filled in of what was left empty; `choices` while several districts fit."""

    values: Mapping[str, str]
    choices: Sequence[Place] = ()


def with_code(postal_code: str) -> list[Place]:
    """The districts that use a postal code."""
    if not POSTAL_CODE.fullmatch(postal_code):
        return []
    return _places(_query().join(PostalCode).where(PostalCode.code == postal_code))


def with_district(name: str, city: str = "", province: str = "") -> list[Place]:
    """The districts of that name, in the city and province where those are given."""
    key = district_key(name)
    found = _places(_query().where(District.key == key)) if key else []
    return [place for place in found if _lies_in(place, {"province": province, "city": city})]


def search_places(text: str) -> list[Place]:
    """The districts that somebody means who writes a postal code, a district, `district, city`, or a city.

    Empty when nothing fits, or too much.
    """
    words = " ".join(text.split())
    if words.replace(" ", "").isdecimal():
        return with_code(words.replace(" ", ""))
    name, _, wider = (part.strip() for part in words.partition(","))
    city, _, province = (part.strip() for part in wider.partition(","))
    found = with_district(name, city, province)
    if not found and not wider:
        ids = [row[1] for row in cities_named(name)]
        # A price is the same in all of a city: its first district stands for it.
        inside = _places(_query().where(City.id.in_(ids))) if ids else []
        found = list({(place.town, place.province_id): place for place in reversed(inside)}.values())
    return found[:MOST_FOUND]


def fill(values: Mapping[str, str], chosen: str = "") -> Filled:
    """What the postal code, or the only code of the district, says about the fields of `values` left empty.

    `chosen` is the code of one of the districts offered. What was typed is never replaced.
    """
    typed = {name: values.get(name, "").strip() for name in PLACE_FIELDS}
    if not typed["postal_code"]:
        return Filled(_only_code(typed))
    fitting = [place for place in with_code(typed["postal_code"]) if _lies_in(place, typed)]
    narrowed = [place for place in fitting if place.code == chosen] or fitting
    found = {}
    for name in ("province", "city", "district"):
        known = {place.values()[name] for place in narrowed}
        if not typed[name] and len(known) == 1:
            found[name] = known.pop()
    return Filled(found, narrowed if len(narrowed) > 1 and not typed["district"] else ())


def choices_for(values: Mapping[str, str]) -> dict[str, list[str]]:
    """What can be chosen for city, district and postal code, given what stands in the wider fields."""
    province = find_province(values.get("province", ""))
    if province is None:
        return {"city": [], "district": [], "postal_code": []}
    cities = db.session.execute(
        select(City.id, City.name, City.key).where(City.province_id == province.id).order_by(City.name)
    ).all()
    keys, kind = keys_of(values.get("city", "")), city_kind(values.get("city", ""))
    meant = [row for row in cities if row.key in keys and (kind is None or row.name.lower().startswith(kind))]
    districts: Sequence[str] = ()
    codes: Sequence[str] = ()
    if meant:
        in_city = District.city_id.in_([row.id for row in meant])
        districts = db.session.scalars(select(District.name).where(in_city).order_by(District.name)).all()
        key = district_key(values.get("district", ""))
        used = select(PostalCode.code).join(District).where(in_city, District.key == key).distinct()
        codes = db.session.scalars(used.order_by(PostalCode.code)).all() if key else ()
    return {
        "city": [row.name for row in cities],
        "district": list(dict.fromkeys(districts)),
        "postal_code": list(codes),
    }


def codes_of(place: Place) -> Sequence[str]:
    """The postal codes that a district uses."""
    query = select(PostalCode.code).join(District).where(District.code == place.code)
    return db.session.scalars(query.order_by(PostalCode.code)).all()


def _only_code(typed: Mapping[str, str]) -> dict[str, str]:
    """The district's postal code, where district and city leave no doubt and it has just one."""
    if not (typed["province"] and typed["city"] and typed["district"]):
        return {}
    codes = choices_for(typed)["postal_code"]
    return {"postal_code": codes[0]} if len(codes) == 1 else {}


def _lies_in(place: Place, typed: Mapping[str, str]) -> bool:
    """Whether what was typed of province, city and district is true of the place."""
    province, city, district = (typed.get(name, "") for name in ("province", "city", "district"))
    if province and province_key(province) != province_key(place.province):
        return False
    if city and municipality_key(place.city) not in keys_of(city):
        return False
    if city and (kind := city_kind(city)) and not place.city.lower().startswith(kind):
        return False
    return not district or district_key(district) == district_key(place.district)


def _query() -> Select[*tuple[str, str, str, str, int, int, str]]:
    return (
        select(District.code, District.name, City.name, Province.name, City.id, Province.id, City.town)
        .join(City, City.id == District.city_id)
        .join(Province, Province.id == City.province_id)
        .order_by(District.code)
    )


def _places(query: Select[*tuple[str, str, str, str, int, int, str]]) -> list[Place]:
    return [Place._make(row) for row in db.session.execute(query)]


def cities_named(name: str) -> Sequence[tuple[str, int, int, str]]:
    """The cities that people mean by `name`, anywhere: name, id, province's id and name.

    Those of the kind that the name begins with, where there are any.
    """
    query = (
        select(City.name, City.id, City.province_id, Province.name)
        .join(Province, Province.id == City.province_id)
        .where(City.key.in_(keys_of(name)))
        .order_by(City.code)
    )
    rows = [(row[0], row[1], row[2], row[3]) for row in db.session.execute(query)]
    kind = city_kind(name)
    return [row for row in rows if kind and row[0].lower().startswith(kind)] or rows
