"""Take back what an import changed at once, as long as nobody changed it since. Proposals and drafts stay."""

from __future__ import annotations

import time
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.catalogue.models import Variant
from storefront.catalogue.offer import change_offer
from storefront.extensions import db, defer
from storefront.listing_files.keeping import ImportMoved, own_import
from storefront.listing_files.models import ENDED, ListingImport, ListingImportRow
from storefront.stock.adjust import NotEnoughStock, move
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason, StockMovement

SECONDS = 2.0
#: In a row's `done`: what of it was taken back.
UNDONE = "undone"


def ask(facility_id: int, import_id: int, person_id: int) -> ListingImport:
    """Queue the taking back; asked twice, it is done once. Never commits. Raises ImportMoved."""
    found = own_import(facility_id, import_id, lock=True)
    if found.state not in ENDED:
        raise ImportMoved()
    if found.undone_at is None:
        undone_at = db.session.execute(select(func.now())).scalar_one()
        found.undone_at, found.undone_by = undone_at, person_id
        record(
            "listing_import.undone", "listing_import", found.id, person_id=person_id, facility_id=facility_id
        )
        defer("listing_files.undo", import_id=import_id, lock=f"listing-import:{facility_id}")
    return found


def undo(import_id: int, seconds: float = SECONDS) -> None:
    """Take back row by row, each in a transaction of its own; queues itself again when anything is left. Commits."""
    ends = time.monotonic() + seconds
    found = db.session.get_one(ListingImport, import_id)
    facility_id, person_id = found.facility_id, found.undone_by
    while (row := _next(import_id)) is not None:
        row.done = {**row.done, UNDONE: _row(row, facility_id, person_id)}
        db.session.commit()
        if time.monotonic() > ends:
            defer("listing_files.undo", import_id=import_id, lock=f"listing-import:{facility_id}")
            db.session.commit()
            return
    db.session.rollback()


def _next(import_id: int) -> ListingImportRow | None:
    return db.session.scalar(
        select(ListingImportRow)
        .where(
            ListingImportRow.import_id == import_id,
            ListingImportRow.done != {},
            ~ListingImportRow.done.has_key(UNDONE),
        )
        .order_by(ListingImportRow.row)
        .limit(1)
        .with_for_update()
    )


def _row(row: ListingImportRow, facility_id: int, person_id: int | None) -> list[str]:
    """What of a row could be taken back."""
    variant = db.session.scalar(
        select(Variant)
        .where(Variant.sku == row.sku, Variant.product_id == row.product_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if variant is None:
        return []
    undone: list[str] = []
    now = {"price": variant.price, "lead_time": variant.lead_time_days, "capacity": variant.weekly_capacity}
    back = {name: row.done[name][0] for name in now if name in row.done and row.done[name][1] == now[name]}
    if back:
        change_offer(
            variant,
            price=back.get("price", variant.price),
            lead_time_days=back.get("lead_time", variant.lead_time_days),
        )
        variant.weekly_capacity = back.get("capacity", variant.weekly_capacity)
        undone += back
    if "stock" in row.done and _stock(row, variant.id, facility_id, person_id):
        undone.append("stock")
    if undone:
        details: dict[str, Any] = {"import": row.import_id, "sku": variant.sku, "undone": undone}
        record("product.import_undone", "product", variant.product_id, person_id=person_id, facility_id=facility_id,
               details=details)  # fmt: skip
    return undone


def _stock(row: ListingImportRow, variant_id: int, facility_id: int, person_id: int | None) -> bool:
    """Move the counted difference back, unless pieces came or went since."""
    source, location_id = f"import:{row.import_id}:{row.row}", store_location_id(facility_id)
    last = db.session.scalar(
        select(StockMovement.source)
        .where(StockMovement.variant_id == variant_id, StockMovement.location_id == location_id)
        .order_by(StockMovement.id.desc())
        .limit(1)
    )
    if last != source:
        return False
    before, after = row.done["stock"]
    try:
        with db.session.begin_nested():
            return move(
                variant_id,
                location_id,
                before - after,
                MovementReason.CORRECTION,
                person_id=person_id,
                note=_("Membatalkan impor nomor %(number)d", number=row.import_id),
                source=f"{source}:undo",
            )
    except NotEnoughStock:
        return False
