"""Read stock as it is now."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.catalogue.models import Product, Variant
from storefront.extensions import db
from storefront.stock.models import StockLevel, StockLocation

#: From this many pieces down, shoppers are told that few are left.
FEW = 3


def shown_state(available: int) -> str:
    """What a cached page says of `available` pieces: `ready`, `few_left` or `sold_out`."""
    if available <= 0:
        return "sold_out"
    return "few_left" if available <= FEW else "ready"


def available(variant_ids: Iterable[int]) -> dict[int, int]:
    """Pieces free to sell online now, from each facility's own store; a variant without a level has 0.

    Variants made to order have no stock and are left out.
    """
    ids = list(variant_ids)
    rows = db.session.execute(
        select(Variant.id, StockLevel.on_hand, StockLevel.reserved)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockLocation, StockLocation.facility_id == Product.facility_id)
        .outerjoin(
            StockLevel, (StockLevel.variant_id == Variant.id) & (StockLevel.location_id == StockLocation.id)
        )
        .where(Variant.id.in_(ids), Variant.made_to_order.is_(False))
    )
    return {variant_id: (on_hand or 0) - (reserved or 0) for variant_id, on_hand, reserved in rows}


def store_location_id(facility_id: int) -> int:
    """The stock location of a facility's store; made on first use."""
    found = db.session.scalar(select(StockLocation.id).where(StockLocation.facility_id == facility_id))
    if found is not None:
        return found
    db.session.execute(
        upsert(StockLocation)
        .values(facility_id=facility_id)
        .on_conflict_do_nothing(index_elements=["facility_id"])
    )
    return db.session.execute(
        select(StockLocation.id).where(StockLocation.facility_id == facility_id)
    ).scalar_one()


def stand_location_id(exhibition_id: int) -> int:
    """The stock location of an exhibition's stand; made on first use."""
    found = db.session.scalar(select(StockLocation.id).where(StockLocation.exhibition_id == exhibition_id))
    if found is not None:
        return found
    db.session.execute(
        upsert(StockLocation)
        .values(exhibition_id=exhibition_id)
        .on_conflict_do_nothing(index_elements=["exhibition_id"])
    )
    return db.session.execute(
        select(StockLocation.id).where(StockLocation.exhibition_id == exhibition_id)
    ).scalar_one()
