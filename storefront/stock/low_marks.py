"""From how many pieces down a variant is running out: the facility's own mark, else the shop's.

The shop's is a setting; until somebody sets it, `levels.FEW`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.days import today
from storefront.extensions import db
from storefront.stock.levels import FEW
from storefront.stock.models import LowStockDefault, LowStockMark

#: Highest mark that makes sense to anybody.
MOST = 10_000


def mark() -> ColumnElement[int]:
    """A variant's mark, where `LowStockMark` is outer-joined."""
    return func.coalesce(LowStockMark.pieces, _default().scalar_subquery(), FEW)


def default_mark() -> int:
    """The shop's own, of variants that have none."""
    found: int | None = db.session.scalar(_default())
    return FEW if found is None else found


def _default() -> Any:
    query = select(LowStockDefault.pieces).where(LowStockDefault.valid_from <= today())
    return query.order_by(LowStockDefault.valid_from.desc()).limit(1)


def set_marks(facility_id: int, variant_ids: Collection[int], pieces: int, *, person_id: int) -> int:
    """Let these variants of the facility count as low from `pieces` free ones down; returns how many changed.

    The caller has made sure that they are the facility's own.
    """
    marks = db.session.execute(
        select(LowStockMark.variant_id, LowStockMark.pieces).where(LowStockMark.variant_id.in_(variant_ids))
    ).all()
    before: dict[int, int] = {id_: kept for id_, kept in marks}  # noqa: C416
    usual = default_mark()
    changed = sorted(id_ for id_ in variant_ids if before.get(id_, usual) != pieces)
    if not changed:
        return 0
    db.session.execute(
        upsert(LowStockMark)
        .values([{"variant_id": id_, "pieces": pieces} for id_ in changed])
        .on_conflict_do_update(index_elements=["variant_id"], set_={"pieces": pieces})
    )
    for id_ in changed:
        record(
            "stock.low_mark_set",
            "variant",
            id_,
            person_id=person_id,
            facility_id=facility_id,
            details={"before": before.get(id_, usual), "after": pieces},
        )
    return len(changed)
