"""Write a listing into its product's rows: the one way in which what is listed changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.catalogue.filters import slug_of
from storefront.catalogue.models import (
    Photo,
    Product,
    ProductFact,
    ProductFood,
    ProductPaper,
    ProductStatus,
    SizeTable,
    Variant,
)
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.listing import ListedVariant, Listing
from storefront.stock.adjust import move
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason

#: Of a published product these change at once, by `catalogue.offer`: a proposal does not bring old ones back.
AT_ONCE = ("price", "lead_time_days", "weekly_capacity")


def apply(listing: Listing, facility: Facility, product: Product | None, person_id: int | None) -> Product:
    """Make the product say what `listing` says; a new one begins as a draft. Never commits.

    Price, lead time and capacity of variants that are on sale stay as they are now. Variants that the listing does
    not name are sold no more; pieces of new ones are moved in.
    """
    if product is None:
        product = Product(facility_id=facility.id, slug=_free_slug(listing.title), status=ProductStatus.DRAFT.value)
        db.session.add(product)
    product.title, product.title_en = listing.title, listing.title_en
    product.description, product.description_en = listing.description, listing.description_en
    product.workshop_id, product.category_id = listing.workshop_id, listing.category_id
    product.commodity_group_id, product.delivery_scope = listing.commodity_group_id, listing.delivery_scope
    product.options, product.options_en = list(listing.options), list(listing.options_en)
    db.session.flush()
    photo_ids = _photos(listing, product)
    _variants(listing, facility, product, photo_ids, person_id)
    _words(listing, product)
    db.session.flush()
    db.session.expire(product)
    return product


def _free_slug(title: str) -> str:
    stem = slug_of(title)[:80].strip("-") or "karya"
    taken = set(db.session.scalars(select(Product.slug).where(Product.slug.like(f"{stem}%"))))
    numbers = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(slug for slug in numbers if slug not in taken)


def _photos(listing: Listing, product: Product) -> list[int]:
    """Ids of the product's photos in the listing's order; a photo that stays keeps its id."""
    db.session.execute(text("SET CONSTRAINTS photos_product_id_position_key DEFERRED"))
    there = {photo.key: photo for photo in db.session.scalars(select(Photo).where(Photo.product_id == product.id))}
    kept = []
    for position, listed in enumerate(listing.photos):
        photo = there.pop(listed.key, None) or Photo(product_id=product.id, key=listed.key)
        photo.position, photo.widths = position, list(listed.widths)
        photo.width, photo.height, photo.tint = listed.width, listed.height, listed.tint
        photo.alt, photo.alt_en = listed.alt, listed.alt_en
        db.session.add(photo)
        kept.append(photo)
    db.session.flush()
    db.session.execute(delete(Photo).where(Photo.id.in_([photo.id for photo in there.values()])))
    return [photo.id for photo in kept]


def _variants(
    listing: Listing, facility: Facility, product: Product, photo_ids: list[int], person_id: int | None
) -> None:
    statement = select(Variant).where(Variant.product_id == product.id).order_by(Variant.id)
    there = {row.id: row for row in db.session.scalars(statement.with_for_update(key_share=True))}
    is_on_sale = product.status == ProductStatus.PUBLISHED.value
    for position, listed in enumerate(listing.variants, start=1):
        row = there.pop(listed.id or 0, None)
        is_new = row is None
        if row is None:
            row = Variant(product_id=product.id, sku=listed.sku or free_sku(facility.code))
            db.session.add(row)
        values = _values(listed, position, photo_ids)
        needs_lead = values["made_to_order"] and row.lead_time_days is None
        for name, value in values.items():
            if is_new or not is_on_sale or name not in AT_ONCE or (name == "lead_time_days" and needs_lead):
                setattr(row, name, value)
        if listed.sku and not is_on_sale:
            row.sku = listed.sku
        db.session.flush()
        if is_new and listed.stock:
            move(
                row.id,
                store_location_id(facility.id),
                listed.stock,
                MovementReason.MADE,
                person_id=person_id,
                source=f"variant:{row.id}:opening",
            )
    for gone in there.values():
        gone.is_active = False


def _values(listed: ListedVariant, position: int, photo_ids: list[int]) -> dict[str, Any]:
    return {
        "options": list(listed.options),
        "options_en": list(listed.options_en),
        "title": listed.title,
        "title_en": listed.title_en,
        "price": listed.price,
        "material_cost": listed.material_cost,
        "weight_g": listed.weight_g,
        "made_to_order": listed.made_to_order,
        "lead_time_days": listed.lead_time_days,
        "weekly_capacity": listed.weekly_capacity,
        "photo_id": photo_ids[listed.photo - 1] if listed.photo and listed.photo <= len(photo_ids) else None,
        "position": position,
        "is_active": listed.is_active,
    }


def free_sku(facility_code: str) -> str:
    """A SKU that nobody has: the facility's code and the next number."""
    while True:
        number: int = db.session.execute(text("SELECT nextval('made_skus')")).scalar_one()
        sku = f"{facility_code}-{number:05d}"
        if db.session.scalar(select(Variant.id).where(Variant.sku == sku)) is None:
            return sku


def _words(listing: Listing, product: Product) -> None:
    """Facts, food, papers and sizes: what the listing does not say is not said any more."""
    db.session.execute(delete(ProductFact).where(ProductFact.product_id == product.id))
    for position, fact in enumerate(listing.facts, start=1):
        db.session.add(ProductFact(product_id=product.id, position=position, **dataclasses.asdict(fact)))
    kinds = [paper.kind for paper in listing.papers]
    db.session.execute(
        delete(ProductPaper).where(ProductPaper.product_id == product.id, ProductPaper.kind.not_in(kinds))
    )
    for paper in listing.papers:
        _put(ProductPaper, ["product_id", "kind"], product_id=product.id, **dataclasses.asdict(paper))
    if listing.food is None:
        db.session.execute(delete(ProductFood).where(ProductFood.product_id == product.id))
    else:
        _put(ProductFood, ["product_id"], product_id=product.id, **dataclasses.asdict(listing.food))
    if listing.sizes is None:
        db.session.execute(delete(SizeTable).where(SizeTable.product_id == product.id))
    else:
        sizes = {name: _as_lists(value) for name, value in dataclasses.asdict(listing.sizes).items()}
        _put(SizeTable, ["product_id"], product_id=product.id, **sizes)


def _as_lists(value: Any) -> Any:
    return [_as_lists(one) for one in value] if isinstance(value, tuple) else value


def _put(model: Any, key: list[str], **values: Any) -> None:
    others = {name: value for name, value in values.items() if name not in key}
    db.session.execute(
        upsert(model)
        .values(values)
        .on_conflict_do_update(index_elements=key, set_=others)
        .execution_options(synchronize_session=False)
    )
