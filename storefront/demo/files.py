"""The demo's data files, read into plain rows (see data/README.md for where they come from)."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from storefront.shipping import load_places
from storefront.shipping.places import city_key, district_key, province_key

DATA = Path(__file__).with_name("data")
PICTURES = DATA / "pictures"

#: The accounting zone of each province that has a facility and does not keep western time.
CENTRAL = {
    "Bali", "Nusa Tenggara Barat", "Nusa Tenggara Timur", "Kalimantan Timur", "Kalimantan Selatan",
    "Kalimantan Utara", "Sulawesi Utara", "Gorontalo", "Sulawesi Tengah", "Sulawesi Barat", "Sulawesi Selatan",
    "Sulawesi Tenggara",
}  # fmt: skip
EASTERN = re.compile(r"Maluku|Papua")


@dataclass(frozen=True)
class VariantRow:
    """One way to buy a product; `extra` is added to the product's price."""

    sku: str
    title: str
    title_en: str
    extra: int


@dataclass(frozen=True)
class ProductRow:
    """A line of products.csv with what the demo wrote about it. Amounts in rupiah, weights in grams."""

    sku: str
    facility: str
    workshop: str
    category: str
    title: str
    title_en: str
    price: int
    made_to_order_days: int | None
    weight_g: int
    material_cost: int | None
    commodity_group: str | None
    delivery_scope: str
    pictures: tuple[str, ...]
    description: str
    description_en: str
    #: Pieces in the store at the end; None: drawn by price.
    stock: int | None
    #: Which block of `care` in texts.toml is its own.
    care: str
    #: The SKU in products.toml that its words come from: its own, or that of the product it was made from.
    source: str
    variants: tuple[VariantRow, ...]


@dataclass(frozen=True)
class City:
    """Where buyers live; `weight` says how often the city orders. Each district comes with its postal codes."""

    name: str
    province: str
    weight: int
    districts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class BuyerWords:
    """What invented buyers are put together from."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[City, ...] = field(default=())
    #: For cards, and for whoever sends the goods.
    gift_notes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file; empty cells are empty strings."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def toml(name: str) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def slug_of(text: str) -> str:
    """`text` as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def time_zone_of(province: str) -> str:
    """IANA name of the zone a province keeps: WIB, WITA or WIT."""
    if EASTERN.search(province):
        return "Asia/Jayapura"
    return "Asia/Makassar" if province in CENTRAL else "Asia/Jakarta"


def workshop_word(workshop: str) -> str:
    """The first word of a workshop's name: what its SKUs and its texts go by."""
    return workshop.split()[0]


def products() -> list[ProductRow]:
    """All products of products.csv, in its order, numbered within their workshops."""
    numbers: Counter[str] = Counter()
    found = []
    for row in rows("products.csv"):
        stem = f"{row['facility']}-{workshop_word(row['workshop']).upper()}"
        numbers[stem] += 1
        found.append(_product(f"{stem}-{numbers[stem]:02}", row))
    return found


def _product(sku: str, row: dict[str, str]) -> ProductRow:
    words = toml("products.toml")[sku]
    days = int(row["made_to_order_days"]) if row["made_to_order_days"] else None
    description, description_en = (_description(words, days, english) for english in (False, True))
    variants = tuple(
        VariantRow(f"{sku}-{suffix}", title, title_en, extra)
        for suffix, title, title_en, extra in words.get("variants", ())
    )
    return ProductRow(
        sku=sku,
        facility=row["facility"],
        workshop=row["workshop"],
        category=row["category"],
        title=row["title_id"],
        title_en=row["title_en"],
        price=int(row["price"]),
        made_to_order_days=days,
        weight_g=int(row["weight_g"]),
        material_cost=int(row["material_cost"]) if row["material_cost"] else None,
        commodity_group=row["commodity_group"] or None,
        delivery_scope=row["delivery_scope"],
        pictures=(row["picture"], *words["pictures"]),
        description=description,
        description_en=description_en,
        stock=words.get("stock"),
        care=words["care"],
        source=sku,
        variants=variants or (VariantRow(sku, "", "", 0),),
    )


def _description(words: dict[str, Any], days: int | None, english: bool) -> str:
    texts = toml("texts.toml")
    paragraphs = [words["about_en" if english else "about"]]
    if words["care"] in toml("facts.toml")["storage"]:  # food: how it is kept stands with what its pack says as well
        paragraphs.append(texts["care"][words["care"]][english])
    if days:
        paragraphs.append(texts["made_to_order"]["text"][english] % days)
    return "\n\n".join(paragraphs)


def buyer_words() -> BuyerWords:
    """Names, streets and cities for invented buyers."""
    words = toml("buyers.toml")
    return BuyerWords(
        given=tuple(words["given"]),
        family=tuple(words["family"]),
        streets=tuple(words["streets"]),
        cities=tuple(
            City(name, province, weight, tuple((each, _codes(province, name, each)) for each in districts))
            for name, province, weight, districts in words["cities"]
        ),
        gift_notes=tuple(words["gift_notes"]),
        notes=tuple(words["notes"]),
    )


def _codes(province: str, city: str, district: str) -> tuple[str, ...]:
    """The real postal codes of a district."""
    return _all_codes()[province_key(province), city_key(city), district_key(district)]


@cache
def _all_codes() -> dict[tuple[str, str, str], tuple[str, ...]]:
    names: dict[str, str] = {}
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for row in load_places.rows():
        code = row["code"]
        names[code] = row["name"]
        if len(code) == 8:
            key = province_key(names[code[:2]]), city_key(names[code[:5]]), district_key(row["name"])
            # Of two districts of one name, one in the regency around a city, the city's comes last and counts.
            found[key] = tuple(row["postal_codes"].split())
    return found
