"""What cached public pages say of stock: ready, few left or sold out; and when that changes.

A purchase never touches the catalogue: it queues `catalogue.refresh_shown_state`, which runs after commit.
The trigger on `stock_levels.shown_state` then renews the listing and raises the catalogue's version.
"""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from storefront.extensions import db

#: From this many pieces down, shoppers are told that few are left (the same as `stock.levels.FEW`).
FEW = 3

STATE = """CASE WHEN on_hand - reserved <= 0 THEN 'sold_out' WHEN on_hand - reserved <= :few THEN 'few_left'
               ELSE 'ready' END"""

#: Rows are locked in the order in which purchases lock them, so that no purchase dies in a deadlock.
REFRESH = text(
    f"""
    WITH stale AS (
        SELECT variant_id, location_id, {STATE} AS state FROM stock_levels
         WHERE (CAST(:variant_ids AS bigint[]) IS NULL OR variant_id = ANY(:variant_ids)) AND shown_state <> {STATE}
         ORDER BY variant_id, location_id FOR NO KEY UPDATE)
    UPDATE stock_levels s SET shown_state = stale.state
      FROM stale WHERE s.variant_id = stale.variant_id AND s.location_id = stale.location_id"""
)


def refresh_shown_state(variant_ids: Sequence[int] | None) -> int:
    """Make pages say what is so now for these variants (None: for all); returns how many levels changed.

    Never commits.
    """
    ids = None if variant_ids is None else list(variant_ids)
    return db.session.execute(REFRESH, {"variant_ids": ids, "few": FEW}).rowcount  # type: ignore[attr-defined]
