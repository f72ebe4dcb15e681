"""Finish a stock-take: the differences of all counted rows move in one transaction, one movement for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.stock import takes
from storefront.stock.levels import shown_state
from storefront.stock.models import MovementReason, StockMovement
from storefront.stock.reserve import lock_levels
from storefront.stock.shown import tell_catalogue
from storefront.stock.take_models import ROW_COUNTS, StockCount, StockTake, StockTakeRow, TakeState


@dataclass(frozen=True)
class Refused:
    """A counted row that cannot move; it stays open."""

    position: int
    why: str


@dataclass(frozen=True)
class Finished:
    """What finishing did: rows settled, how many of them moved pieces, and which were refused."""

    settled: int
    moved: int
    refused: Sequence[Refused]


def finish(take: StockTake, *, person_id: int, leave_rest: bool = False) -> Finished:
    """Settle every row that was counted and can move; the stock-take is finished when none was refused.

    The difference of a row is against what was on hand when it was counted, so what has moved since stays moved.
    With `leave_rest` it is finished although some were refused: they keep their stock as it is. Done twice, it
    moves once. Raises TakeEnded for one that was called off.
    """
    takes.lock(take)
    if take.state == TakeState.FINISHED.value:
        return Finished(0, 0, ())
    if take.state != TakeState.COUNTING.value:
        raise takes.TakeEnded()
    rows = _counted(take)
    levels = lock_levels((row.variant_id, take.location_id) for row in rows)
    counted_since = last_counted(take, [row.variant_id for row in rows])
    settled, refused = [], []
    for row in rows:
        level = levels.get((row.variant_id, take.location_id))
        on_hand, reserved = (level.on_hand, level.reserved) if level else (0, 0)
        later = counted_since.get(row.variant_id, 0) > row.after_move
        why = cannot_move(row.differ, later, row.counted - row.expected, on_hand, reserved)
        if why:
            refused.append(Refused(row.position, why))
        else:
            settled.append(row)
    moved = _move(take, settled, person_id)
    _keep(take, settled)
    _tell(take, settled, levels)
    if not refused or leave_rest:
        takes.end(take, TakeState.FINISHED, person_id)
    told = {"settled": len(settled), "moved": moved, "refused": [one.position for one in refused]}
    takes.told(take, "stock_take.settled", person_id, **told)
    return Finished(len(settled), moved, refused)


def cannot_move(differ: bool, later: bool, difference: int, on_hand: int, reserved: int) -> str | None:
    """Why a counted row cannot be settled now, in a sentence that says what to do; None when it can.

    `differ`: people counted different numbers; `later`: the pieces were set by another count since.
    """
    why = None
    if differ:
        why = _("Dua orang menghitung angka yang berbeda. Pilih yang benar, atau hitung lagi.")
    elif later:
        why = _("Stoknya sudah diubah oleh hitungan lain sesudah baris ini dihitung. Hitung lagi.")
    elif on_hand + difference < reserved:
        why = _(
            "Hasilnya akan menjadi %(left)d, padahal %(held)d sedang dipegang pesanan yang belum dibayar. "
            "Tunggu pesanannya dibayar atau berakhir, lalu hitung lagi.",
            left=on_hand + difference,
            held=reserved,
        )
    return None if why is None else str(why)


Counted = Row[int, int, int, int, int, int, bool, int, int | None]


def _counted(take: StockTake) -> list[Counted]:
    """The rows that somebody counted and that are not settled."""
    return list(
        db.session.execute(
            select(
                StockTakeRow.position,
                StockTakeRow.variant_id,
                StockCount.id.label("count_id"),
                StockCount.counted,
                StockCount.expected,
                StockCount.after_move,
                ROW_COUNTS.c.differ,
                Variant.price,
                Variant.material_cost,
            )
            .join(
                ROW_COUNTS,
                (ROW_COUNTS.c.stock_take_id == StockTakeRow.stock_take_id)
                & (ROW_COUNTS.c.position == StockTakeRow.position),
            )
            .join(StockCount, StockCount.id == ROW_COUNTS.c.count_id)
            .join(Variant, Variant.id == StockTakeRow.variant_id)
            .where(StockTakeRow.stock_take_id == take.id, StockTakeRow.settled_at.is_(None))
            .order_by(StockTakeRow.position)
        )
    )


def last_counted(take: StockTake, variant_ids: Sequence[int]) -> dict[int, int]:
    """The last movement by which each variant was set to what somebody counted."""
    found = db.session.execute(
        select(StockMovement.variant_id, func.max(StockMovement.id))
        .where(
            StockMovement.location_id == take.location_id,
            StockMovement.variant_id.in_(variant_ids),
            StockMovement.reason == MovementReason.COUNTED.value,
        )
        .group_by(StockMovement.variant_id)
    ).all()
    return {variant_id: movement_id for variant_id, movement_id in found}  # noqa: C416


def _move(take: StockTake, rows: Sequence[Counted], person_id: int) -> int:
    movements = [
        {
            "variant_id": row.variant_id,
            "location_id": take.location_id,
            "quantity": row.counted - row.expected,
            "reason": MovementReason.COUNTED.value,
            "person_id": person_id,
            "source": f"stock_take:{take.id}:{row.position}",
            "moved_at": takes.moment(),
        }
        for row in sorted(rows, key=lambda row: row.variant_id)
        if row.counted != row.expected
    ]
    if movements:
        db.session.execute(upsert(StockMovement).on_conflict_do_nothing(index_elements=["source"]), movements)
    return len(movements)


def _keep(take: StockTake, rows: Sequence[Counted]) -> None:
    """Write into each row what it was settled with."""
    if rows:
        db.session.execute(
            update(StockTakeRow),
            [
                {
                    "stock_take_id": take.id,
                    "position": row.position,
                    "count_id": row.count_id,
                    "expected": row.expected,
                    "counted": row.counted,
                    "price": row.price,
                    "material_cost": row.material_cost,
                    "settled_at": takes.moment(),
                }
                for row in rows
            ],
        )


def _tell(
    take: StockTake, rows: Sequence[Counted], levels: dict[tuple[int, int], Row[int, int, int, int, str]]
) -> None:
    """Queue the catalogue's look at variants of which the public reads something else now."""
    changed = []
    for row in rows:
        level = levels.get((row.variant_id, take.location_id))
        free = level.on_hand - level.reserved if level else 0
        state = shown_state(free + row.counted - row.expected)
        if state != (level.shown_state if level else "sold_out"):
            changed.append(row.variant_id)
    tell_catalogue(changed)
