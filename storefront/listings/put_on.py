"""Make a listing public: its product's rows written and on show, in one transaction."""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.catalogue.models import Product, ProductStatus
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.apply import apply
from storefront.listings.listing import Listing


def put_on(listing: Listing, facility_id: int, product_id: int | None, person_id: int | None) -> Product:
    """The product says what `listing` says, and is public. Its address stays; it counts as new only once.

    `person_id`: whose pieces of new variants are moved in. Never commits.
    """
    product = None
    if product_id is not None:
        product = db.session.get_one(Product, product_id, with_for_update=True, populate_existing=True)
    product = apply(listing, db.session.get_one(Facility, facility_id), product, person_id)
    if product.published_at is None:
        product.published_at = db.session.execute(select(func.now())).scalar_one()
    product.status = ProductStatus.PUBLISHED.value
    db.session.flush()
    return product
