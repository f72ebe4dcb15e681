"""What is listed and drafted now, read for many products in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text

from storefront.catalogue.models import Product, Variant
from storefront.extensions import db
from storefront.listing_files.pictures import PhotoFiles
from storefront.listing_files.product_words import Asked, add_words
from storefront.listing_files.words import Words, words_of
from storefront.listings.findings import Known
from storefront.listings.models import ListingDraft
from storefront.listings.typed import blank, blank_variant
from storefront.stock.models import StockLevel, StockLocation


@dataclass
class DraftSeen:
    """A draft as it was read."""

    id: int
    product_id: int | None
    version: int
    state: str
    content: dict[str, Any]


@dataclass
class ProductSeen:
    """A product as typed, with its pieces in the store."""

    id: int
    slug: str
    content: dict[str, Any]
    #: Variant → on hand, held for unpaid orders.
    stock: dict[int, tuple[int, int]] = field(default_factory=dict)
    draft: DraftSeen | None = None

    @property
    def variant_ids(self) -> list[int]:
        return [int(row["id"]) for row in self.content["variants"]]


class KnownHere(Known):
    """Look-ups of `check`, answered from what was read once."""

    def __init__(self, facility_id: int, words: Words) -> None:
        super().__init__(facility_id)
        self.words = words
        self.products: dict[int, ProductSeen] = {}
        self.variants: dict[str, int] = {}
        self.asked = Asked()

    def workshop(self, written: str) -> int | None:
        return self._of("workshop", written)

    def category(self, written: str) -> int | None:
        return self._of("category", written)

    def group(self, written: str) -> int | None:
        return self._of("group", written)

    def _of(self, column: str, written: str) -> int | None:
        return int(written) if written in self.words.lists[column].written else None

    def variants_of(self, product_id: int) -> set[int]:
        return set(self.products[product_id].variant_ids)

    def holders(self, skus: Sequence[str]) -> dict[str, int]:
        return {sku: self.variants[sku] for sku in skus if sku in self.variants}


@dataclass
class Current:
    """All that rows of a file may concern."""

    facility_id: int
    words: Words
    known: KnownHere
    photos: PhotoFiles
    products: dict[int, ProductSeen]
    #: SKU of the facility's own variants → product and variant.
    own: dict[str, tuple[int, int]]
    slugs: dict[str, int]
    #: Drafts of what is not listed yet, by SKU and by the key under which they were imported.
    drafts_by_sku: dict[str, DraftSeen]
    drafts_by_key: dict[str, DraftSeen]


def current(
    facility_id: int,
    skus: Collection[str],
    keys: Collection[str],
    photos: PhotoFiles,
    words: Words | None = None,
) -> Current:
    """What rows with these SKUs (upper case) and product keys concern: some fifteen statements, however many."""
    words = words or words_of(facility_id)
    known = KnownHere(facility_id, words)
    own = {}
    found = (
        select(Variant.sku, Variant.id, Product.id, Product.facility_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.sku == func.any(list(skus)))
    )
    for sku, variant_id, product_id, holder in db.session.execute(found):
        known.variants[sku] = variant_id
        if holder == facility_id:
            own[sku] = (product_id, variant_id)
    named = [key.strip() for key in keys]
    of_key = select(Product.slug, Product.id).where(
        Product.facility_id == facility_id, Product.slug == func.any(named)
    )
    slugs: dict[str, int] = dict(db.session.execute(of_key).all())
    products = seen({product_id for product_id, _ in own.values()} | set(slugs.values()))
    known.products = products
    by_sku = _drafts(
        """SELECT DISTINCT ON (1) upper(v->>'sku') AS name, d.id FROM listing_drafts d
             CROSS JOIN LATERAL jsonb_array_elements(d.content->'variants') v
            WHERE d.facility_id = :facility_id AND d.product_id IS NULL AND upper(v->>'sku') = ANY(:names)
            ORDER BY 1, 2""",
        facility_id,
        skus,
    )
    by_key = _drafts(
        """SELECT DISTINCT ON (1) r.key AS name, d.id FROM listing_import_rows r
             JOIN listing_imports i ON i.id = r.import_id
             JOIN listing_drafts d ON d.id = r.draft_id
            WHERE i.facility_id = :facility_id AND d.product_id IS NULL AND r.key = ANY(:names) AND r.key <> ''
            ORDER BY 1, r.import_id DESC""",
        facility_id,
        keys,
    )
    return Current(facility_id, words, known, photos, products, own, slugs, by_sku, by_key)


def seen(product_ids: Collection[int]) -> dict[int, ProductSeen]:
    """Products as typed, without photos, by id: seven statements."""
    ids = list(product_ids)
    products = {
        row.id: ProductSeen(row.id, row.slug, _content(row))
        for row in db.session.execute(
            select(
                Product.id, Product.slug, Product.title, Product.title_en, Product.description,
                Product.description_en, Product.workshop_id, Product.category_id, Product.commodity_group_id,
                Product.delivery_scope, Product.options, Product.options_en,
            ).where(Product.id == func.any(ids))
        )
    }  # fmt: skip
    rows = db.session.execute(
        select(
            Variant.id, Variant.product_id, Variant.sku, Variant.options, Variant.options_en, Variant.price,
            Variant.material_cost, Variant.weight_g, Variant.made_to_order, Variant.lead_time_days,
            Variant.weekly_capacity, Variant.is_active, StockLevel.on_hand, StockLevel.reserved,
        )
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockLocation, StockLocation.facility_id == Product.facility_id)
        .outerjoin(
            StockLevel, (StockLevel.variant_id == Variant.id) & (StockLevel.location_id == StockLocation.id)
        )
        .where(Variant.product_id == func.any(ids))
        .order_by(Variant.product_id, Variant.position, Variant.id)
    )  # fmt: skip
    for row in rows:
        product = products[row.product_id]
        product.content["variants"].append(_variant(row))
        product.stock[row.id] = (row.on_hand or 0, row.reserved or 0)
    add_words({product.id: product.content for product in products.values()})
    for draft in _seen_drafts(ListingDraft.product_id == func.any(ids)):
        products[draft.product_id or 0].draft = draft
    return products


def _content(row: Any) -> dict[str, Any]:
    return {
        **blank(),
        "title": row.title,
        "title_en": row.title_en,
        "description": row.description,
        "description_en": row.description_en,
        "workshop": str(row.workshop_id),
        "category": str(row.category_id),
        "group": "" if row.commodity_group_id is None else str(row.commodity_group_id),
        "scope": row.delivery_scope,
        "options": list(row.options),
        "options_en": list(row.options_en),
        "variants": [],
    }


def _variant(row: Any) -> dict[str, Any]:
    def typed(value: int | None) -> str:
        return "" if value is None else str(value)

    return {
        **blank_variant(),
        "id": str(row.id),
        "sku": row.sku,
        "options": list(row.options),
        "options_en": list(row.options_en),
        "price": str(row.price),
        "material_cost": typed(row.material_cost),
        "weight": str(row.weight_g),
        "made_to_order": row.made_to_order,
        "lead_time": typed(row.lead_time_days),
        "capacity": typed(row.weekly_capacity),
        "is_active": row.is_active,
        "stock": "" if row.made_to_order else str(row.on_hand or 0),
    }


def _drafts(statement: str, facility_id: int, names: Collection[str]) -> dict[str, DraftSeen]:
    """Drafts by the name that the statement gives them."""
    rows = db.session.execute(text(statement), {"facility_id": facility_id, "names": list(names)})
    ids: dict[str, int] = dict(rows.all())
    drafts = {draft.id: draft for draft in _seen_drafts(ListingDraft.id == func.any(list(ids.values())))}
    return {name: drafts[draft_id] for name, draft_id in ids.items() if draft_id in drafts}


def _seen_drafts(condition: Any) -> list[DraftSeen]:
    columns = (
        ListingDraft.id,
        ListingDraft.product_id,
        ListingDraft.version,
        ListingDraft.state,
        ListingDraft.content,
    )
    return [DraftSeen(*row) for row in db.session.execute(select(*columns).where(condition))]
