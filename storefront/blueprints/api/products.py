"""`GET /api/v1/products`: the catalogue's search, with prices and stock as they are now."""

from __future__ import annotations

import datetime
from typing import Any

from flask import jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from storefront.blueprints.api import bp
from storefront.catalogue.filters import Filters, led_on
from storefront.catalogue.index_keeper import current
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.catalogue.search import search
from storefront.extensions import db
from storefront.replica import reads_from_replica
from storefront.sources import Source, reading
from storefront.stock import levels


@bp.get("/products")
@reads_from_replica
def list_products() -> ResponseReturnValue:
    """One page of products on sale; takes the same arguments as the page `/products`."""
    merged = current()[0].names.merged if request.args.get("category") else {}
    if (query := led_on(request.args, "category", merged)) is not None:
        return redirect(f"{request.path}?{query}", 301)
    results = search(Filters.from_args(request.args), "id")
    products = _by_slug([card.slug for card in results.items])
    variants = [variant for product in products for variant in product.variants if variant.is_active]
    with reading(Source.PRIMARY):  # how much is there is true at this moment
        available = levels.available([variant.id for variant in variants if not variant.made_to_order])
    resting = {card.slug: card.paused_until for card in results.items}
    return jsonify(
        items=[_product(product, available, resting[product.slug]) for product in products],
        total=results.total,
        page=results.page,
        pages=results.pages,
    )


def _by_slug(slugs: list[str]) -> list[Product]:
    """The published products with these slugs, in this order, read anew."""
    query = (
        select(Product)
        .where(Product.slug.in_(slugs), Product.status == ProductStatus.PUBLISHED.value)
        .options(joinedload(Product.facility), selectinload(Product.variants))
    )
    found = {product.slug: product for product in db.session.scalars(query)}
    return [found[slug] for slug in slugs if slug in found]


def _product(product: Product, available: dict[int, int], paused_until: datetime.date | None) -> dict[str, Any]:
    return {
        "slug": product.slug,
        "title": product.title,
        "title_en": product.title_en or product.title,
        "facility": {"code": product.facility.code, "name": product.facility.name},
        "delivery_scope": product.delivery_scope,
        "paused_until": paused_until.isoformat() if paused_until else None,
        "variants": [
            {
                "sku": variant.sku,
                "title": variant.title,
                "title_en": variant.title_en or variant.title,
                "price": variant.price,
                "available": None if variant.made_to_order else max(available.get(variant.id, 0), 0),
                "made_to_order": variant.made_to_order,
                "lead_time_days": _lead_time(variant),
                "weight_g": variant.weight_g,
            }
            for variant in product.variants
            if variant.is_active
        ],
    }


def _lead_time(variant: Variant) -> int | None:
    """Days until it is made, with the weeks that what is ordered already takes."""
    if not variant.made_to_order or variant.lead_time_days is None:
        return None
    return variant.lead_time_days + 7 * variant.queued_weeks
