"""Categories, products, variants and the short codes on their labels."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Category, CommodityGroup, Product, ShortCode, Variant
from storefront.catalogue.short_codes import ALPHABET, LENGTH
from storefront.demo import files
from storefront.demo.bulk import insert_for_ids, insert_rows
from storefront.demo.files import ProductRow
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.extensions import db


@dataclass(frozen=True)
class Item:
    """A variant on sale, as far as stock and orders need it. Amounts in rupiah, weights in grams."""

    variant_id: int
    product_id: int
    sku: str
    price: int
    #: What the catalogue's file says about its product.
    row: ProductRow
    published_on: datetime.date

    @property
    def is_made_to_order(self) -> bool:
        return self.row.made_to_order_days is not None


def add_categories() -> dict[str, int]:
    """Add the categories; ids by name."""
    ids = {}
    for position, row in enumerate(files.toml("categories.toml")["category"], start=1):
        category = Category(slug=row["slug"], name=row["name"], name_en=row["name_en"], position=position)
        db.session.add(category)
        db.session.flush()
        ids[category.name] = category.id
    return ids


def add_products(
    rows: Sequence[ProductRow],
    places: Places,
    categories: dict[str, int],
    today: datetime.date,
    rng: random.Random,
) -> list[Item]:
    """Add published products with their variants and short codes, in the order of `rows`."""
    groups = {row.code: row.id for row in db.session.execute(select(CommodityGroup.code, CommodityGroup.id))}
    published = _published_on(rows, today, rng)
    product_ids = insert_for_ids(
        Product,
        [_product(row, day, places, categories, groups) for row, day in zip(rows, published, strict=True)],
    )
    sold = [
        (row, day, product_id, number)
        for row, day, product_id in zip(rows, published, product_ids, strict=True)
        for number in range(len(row.variants))
    ]
    values = [_variant(row, product_id, number) for row, _, product_id, number in sold]
    items = [
        Item(variant_id, product_id, value["sku"], value["price"], row, day)
        for (row, day, product_id, _), value, variant_id in zip(
            sold, values, insert_for_ids(Variant, values), strict=True
        )
    ]
    _add_codes(items, rng)
    return items


def _product(
    row: ProductRow, day: datetime.date, places: Places, categories: dict[str, int], groups: dict[str, int]
) -> dict[str, Any]:
    return {
        "facility_id": places.facilities[row.facility].id,
        "workshop_id": places.workshops[row.facility, row.workshop].id,
        "category_id": categories[row.category],
        "commodity_group_id": groups[row.commodity_group] if row.commodity_group else None,
        "slug": files.slug_of(row.title),
        "title": row.title,
        "title_en": row.title_en,
        "description": row.description,
        "description_en": row.description_en,
        "delivery_scope": row.delivery_scope,
        "options": ["Varian"] if len(row.variants) > 1 else [],
        "options_en": ["Variant"] if len(row.variants) > 1 else [],
        "status": "published",
        "published_at": at(day, 10),
        "created_at": at(day - days(3), 9),
    }


def _variant(row: ProductRow, product_id: int, number: int) -> dict[str, Any]:
    variant = row.variants[number]
    return {
        "product_id": product_id,
        "sku": variant.sku,
        "title": variant.title,
        "title_en": variant.title_en,
        "options": [variant.title] if variant.title else [],
        "options_en": [variant.title_en] if variant.title_en else [],
        "price": row.price + variant.extra,
        "material_cost": row.material_cost,
        "weight_g": row.weight_g,
        "made_to_order": row.made_to_order_days is not None,
        "lead_time_days": row.made_to_order_days,
        "position": number + 1,
    }


def _published_on(
    rows: Sequence[ProductRow], today: datetime.date, rng: random.Random
) -> list[datetime.date]:
    """A day for each product: every facility sells from the first day on, every fourth further product later."""
    begun: set[str] = set()
    found = []
    for row in rows:
        is_new = row.facility in begun and rng.random() < 0.25
        begun.add(row.facility)
        found.append(today - days(rng.randrange(9, 300) if is_new else rng.randrange(380, 860)))
    return found


def _add_codes(items: Sequence[Item], rng: random.Random) -> None:
    codes: dict[str, int] = {}
    for item in items:
        code = ""
        while not code or code in codes:
            code = "".join(rng.choices(ALPHABET, k=LENGTH))
        codes[code] = item.variant_id
    values = [{"code": code, "kind": "variant", "target": target} for code, target in codes.items()]
    insert_rows(ShortCode, values)
