"""A product's listing as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import (
    Photo,
    Product,
    ProductFact,
    ProductFood,
    ProductPaper,
    SizeTable,
    Variant,
)
from storefront.extensions import db
from storefront.listings.listing import (
    ListedFact,
    ListedFood,
    ListedPaper,
    ListedPhoto,
    ListedSizes,
    ListedVariant,
    Listing,
)


def listing_of(product: Product) -> Listing:
    """All that the product's rows say, its inactive variants too."""
    return listings_of([product])[product.id]


def listings_of(products: Sequence[Product]) -> dict[int, Listing]:
    """The same of several, by id: six statements, however many."""
    ids = [product.id for product in products]
    photos = _grouped(Photo, ids, Photo.position)
    variants = _grouped(Variant, ids, Variant.position, Variant.id)
    facts = _grouped(ProductFact, ids, ProductFact.position)
    papers = _grouped(ProductPaper, ids, ProductPaper.kind)
    foods = _grouped(ProductFood, ids)
    sizes = _grouped(SizeTable, ids)
    return {
        product.id: _listing(
            product,
            photos.get(product.id, []),
            variants.get(product.id, []),
            facts.get(product.id, []),
            papers.get(product.id, []),
            next(iter(foods.get(product.id, [])), None),
            next(iter(sizes.get(product.id, [])), None),
        )
        for product in products
    }


def _grouped(model: Any, product_ids: Sequence[int], *order: Any) -> dict[int, list[Any]]:
    """Rows of these products, in their order."""
    found: dict[int, list[Any]] = {}
    for row in db.session.scalars(select(model).where(model.product_id.in_(product_ids)).order_by(*order)):
        found.setdefault(row.product_id, []).append(row)
    return found


def _listing(
    product: Product,
    photos: Sequence[Photo],
    variants: Sequence[Variant],
    facts: Sequence[ProductFact],
    papers: Sequence[ProductPaper],
    food: ProductFood | None,
    sizes: SizeTable | None,
) -> Listing:
    places = {photo.id: place for place, photo in enumerate(photos, start=1)}
    return Listing(
        title=product.title,
        title_en=product.title_en,
        description=product.description,
        description_en=product.description_en,
        workshop_id=product.workshop_id,
        category_id=product.category_id,
        commodity_group_id=product.commodity_group_id,
        delivery_scope=product.delivery_scope,
        options=tuple(product.options),
        options_en=tuple(product.options_en),
        variants=tuple(_variant(row, places) for row in variants),
        photos=tuple(
            ListedPhoto(p.key, tuple(p.widths), p.width, p.height, p.tint, p.alt, p.alt_en) for p in photos
        ),
        facts=tuple(ListedFact(f.kind, f.label, f.label_en, f.value, f.value_en) for f in facts),
        food=_food(food) if food else None,
        papers=tuple(
            ListedPaper(p.kind, p.number, p.issued_by, p.valid_until, p.document_key) for p in papers
        ),
        sizes=_sizes(sizes) if sizes else None,
    )


def _variant(row: Variant, places: dict[int, int]) -> ListedVariant:
    return ListedVariant(
        id=row.id,
        options=tuple(row.options),
        options_en=tuple(row.options_en),
        sku=row.sku,
        price=row.price,
        material_cost=row.material_cost,
        weight_g=row.weight_g,
        made_to_order=row.made_to_order,
        lead_time_days=row.lead_time_days,
        weekly_capacity=row.weekly_capacity,
        stock=None,
        photo=places.get(row.photo_id) if row.photo_id else None,
        is_active=row.is_active,
    )


def _food(row: ProductFood) -> ListedFood:
    return ListedFood(
        composition=row.composition,
        composition_en=row.composition_en,
        net_amount=row.net_amount,
        net_unit=row.net_unit,
        shelf_life_days=row.shelf_life_days,
        best_before=row.best_before,
        storage=row.storage,
        storage_en=row.storage_en,
        allergens=row.allergens,
        allergens_en=row.allergens_en,
    )


def _sizes(row: SizeTable) -> ListedSizes:
    return ListedSizes(
        title=row.title,
        title_en=row.title_en,
        columns=tuple(row.columns),
        columns_en=tuple(row.columns_en),
        rows=tuple(row.rows),
        cells=tuple(tuple(cells) for cells in row.cells),
        note=row.note,
        note_en=row.note_en,
    )
