"""What a product's page says beside title and description: facts, food, papers, sizes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.catalogue.cards import in_language

#: Subselects of the product's statement, for the product `p` on the day :today.
COLUMNS = """
       (SELECT json_agg(x ORDER BY x.position) FROM product_facts x WHERE x.product_id = p.id) AS facts,
       (SELECT to_json(x) FROM product_foods x WHERE x.product_id = p.id) AS food,
       (SELECT json_agg(x ORDER BY x.kind) FROM product_papers x
         WHERE x.product_id = p.id AND (x.valid_until IS NULL OR x.valid_until >= :today)) AS papers,
       (SELECT to_json(x) FROM size_tables x WHERE x.product_id = p.id OR x.category_id = p.category_id
         ORDER BY x.product_id NULLS LAST LIMIT 1) AS sizes"""


@dataclass(frozen=True)
class Fact:
    #: `material`, `care` or `detail`.
    kind: str
    label: str
    value: str


@dataclass(frozen=True)
class Food:
    """What its pack says; `shelf_life_days` and `best_before`: at least one is known."""

    composition: str
    net_amount: int
    #: `g`, `ml` or `pcs`.
    net_unit: str
    shelf_life_days: int | None
    best_before: datetime.date | None
    storage: str
    #: Empty: none.
    allergens: str


@dataclass(frozen=True)
class Paper:
    """A claim with its number; `not_halal` has none."""

    #: `halal`, `not_halal`, `pirt`, `bpom`, `cosmetic` or `svlk`.
    kind: str
    number: str
    issued_by: str
    valid_until: datetime.date | None


@dataclass(frozen=True)
class Sizes:
    """A table of sizes: each of `rows` with one cell for each of `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    note: str


@dataclass(frozen=True)
class ProductWords:
    facts: tuple[Fact, ...] = ()
    food: Food | None = None
    papers: tuple[Paper, ...] = ()
    sizes: Sizes | None = None

    @classmethod
    def of(cls, row: Any, locale: str) -> ProductWords:
        """From the row of a statement with `COLUMNS`."""
        return cls(
            facts=tuple(
                Fact(x["kind"], in_language(x, "label", locale), in_language(x, "value", locale))
                for x in row["facts"] or []
            ),
            food=_food(row["food"], locale) if row["food"] else None,
            papers=tuple(
                Paper(x["kind"], x["number"], x["issued_by"], _day(x["valid_until"]))
                for x in row["papers"] or []
            ),
            sizes=_sizes(row["sizes"], locale) if row["sizes"] else None,
        )

    def of_kind(self, kind: str) -> list[Fact]:
        """The facts of one kind, in their order."""
        return [fact for fact in self.facts if fact.kind == kind]


def _food(row: Mapping[str, Any], locale: str) -> Food:
    return Food(
        composition=in_language(row, "composition", locale),
        net_amount=row["net_amount"],
        net_unit=row["net_unit"],
        shelf_life_days=row["shelf_life_days"],
        best_before=_day(row["best_before"]),
        storage=in_language(row, "storage", locale),
        allergens=in_language(row, "allergens", locale),
    )


def _sizes(row: Mapping[str, Any], locale: str) -> Sizes:
    columns = row["columns_en"] if locale == "en" and row["columns_en"] else row["columns"]
    return Sizes(
        title=in_language(row, "title", locale),
        columns=tuple(columns),
        rows=tuple(
            (label, tuple(cells)) for label, cells in zip(row["rows"], row["cells"], strict=True)
        ),
        note=in_language(row, "note", locale),
    )


def _day(value: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(value) if value else None
