"""What a quote makes to measure becomes a work that nobody else is shown, once the quote is accepted.

An order line names a variant, as everything that follows (parcels, papers, statements, returns) does; decision 043
says why one is made rather than all of that changed.
"""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.catalogue.filters import slug_of
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.apply import free_sku
from storefront.quotes.models import Quote, QuoteLine


def made_to_measure(quote: Quote, line: QuoteLine) -> int:
    """The id of a new variant made to order for a line in words. Never commits.

    Its product is archived from the start: it stands among the facility's archived works, and can be listed later by
    the usual way through the curator.
    """
    facility = db.session.get_one(Facility, quote.facility_id)
    slug = f"{slug_of(line.title)[:60].strip('-') or 'karya'}-{(quote.number or '').lower()}-{line.position}"
    product = Product(
        facility_id=facility.id,
        workshop_id=line.workshop_id,
        category_id=line.category_id,
        slug=slug,
        title=line.title,
        status=ProductStatus.ARCHIVED.value,
    )
    db.session.add(product)
    db.session.flush()
    variant = Variant(
        product_id=product.id,
        sku=free_sku(facility.code),
        price=line.unit_price,
        material_cost=line.material_cost,
        weight_g=line.weight_g,
        made_to_order=True,
        lead_time_days=line.lead_time_days,
        position=1,
    )
    db.session.add(variant)
    db.session.flush()
    return variant.id


def listed_works(facility_id: int) -> list[tuple[str, str]]:
    """SKU and name of each published variant of a facility, for the editor's list."""
    rows = db.session.execute(
        select(Variant.sku, Product.title, Variant.title)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.facility_id == facility_id, Product.status == ProductStatus.PUBLISHED.value, Variant.is_active)
        .order_by(func.lower(Product.title), Variant.position)
        .limit(500)
    )
    return [(sku, f"{title}, {variant}" if variant else title) for sku, title, variant in rows]
