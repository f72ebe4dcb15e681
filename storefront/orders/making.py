"""What is made to order waits its turn: a variant with a weekly capacity is promised for the week it is made in.

Exact when an order is placed, as orders for one variant are placed one after the other; what cached pages say is
brought up to date by a job, never by a purchase.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, text

from storefront.catalogue.models import Variant
from storefront.extensions import db, defer

WEEK = 7
#: Pieces ordered and not packed yet, by variant: of living unpaid orders too, as they hold their turn.
AHEAD = """
    SELECT l.variant_id, sum(pl.quantity)::integer AS pieces
      FROM order_lines l
      JOIN parcel_lines pl ON pl.order_line_id = l.id
      JOIN parcels p ON p.id = pl.parcel_id AND p.state IN ('waiting', 'to_pack')
      JOIN orders o ON o.id = l.order_id AND o.state IN ('awaiting_payment', 'paid')
     WHERE l.lead_time_days IS NOT NULL {which}
     GROUP BY l.variant_id"""
OF_VARIANTS = text(AHEAD.format(which="AND l.variant_id = ANY (:ids)"))
REFRESH = text(
    f"""
    WITH ahead AS ({AHEAD.format(which="")}), stale AS (
        SELECT v.id, COALESCE(a.pieces, 0) / v.weekly_capacity AS weeks FROM variants v
          LEFT JOIN ahead a ON a.variant_id = v.id WHERE v.weekly_capacity IS NOT NULL
        UNION ALL SELECT id, 0 FROM variants WHERE weekly_capacity IS NULL AND queued_weeks <> 0)
    UPDATE variants v SET queued_weeks = stale.weeks FROM stale
     WHERE v.id = stale.id AND v.queued_weeks <> stale.weeks"""  # noqa: S608 - both pieces are this file's own
)


def weeks(pieces_ahead: int, pieces: int, weekly_capacity: int | None) -> int:
    """How many weeks later than usual the last of `pieces` is made. `weekly_capacity` None: however many there are."""
    return 0 if weekly_capacity is None else (pieces_ahead + max(pieces, 1) - 1) // weekly_capacity


def pieces_ahead(variant_ids: Iterable[int]) -> dict[int, int]:
    """Pieces of made-to-order variants that are ordered and not packed yet; one query, none without variants."""
    ids = sorted(set(variant_ids))
    if not ids:
        return {}
    return {variant_id: pieces for variant_id, pieces in db.session.execute(OF_VARIANTS, {"ids": ids})}  # noqa: C416


def queue_up(variants: Sequence[Variant]) -> None:
    """Let orders for variants with a capacity be placed one after the other, until the transaction ends."""
    ids = sorted({variant.id for variant in variants if variant.made_to_order and variant.weekly_capacity})
    if ids:
        db.session.execute(
            select(Variant.id).where(Variant.id.in_(ids)).order_by(Variant.id).with_for_update(key_share=True)
        )


def lead_times(wanted: Sequence[tuple[Variant, int]]) -> Mapping[int, int | None]:
    """Days until each is made, by variant id, behind what is ordered already; None for what lies in the store.

    `wanted`: variants and pieces. Exact after `queue_up`.
    """
    limited = [variant.id for variant, _pieces in wanted if variant.made_to_order and variant.weekly_capacity]
    ahead = pieces_ahead(limited)
    found: dict[int, int | None] = {}
    for variant, pieces in wanted:
        days = variant.lead_time_days if variant.made_to_order else None
        if days is not None:
            days += WEEK * weeks(ahead.get(variant.id, 0), pieces, variant.weekly_capacity)
        found[variant.id] = days
    return found


def tell_pages(variants: Sequence[Variant]) -> None:
    """Have what cached pages say follow, after commit."""
    if any(variant.made_to_order and variant.weekly_capacity for variant in variants):
        defer("orders.refresh_queues")


def refresh_queues() -> int:
    """Bring what pages say of waiting weeks up to date; returns how many variants changed. Never commits."""
    return int(getattr(db.session.execute(REFRESH), "rowcount", 0))
