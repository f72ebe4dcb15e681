"""The public list of facilities: searched and filtered by its address, with numbers for the map of the provinces.

There are some hundred facilities at most, so one query gives them all and the rest is plain code. What they sell is
counted in what the process keeps of the listings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from storefront.catalogue.facility_pages import FacilityCard
from storefront.catalogue.filters import SLUG, Arguments, clean, slug_of
from storefront.catalogue.index_keeper import current
from storefront.catalogue.province_map import ProvinceMap, province_map
from storefront.catalogue.version import CatalogueVersion
from storefront.extensions import db

QUERY = text("""
SELECT (SELECT json_agg(f ORDER BY f.province, f.name) FROM (
          SELECT r.name AS province, f.id, f.code, f.slug, f.name, f.kind, f.city, f.regional_office,
                 f.about, f.about_en,
                 (SELECT json_agg(json_build_object('name', w.name, 'about', w.about, 'about_en', w.about_en)
                                  ORDER BY w.name) FROM workshops w WHERE w.facility_id = f.id) AS workshops
            FROM facilities f
            JOIN provinces r ON r.id = f.province_id
           WHERE f.status = 'active') f) AS facilities,
       (SELECT json_agg(json_build_object('slug', slug, 'name', name, 'name_en', name_en) ORDER BY position, id)
          FROM categories WHERE parent_id IS NULL AND archived_at IS NULL) AS categories,
       (SELECT json_agg(name) FROM provinces) AS provinces""")
WORD = re.compile(r"[^\W_]+")
#: What people write, and what stands in the names.
SAME = {"lembaga": "lapas", "pemasyarakatan": "lapas", "penjara": "lapas", "women": "perempuan", "prison": "lapas"}


@dataclass(frozen=True)
class FacilityFilters:
    """A question to the list; equal questions have equal addresses."""

    q: str = ""
    #: Provinces and goods (categories) as they stand in an address; empty: all.
    province: tuple[str, ...] = ()
    goods: str = ""

    @classmethod
    def from_args(cls, args: Arguments) -> FacilityFilters:
        """Read an address. What makes no sense is left out."""
        words, goods = (next(iter(args.getlist(name)), "") for name in ("q", "goods"))
        provinces = {slug_of(value) for value in args.getlist("province")[:10]} - {""}
        goods = goods.strip().lower()
        return cls(clean(words), tuple(sorted(provinces)), goods if SLUG.fullmatch(goods) else "")

    def but(self, **changes: Any) -> FacilityFilters:
        return replace(self, **changes)

    def query_string(self) -> str:
        """`?…`, or nothing for the whole list."""
        given = [("q", self.q), *(("province", name) for name in self.province), ("goods", self.goods)]
        return "?" + urlencode(kept) if (kept := [(name, value) for name, value in given if value]) else ""

    def __bool__(self) -> bool:
        return bool(self.q or self.province or self.goods)


@dataclass(frozen=True)
class Choice:
    """A value of a filter, with how many facilities it would leave."""

    value: str
    name: str
    count: int
    is_selected: bool


@dataclass(frozen=True)
class Found:
    """The facilities that answer a question, under their provinces."""

    groups: list[tuple[str, list[FacilityCard]]]
    total: int
    #: Of all facilities, whatever was asked.
    all: int
    provinces: list[Choice]
    goods: list[Choice]
    map: ProvinceMap


@dataclass(frozen=True)
class _Entry:
    card: FacilityCard
    #: Everything that the search reads, folded.
    words: str
    #: Products on sale by category.
    goods: dict[str, int] = field(default_factory=dict)

    def products(self, goods: str) -> int:
        return self.goods.get(goods, 0) if goods else self.card.products

    def fits(self, filters: FacilityFilters, *, but: str = "") -> bool:
        """Whether it answers the question, one filter of which may be left out."""
        asked = (SAME.get(word, word) for word in WORD.findall(fold(filters.q)))
        return (
            (but == "q" or all(word in self.words for word in asked))
            and (but == "province" or not filters.province or slug_of(self.card.province) in filters.province)
            and (but == "goods" or not filters.goods or self.goods.get(filters.goods, 0) > 0)
        )


def fold(words: str) -> str:
    """`words` in small letters without accents, for comparing."""
    plain = unicodedata.normalize("NFKD", words.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def find_facilities(filters: FacilityFilters, locale: str, version: CatalogueVersion | None = None) -> Found:
    """All active facilities that answer the question, by province and name: never by how much they sell.

    At `version` of the catalogue or later; None: as it is now.
    """
    index, _words = current(version)
    row = db.session.execute(QUERY).one()
    entries = [_entry(item, index.goods.get(item["id"], {})) for item in row.facilities or []]
    shown = [entry for entry in entries if entry.fits(filters)]
    groups: dict[str, list[FacilityCard]] = {}
    for entry in shown:
        card = replace(entry.card, products=entry.products(filters.goods))
        groups.setdefault(entry.card.province, []).append(card)
    names = {item["slug"]: item["name_en" if locale == "en" else "name"] for item in row.categories or []}
    return Found(
        groups=list(groups.items()),
        total=len(shown),
        all=len(entries),
        provinces=_provinces(entries, filters, row.provinces or []),
        goods=_goods(entries, filters, names),
        map=_map([entry for entry in entries if entry.fits(filters, but="province")], filters, row.provinces or []),
    )


def _entry(item: dict[str, Any], goods: dict[str, int]) -> _Entry:
    card = FacilityCard.of(item | {"products": sum(goods.values())})
    workshops = [word for workshop in item["workshops"] or [] for word in workshop.values()]
    said = (item["name"], item["code"], item["city"], item["province"], item["regional_office"])
    return _Entry(card, fold(" ".join([*said, item["about"], item["about_en"], *workshops])), goods)


def _provinces(entries: Iterable[_Entry], filters: FacilityFilters, names: list[str]) -> list[Choice]:
    """Those with facilities that fit, and those that are chosen whether or not there are any."""
    counts = {name: 0 for name in names if slug_of(name) in filters.province}
    for entry in entries:
        if entry.fits(filters, but="province"):
            counts[entry.card.province] = counts.get(entry.card.province, 0) + 1
    return [
        Choice(slug_of(name), name, count, slug_of(name) in filters.province)
        for name, count in sorted(counts.items())
    ]


def _goods(entries: list[_Entry], filters: FacilityFilters, names: dict[str, str]) -> list[Choice]:
    fitting = [entry for entry in entries if entry.fits(filters, but="goods")]
    choices = (
        Choice(slug, name, sum(1 for entry in fitting if entry.goods.get(slug)), slug == filters.goods)
        for slug, name in names.items()
    )
    return [choice for choice in choices if choice.count or choice.is_selected]


def _map(entries: Iterable[_Entry], filters: FacilityFilters, names: list[str]) -> ProvinceMap:
    counts: dict[str, tuple[int, int]] = {}
    for entry in entries:
        facilities, products = counts.get(entry.card.province, (0, 0))
        counts[entry.card.province] = facilities + 1, products + entry.products(filters.goods)
    return province_map(counts, names)
