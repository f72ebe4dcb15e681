"""A product's listing as it stands."""

from __future__ import annotations

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
    of_product = {"product_id": product.id}
    photos = list(db.session.scalars(select(Photo).filter_by(**of_product).order_by(Photo.position)))
    places = {photo.id: place for place, photo in enumerate(photos, start=1)}
    variants = db.session.scalars(select(Variant).filter_by(**of_product).order_by(Variant.position, Variant.id))
    facts = db.session.scalars(select(ProductFact).filter_by(**of_product).order_by(ProductFact.position))
    papers = db.session.scalars(select(ProductPaper).filter_by(**of_product).order_by(ProductPaper.kind))
    food = db.session.get(ProductFood, product.id)
    sizes = db.session.scalar(select(SizeTable).filter_by(**of_product))
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
