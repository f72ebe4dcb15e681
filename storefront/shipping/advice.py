"""Sentences beside the parts of an address that do not fit together. They advise; nobody is held up by them.

Addresses are messy: a new district, an old code, a name that only its neighbours use. What is typed stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from storefront.shipping.destinations import find_province
from storefront.shipping.find_places import Place, cities_named, codes_of, with_code, with_district
from storefront.shipping.match_places import places_are_known
from storefront.shipping.places import province_key

#: So many postal codes are named in a sentence.
MOST_CODES = 3


def advise(values: Mapping[str, str]) -> dict[str, str]:
    """For each field that does not fit the others, what would fit. Empty while no list of places is loaded.

    `values` holds province, city, district and postal_code as they were typed, any of them perhaps empty. An
    unknown province gets no sentence here: it is refused elsewhere.
    """
    province, city, district, code = (
        values.get(name, "").strip() for name in ("province", "city", "district", "postal_code")
    )
    if find_province(province) is None or not places_are_known():
        return {}
    found: dict[str, str] = {}
    of_code = with_code(code)
    everywhere = cities_named(city) if city else []
    cities = [row for row in everywhere if province_key(row[3]) == province_key(province)]
    in_province = with_district(district, province=province) if district else []
    districts = [place for place in in_province if place.city_id in {row[1] for row in cities}]
    if city and not cities:
        found["city"] = _about_city(everywhere, in_province, province)
    elif len(cities) > 1 and len({row[1] for row in cities}) > 1 and not districts and _is_twin(cities):
        names = _(" dan ").join(row[0] for row in cities)
        found["city"] = _("Ada %(cities)s. Tulis yang mana.", cities=names)
    if district and cities and not districts:
        found["district"] = _about_district(in_province, cities)
    if code and (sentence := _about_code(code, of_code, province, cities, districts)):
        found["postal_code"] = sentence
    return found


def fingerprint(advice: Mapping[str, str]) -> str:
    """A short name for advice that was given, so that nobody is stopped by the same advice twice."""
    if not advice:
        return ""
    text = "\n".join(f"{name}: {sentence}" for name, sentence in sorted(advice.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_twin(cities: Sequence[tuple[str, int, int, str]]) -> bool:
    """Whether the names are those of a city and a regency; the capital's municipalities are one to a courier."""
    return len({row[0].split()[0] for row in cities}) > 1


def _about_city(everywhere: Sequence[tuple[str, int, int, str]], in_province: Sequence[Place], province: str) -> str:
    if everywhere:
        name, _id, _province_id, other = everywhere[0]
        return _("%(city)s ada di provinsi %(province)s.", city=name, province=other)
    if len({place.city for place in in_province}) == 1:
        place = in_province[0]
        return _("Kecamatan %(district)s ada di %(city)s.", district=place.district, city=place.city)
    return _("Kota atau kabupaten ini tidak ada di daftar kami untuk %(province)s.", province=province)


def _about_district(in_province: Sequence[Place], cities: Sequence[tuple[str, int, int, str]]) -> str:
    if in_province:
        place = in_province[0]
        return _("Kecamatan %(district)s ada di %(city)s.", district=place.district, city=place.city)
    return _("Kecamatan ini tidak ada di daftar kami untuk %(city)s.", city=cities[0][0])


def _about_code(
    code: str,
    of_code: Sequence[Place],
    province: str,
    cities: Sequence[tuple[str, int, int, str]],
    districts: Sequence[Place],
) -> str:
    if not of_code:
        return _("Kode pos %(code)s tidak ada di daftar kami.", code=code)
    place = of_code[0]
    here = [each for each in of_code if province_key(each.province) == province_key(province)]
    if not here:
        return _("Kode pos %(code)s milik %(place)s.", code=code, place=place.label)
    if cities and not {each.city_id for each in here} & {row[1] for row in cities}:
        return _("Kode pos %(code)s milik %(place)s.", code=code, place=f"{place.district}, {place.city}")
    if districts and not {each.code for each in here} & {each.code for each in districts}:
        codes = codes_of(districts[0])
        named = ", ".join(codes[:MOST_CODES]) + (" …" if len(codes) > MOST_CODES else "")
        return _("Kode pos %(district)s: %(codes)s.", district=districts[0].district, codes=named)
    return ""
