"""A listing that can be read: what a product's rows say, in one piece. Amounts are whole rupiah, weights grams."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

#: The database asks for the same.
SHORTEST_TITLE, LONGEST_TITLE = 3, 140
LONGEST_DESCRIPTION = 8000
MOST_VARIANTS, MOST_PHOTOS, MOST_FACTS, MOST_OPTIONS = 60, 12, 24, 2
MOST_WEIGHT = 1_000_000
MOST_STOCK = 100_000
FACT_KINDS = ("material", "care", "detail")
NET_UNITS = ("g", "ml", "pcs")
PAPER_KINDS = ("halal", "not_halal", "pirt", "bpom", "cosmetic", "svlk")


@dataclass(frozen=True)
class ListedVariant:
    """One thing that can be bought."""

    #: Of the product's row; None: new.
    id: int | None
    #: Its values of the listing's options, in their order.
    options: tuple[str, ...]
    options_en: tuple[str, ...]
    #: Empty: given when it is listed.
    sku: str
    price: int
    #: Of one piece; None: not known.
    material_cost: int | None
    weight_g: int
    made_to_order: bool
    lead_time_days: int | None
    #: Pieces made to order in a week; None: however many are ordered.
    weekly_capacity: int | None
    #: Pieces that lie there when it is listed; for new variants alone.
    stock: int | None
    #: Which of the listing's photos shows it, from 1; None: all of them.
    photo: int | None
    is_active: bool = True

    @property
    def title(self) -> str:
        return " · ".join(self.options)

    @property
    def title_en(self) -> str:
        return " · ".join(self.options_en)


@dataclass(frozen=True)
class ListedPhoto:
    """A photo that is ready."""

    key: str
    widths: tuple[int, ...]
    width: int
    height: int
    tint: str
    alt: str
    alt_en: str


@dataclass(frozen=True)
class ListedFact:
    #: One of FACT_KINDS.
    kind: str
    label: str
    label_en: str
    value: str
    value_en: str


@dataclass(frozen=True)
class ListedFood:
    """What a pack of food must say; `shelf_life_days` and `best_before`: at least one."""

    composition: str
    composition_en: str
    net_amount: int
    #: One of NET_UNITS.
    net_unit: str
    shelf_life_days: int | None
    best_before: datetime.date | None
    storage: str
    storage_en: str
    #: Empty: none.
    allergens: str
    allergens_en: str


@dataclass(frozen=True)
class ListedPaper:
    """A claim's paper; `not_halal` has no number."""

    #: One of PAPER_KINDS.
    kind: str
    number: str
    issued_by: str
    valid_until: datetime.date | None
    #: A private file.
    document_key: str | None


@dataclass(frozen=True)
class ListedSizes:
    """Sizes as rows × columns."""

    title: str
    title_en: str
    columns: tuple[str, ...]
    columns_en: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    note: str
    note_en: str


@dataclass(frozen=True)
class Listing:
    """All that is said of a product."""

    title: str
    title_en: str
    description: str
    description_en: str
    workshop_id: int
    category_id: int
    commodity_group_id: int | None
    delivery_scope: str
    #: Names of what tells its variants apart, such as size and colour.
    options: tuple[str, ...]
    options_en: tuple[str, ...]
    variants: tuple[ListedVariant, ...]
    photos: tuple[ListedPhoto, ...]
    facts: tuple[ListedFact, ...]
    food: ListedFood | None
    papers: tuple[ListedPaper, ...]
    sizes: ListedSizes | None
