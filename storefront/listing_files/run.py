"""Run an import: products with their results, some in each transaction, in chunks that end soon.

Products that can be stored together are: what is locked is let go soon, and a fault, a quarrel or a refusal of the
database lets them be stored one by one, each in a transaction of its own.

The rows' outcomes are the memory: whatever is killed, the next job goes on with the first row that has none. The
imports of one facility run one after the other, since its job always takes the one that was begun first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from storefront.extensions import db, defer
from storefront.listing_files.models import ImportState, ListingImport, ListingImportRow
from storefront.listing_files.outcomes import end_import
from storefront.listing_files.reading import current_of
from storefront.listing_files.steps import KeptProduct, store_products

#: A job ends after this, so that a worker that is told to stop stops; the next goes on.
SECONDS = 2.0
PRODUCTS_AT_ONCE = 200
#: Stored in one transaction: so long their rows, and the levels that purchases want, stay locked.
PRODUCTS_TOGETHER = 25


def queue(facility_id: int) -> None:
    """Let the facility's imports go on, in the session's transaction."""
    name = f"listing-import:{facility_id}"
    defer("listing_files.run", facility_id=facility_id, lock=name, queueing_lock=name)


def work_on(facility_id: int, seconds: float = SECONDS) -> None:
    """Go on with the facility's imports for a while; queues itself again when anything is left. Commits."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = db.session.scalar(
            select(ListingImport)
            .where(
                ListingImport.facility_id == facility_id,
                ListingImport.state.in_((ImportState.RUNNING, ImportState.STOPPING)),
            )
            .order_by(ListingImport.begun_at, ListingImport.id)
            .limit(1)
            .execution_options(populate_existing=True)
        )
        if found is None:
            db.session.rollback()
            return
        with force_locale(found.language):
            _chunk(found, ends)
    queue(facility_id)
    db.session.commit()


def _chunk(found: ListingImport, ends: float) -> None:
    waiting = _waiting(found.id)
    if not waiting:
        _finish(found.id)
        return
    keys, import_id = found.layout["columns"], found.id
    products = [
        KeptProduct(number, list(kept), keys)
        for number, kept in groupby(waiting, key=lambda row: row.product)
    ]
    now = current_of(found, [row for product in products for row in product.rows])
    for together in _batches(products):
        if time.monotonic() > ends or not store_products(import_id, together, now):
            return


def _batches(products: Sequence[KeptProduct]) -> Iterator[Sequence[KeptProduct]]:
    """Products to be stored together; one with photos stands alone, since these take their time."""
    batch: list[KeptProduct] = []
    for product in products:
        has_photos = any("photos" in row.values for row in product.rows)
        if batch and (has_photos or len(batch) >= PRODUCTS_TOGETHER):
            yield batch
            batch = []
        batch.append(product)
        if has_photos:
            yield batch
            batch = []
    if batch:
        yield batch


def _waiting(import_id: int) -> Sequence[Any]:
    """Rows of the next products without an outcome."""
    products = (
        select(ListingImportRow.product)
        .where(ListingImportRow.import_id == import_id, ListingImportRow.outcome.is_(None))
        .order_by(ListingImportRow.product)
        .distinct()
        .limit(PRODUCTS_AT_ONCE)
    )
    columns = (ListingImportRow.row, ListingImportRow.product, ListingImportRow.cells, ListingImportRow.verdict,
               ListingImportRow.faults, ListingImportRow.pictures)  # fmt: skip
    statement = select(*columns).where(
        ListingImportRow.import_id == import_id,
        ListingImportRow.outcome.is_(None),
        ListingImportRow.product.in_(products),
    )
    return db.session.execute(statement.order_by(ListingImportRow.product, ListingImportRow.row)).all()


def _finish(import_id: int) -> None:
    """Nothing waits any more. Commits."""
    found = db.session.get_one(ListingImport, import_id, with_for_update=True, populate_existing=True)
    end_import(found, ImportState.CANCELLED if found.state == ImportState.STOPPING else ImportState.DONE)
    db.session.commit()
