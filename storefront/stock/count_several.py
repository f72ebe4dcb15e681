"""What was counted of many things at once: the same as `adjust.count` for each, in a few statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import dated_at
from storefront.extensions import db
from storefront.stock.adjust import NotEnoughStock
from storefront.stock.levels import shown_state
from storefront.stock.models import MovementReason, StockLevel, StockMovement
from storefront.stock.shown import tell_catalogue


@dataclass(frozen=True)
class Counted:
    """Pieces that somebody counted; `source` is the business key: moved once, whatever is retried."""

    pieces: int
    note: str
    source: str


def count_several(
    location_id: int, counted: Mapping[int, Counted], *, person_id: int | None = None
) -> dict[int, int]:
    """Set what is on hand of each variant to what was counted; the differences that were moved, by variant.

    Levels are locked in the order of their variants. Raises NotEnoughStock, with the variant in
    `extra["variant_id"]`, when fewer were counted than are held for unpaid orders: then none is to be kept.
    """
    levels = _locked_levels(location_id, list(counted))
    wanted: dict[int, int] = {}
    for variant_id, said in sorted(counted.items()):
        level = levels.get(variant_id)
        on_hand, reserved = (level.on_hand, level.reserved) if level else (0, 0)
        if said.pieces < reserved:
            refusal = NotEnoughStock(on_hand - reserved)
            refusal.extra["variant_id"] = variant_id
            raise refusal
        if said.pieces != on_hand:
            wanted[variant_id] = said.pieces - on_hand
    if not wanted:
        return {}
    moment = {} if (at := dated_at()) is None else {"moved_at": at}
    rows = [
        {
            "variant_id": variant_id, "location_id": location_id, "quantity": quantity,
            "reason": MovementReason.COUNTED.value, "person_id": person_id, "note": counted[variant_id].note,
            "source": counted[variant_id].source, **moment,
        }
        for variant_id, quantity in wanted.items()
    ]  # fmt: skip
    statement = upsert(StockMovement).on_conflict_do_nothing(index_elements=["source"])
    moved = set(db.session.scalars(statement.returning(StockMovement.variant_id), rows))
    tell_catalogue([id_ for id_ in moved if _is_shown_otherwise(counted[id_].pieces, levels.get(id_))])
    return {variant_id: quantity for variant_id, quantity in wanted.items() if variant_id in moved}


def _locked_levels(location_id: int, variant_ids: list[int]) -> dict[int, Any]:
    """Levels by variant; those that are not there yet are left out."""
    rows = db.session.execute(
        select(StockLevel.variant_id, StockLevel.on_hand, StockLevel.reserved, StockLevel.shown_state)
        .where(StockLevel.location_id == location_id, StockLevel.variant_id == func.any(variant_ids))
        .order_by(StockLevel.variant_id)
        .with_for_update(key_share=True)
    )
    return {row.variant_id: row for row in rows}


def _is_shown_otherwise(pieces: int, level: Any) -> bool:
    """Whether cached pages say something else than they should of so many pieces."""
    said, reserved = (level.shown_state, level.reserved) if level else ("sold_out", 0)
    return bool(shown_state(pieces - reserved) != said)
