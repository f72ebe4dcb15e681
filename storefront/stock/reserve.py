"""Hold pieces for unpaid orders, give them back, or take them for good. Nothing oversells here.

Levels are locked in (variant, location) order, in the caller's transaction, then changed by conditional
updates; the table's CHECK refuses what both would have missed (PRODUCT.md, money rule 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, insert, select, tuple_, update

from storefront.errors import OutOfStock
from storefront.extensions import db
from storefront.stock.levels import shown_state
from storefront.stock.models import MovementReason, Reservation, StockLevel, StockMovement
from storefront.stock.shown import tell_catalogue


@dataclass(frozen=True)
class Wanted:
    """Pieces that an order line needs from a place."""

    variant_id: int
    location_id: int
    quantity: int
    sku: str


Level = Row[int, int, int, int, str]


def reserve(wanted: Sequence[Wanted]) -> None:
    """Hold all of `wanted` or nothing; lines that share a level are added up.

    Raises OutOfStock naming each short line with what is available.
    """
    totals = _totals((w.variant_id, w.location_id, w.quantity) for w in wanted)
    levels = lock_levels(totals)
    short = [key for key, quantity in totals.items() if _free(levels.get(key)) < quantity]
    for key in totals if not short else ():
        taken = db.session.execute(
            update(StockLevel)
            .where(
                StockLevel.variant_id == key[0],
                StockLevel.location_id == key[1],
                StockLevel.on_hand - StockLevel.reserved >= totals[key],
            )
            .values(reserved=StockLevel.reserved + totals[key])
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            short.append(key)
    if short:
        raise OutOfStock(
            [
                {
                    "sku": w.sku,
                    "wanted": w.quantity,
                    "available": max(0, _free(levels.get((w.variant_id, w.location_id)))),
                }
                for w in wanted
                if (w.variant_id, w.location_id) in short
            ]
        )
    _tell(levels, {key: -quantity for key, quantity in totals.items()})


def hold(order_lines: Iterable[tuple[int, Wanted]]) -> None:
    """Write down for which order line the reserved pieces are held."""
    rows = [
        {
            "order_line_id": line_id,
            "variant_id": w.variant_id,
            "location_id": w.location_id,
            "quantity": w.quantity,
        }
        for line_id, w in order_lines
    ]
    if rows:
        db.session.execute(insert(Reservation), rows)


def release(order_line_ids: Sequence[int]) -> None:
    """Give the pieces held for these lines back to the shop. Lines that hold nothing are passed over."""
    held = _reservations(order_line_ids, "held")
    totals = _totals((r.variant_id, r.location_id, r.quantity) for r in held)
    levels = lock_levels(totals)
    _change_reserved(totals, -1)
    _set_state(held, "released")
    _tell(levels, totals)


def reserve_again(order_line_ids: Sequence[int]) -> bool:
    """Hold again what was released (a payment that came too late). False when pieces are gone."""
    released = _reservations(order_line_ids, "released")
    try:
        reserve([Wanted(r.variant_id, r.location_id, r.quantity, "") for r in released])
    except OutOfStock:
        return False
    _set_state(released, "held")
    return True


def sell(order_line_ids: Sequence[int], *, moved_at: object = None) -> None:
    """Take the held pieces for good: reserved falls, and a movement takes them from what is on hand."""
    held = _reservations(order_line_ids, "held")
    totals = _totals((r.variant_id, r.location_id, r.quantity) for r in held)
    lock_levels(totals)
    _change_reserved(totals, -1)
    movements = [
        {
            "variant_id": r.variant_id,
            "location_id": r.location_id,
            "quantity": -r.quantity,
            "reason": MovementReason.SOLD.value,
            "source": f"order_line:{r.order_line_id}:sold",
            **({"moved_at": moved_at} if moved_at is not None else {}),
        }
        for r in held
    ]
    if movements:
        db.session.execute(insert(StockMovement), movements)
    _set_state(held, "sold")


def held_levels(order_line_ids: Sequence[int]) -> list[tuple[int, int]]:
    """The (variant, location) of every piece held for these lines, for who locks them together with others."""
    return [(r.variant_id, r.location_id) for r in _reservations(order_line_ids, "held")]


def lock_levels(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Level]:
    """Lock the levels of (variant, location) `keys`, in that order, and read them fresh."""
    keys = sorted(set(keys))
    if not keys:
        return {}
    rows = db.session.execute(
        select(
            StockLevel.variant_id,
            StockLevel.location_id,
            StockLevel.on_hand,
            StockLevel.reserved,
            StockLevel.shown_state,
        )
        .where(tuple_(StockLevel.variant_id, StockLevel.location_id).in_(keys))
        .order_by(StockLevel.variant_id, StockLevel.location_id)
        .with_for_update(key_share=True)
    )
    return {(row.variant_id, row.location_id): row for row in rows}


def _totals(pieces: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    totals: dict[tuple[int, int], int] = {}
    for variant_id, location_id, quantity in pieces:
        totals[variant_id, location_id] = totals.get((variant_id, location_id), 0) + quantity
    return dict(sorted(totals.items()))


def _free(level: Level | None) -> int:
    return level.on_hand - level.reserved if level is not None else 0


def _reservations(order_line_ids: Sequence[int], state: str) -> list[Reservation]:
    return list(
        db.session.scalars(
            select(Reservation)
            .where(Reservation.order_line_id.in_(order_line_ids), Reservation.state == state)
            .order_by(Reservation.variant_id, Reservation.location_id, Reservation.order_line_id)
            .execution_options(populate_existing=True)
        )
    )


def _change_reserved(totals: dict[tuple[int, int], int], sign: int) -> None:
    for (variant_id, location_id), quantity in totals.items():
        db.session.execute(
            update(StockLevel)
            .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
            .values(reserved=StockLevel.reserved + sign * quantity)
            .execution_options(synchronize_session=False)
        )


def _set_state(reservations: Sequence[Reservation], state: str) -> None:
    for reservation in reservations:
        reservation.state = state
    db.session.flush()


def _tell(levels: dict[tuple[int, int], Level], freed: dict[tuple[int, int], int]) -> None:
    """Queue the catalogue's look at variants whose free pieces changed enough to be shown otherwise."""
    tell_catalogue(
        [
            key[0]
            for key, change in freed.items()
            if key in levels and shown_state(_free(levels[key]) + change) != levels[key].shown_state
        ]
    )
