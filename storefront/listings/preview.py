"""The page that shoppers would see: a draft is written into its product, read by the code of the shop, and undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import func, select

from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.apply import apply
from storefront.listings.check import check
from storefront.listings.models import ListingDraft

Shown = TypeVar("Shown")


def as_listed(draft: ListingDraft, facility: Facility, show: Callable[[Product], Shown]) -> Shown:
    """What `show` says of the product once the draft is listed. Nothing of it stays. Raises Invalid by field."""
    product = db.session.get(Product, draft.product_id) if draft.product_id else None
    listing = check(draft.content, draft.photos, facility_id=draft.facility_id, product_id=draft.product_id)
    with db.session.begin_nested() as savepoint:
        product = apply(listing, facility, product, None)
        now = db.session.execute(select(func.now())).scalar_one()
        product.published_at = product.published_at or now
        product.status = ProductStatus.PUBLISHED.value
        db.session.flush()
        refresh_shown_state(list(db.session.scalars(select(Variant.id).where(Variant.product_id == product.id))))
        try:
            return show(product)
        finally:
            savepoint.rollback()
            db.session.expire_all()
