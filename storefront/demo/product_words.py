"""What the products' pages say beside the description: materials, care, food, papers, sizes, variants' pictures."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from storefront.catalogue.models import CategoryNeed, ProductFact, ProductFood, ProductPaper, SizeTable
from storefront.demo import files
from storefront.demo.bulk import insert_rows
from storefront.demo.catalogue import Item
from storefront.demo.moments import days
from storefront.extensions import db
from storefront.media.storage import private_files

#: Variants that are sizes look alike; the others are shown by a picture each where there are enough.
SIZES = {"S", "M", "L", "XL", "4T", "6T", "8T"}
#: What lies behind every paper of the demo, and days until the first of them ends.
FILE, ENDS_IN, KITCHEN = "papers/contoh.pdf", 20, "BJB"
PAPER = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R"
    b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>\nendobj\n"
    b"4 0 obj\n<< /Length 59 >>\nstream\n"
    b"BT /F1 18 Tf 60 500 Td (DATA CONTOH: surat rekaan) Tj ET      \nendstream\nendobj\n"
    b"trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
)
PICTURES = text(
    """UPDATE variants v SET photo_id = ph.id FROM photos ph
        WHERE v.product_id = ANY(:products) AND ph.product_id = v.product_id AND ph.position = v.position - 1"""
)


def add(items: Sequence[Item], categories: dict[str, int], today: datetime.date) -> None:
    """Write everything of `files.toml("facts.toml")` down for the products of `items`, numbers invented from SKUs."""
    words = files.toml("facts.toml")
    first = {item.product_id: item for item in items}
    foods = {id_: food for id_, item in first.items() if (food := words["food"].get(item.row.source))}
    insert_rows(ProductFact, [row for id_, item in first.items() if id_ not in foods for row in _facts(id_, item)])
    insert_rows(ProductFood, [_food(id_, food, first[id_]) for id_, food in foods.items()])
    private_files().write(FILE, PAPER)
    papers = [row for id_, item in first.items() for row in _papers(id_, item, foods.get(id_), today)]
    _one_ends_soon(papers, first, today)
    insert_rows(ProductPaper, papers)
    insert_rows(SizeTable, list(_sizes(first)))
    needs = [(categories[name], need) for name, needs in words["needs"].items() for need in needs]
    insert_rows(CategoryNeed, [{"category_id": id_, "need": need} for id_, need in needs])


def show_variants(items: Sequence[Item]) -> None:
    """Give each colour its picture, once the pictures are there."""
    products = {
        item.product_id
        for item in items
        if len(item.row.variants) > 1
        and not any(_suffix(v.sku) in SIZES or _suffix(v.sku).isdecimal() for v in item.row.variants)
        and len(item.row.pictures) >= len(item.row.variants)
    }
    db.session.execute(PICTURES, {"products": sorted(products)})


def _facts(product_id: int, item: Item) -> Iterator[dict[str, Any]]:
    labels = {"material": ("Bahan", "Material"), "care": ("Perawatan", "Care")}
    texts = {"material": files.toml("facts.toml")["material"], "care": files.toml("texts.toml")["care"]}
    position = 0
    for kind, (label, label_en) in labels.items():
        found = texts[kind].get(item.row.care)
        if found:
            position += 1
            yield {
                "product_id": product_id, "position": position, "kind": kind, "label": label, "label_en": label_en,
                "value": found[0], "value_en": found[1],
            }  # fmt: skip


def _food(product_id: int, food: dict[str, Any], item: Item) -> dict[str, Any]:
    storage = files.toml("facts.toml")["storage"][item.row.care]
    allergens = food.get("allergens", ("", ""))
    return {
        "product_id": product_id,
        "composition": food["composition"][0], "composition_en": food["composition"][1],
        "net_amount": food["net"][0], "net_unit": food["net"][1],
        "shelf_life_days": food["days"], "best_before": None,
        "storage": storage[0], "storage_en": storage[1],
        "allergens": allergens[0], "allergens_en": allergens[1],
    }  # fmt: skip


def _papers(
    product_id: int, item: Item, food: dict[str, Any] | None, today: datetime.date
) -> Iterator[dict[str, Any]]:
    kinds = []
    if food and "paper" in food:
        kinds = ["halal", food["paper"]]
    elif item.row.care == "soap":
        kinds = ["cosmetic"]
    elif item.row.category == "Mebel":
        kinds = ["svlk"]
    for kind in kinds:
        yield {
            "product_id": product_id, "kind": kind, "number": _number(kind, item.row.source),
            "issued_by": "BPJPH" if kind == "halal" else "", "document_key": FILE,
            "valid_until": None if kind == "halal" else today + days(200 + _digits(kind, item.row.source) % 900),
        }  # fmt: skip


def _one_ends_soon(papers: list[dict[str, Any]], items: Mapping[int, Item], today: datetime.date) -> None:
    """A number of packed food, where a coordinator tries the demo: it is to be renewed."""
    numbers = [row for row in papers if row["kind"] == "pirt"]
    numbers.sort(key=lambda row: items[row["product_id"]].row.facility != KITCHEN)
    if numbers:
        numbers[0]["valid_until"] = today + days(ENDS_IN)


def _number(kind: str, sku: str) -> str:
    """An invented number of the paper's own shape, the same for a SKU each time."""
    digits = str(_digits(kind, sku) % 10**15).zfill(15)
    return {
        "halal": f"ID00{digits}",
        "pirt": f"{digits[:13]}-31",
        "bpom": f"MD{digits[:12]}",
        "cosmetic": f"NA{digits[:11]}",
        "svlk": f"CONTOH-SVLK-{digits[:6]}",
    }[kind]


def _digits(kind: str, sku: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind}:{sku}".encode()).digest()[:8])


def _sizes(first: dict[int, Item]) -> Iterator[dict[str, Any]]:
    for table in files.toml("facts.toml")["sizes"].values():
        for product_id, item in first.items():
            if item.row.sku not in table["of"]:
                continue
            known = {_suffix(variant.sku) for variant in item.row.variants}
            rows = [row for row in table["rows"] if row[0] in known]
            yield {
                "product_id": product_id, "category_id": None,
                "title": table["title"][0], "title_en": table["title"][1],
                "columns": [column[0] for column in table["columns"]],
                "columns_en": [column[1] for column in table["columns"]],
                "rows": [row[0] for row in rows], "cells": [row[1:] for row in rows],
                "note": table["note"][0], "note_en": table["note"][1],
            }  # fmt: skip


def _suffix(sku: str) -> str:
    """What tells a variant from its sisters: `XL`, `39`, `COKELAT`."""
    return sku.rpartition("-")[2]
