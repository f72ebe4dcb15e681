"""Pieces come and go: every change of what is on hand is a movement."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import dated_at
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.stock.levels import shown_state
from storefront.stock.models import MovementReason, StockLevel, StockMovement
from storefront.stock.shown import tell_catalogue


class NotEnoughStock(DomainError):
    """More would be taken than is free; `available` says how much is."""

    code, status = "not_enough_stock", 409

    def __init__(self, available: int) -> None:
        super().__init__(
            _(
                "Stok yang bebas hanya %(available)d. Sisanya sedang dipegang pesanan yang belum dibayar.",
                available=available,
            ),
            extra={"available": available},
        )


def move(
    variant_id: int,
    location_id: int,
    quantity: int,
    reason: MovementReason | str,
    *,
    person_id: int | None = None,
    note: str = "",
    source: str | None = None,
    moved_at: datetime.datetime | None = None,
    undoes: int | None = None,
) -> bool:
    """Add (+) or take (−) pieces and write down why; a trigger changes the level.

    With a `source` that was moved before, nothing happens and False is returned. `undoes` is the movement that
    this one takes back. Raises NotEnoughStock when fewer are free than would be taken.
    """
    if quantity == 0:
        return False
    level = _locked_level(variant_id, location_id)
    if level is not None and source is not None and _moved_before(source):
        return False
    free = level.on_hand - level.reserved if level else 0
    if free + quantity < 0:
        raise NotEnoughStock(free)
    values: dict[str, Any] = {
        "variant_id": variant_id,
        "location_id": location_id,
        "quantity": quantity,
        "reason": MovementReason(reason).value,
        "person_id": person_id,
        "note": note,
        "source": source,
        "undoes": undoes,
    }
    if (moment := moved_at or dated_at()) is not None:
        values["moved_at"] = moment
    moved = db.session.execute(
        upsert(StockMovement)
        .values(values)
        .on_conflict_do_nothing(index_elements=["source"])
        .returning(StockMovement.id)
    ).scalar()
    if moved is None:
        return False
    if shown_state(free + quantity) != (level.shown_state if level else "sold_out"):
        tell_catalogue([variant_id])
    return True


def count(
    variant_id: int,
    location_id: int,
    counted: int,
    *,
    person_id: int | None = None,
    note: str = "",
    source: str | None = None,
) -> int:
    """Set what is on hand to what somebody counted; returns the difference that was moved.

    Raises NotEnoughStock when fewer were counted than are held for unpaid orders.
    """
    level = _locked_level(variant_id, location_id)
    difference = counted - (level.on_hand if level else 0)
    moved = move(
        variant_id,
        location_id,
        difference,
        MovementReason.COUNTED,
        person_id=person_id,
        note=note,
        source=source,
    )
    return difference if moved else 0


def move_several(
    location_id: int,
    pieces: Mapping[int, int],
    reason: MovementReason | str,
    *,
    key: str,
    person_id: int | None = None,
    note: str = "",
) -> list[int]:
    """Move pieces of several variants (id → signed number) for one reason; returns the variants that moved.

    `key` is the form's: sent twice, it moves once. Raises NotEnoughStock with the variant in `extra["variant_id"]`:
    then none is to be kept.
    """
    moved = []
    for variant_id, quantity in sorted(pieces.items()):
        source = f"several:{key}:{variant_id}"
        try:
            done = move(
                variant_id, location_id, quantity, reason, person_id=person_id, note=note, source=source
            )
        except NotEnoughStock as refusal:
            refusal.extra["variant_id"] = variant_id
            raise
        if done:
            moved.append(variant_id)
    return moved


def take_back(movement: StockMovement, *, person_id: int | None, note: str = "") -> bool:
    """A counter-movement that undoes this one, once; False when it is undone already. Raises NotEnoughStock."""
    return move(
        movement.variant_id,
        movement.location_id,
        -movement.quantity,
        movement.reason,
        person_id=person_id,
        note=note,
        source=f"undo:{movement.id}",
        undoes=movement.id,
    )


def _locked_level(variant_id: int, location_id: int) -> StockLevel | None:
    return db.session.scalar(
        select(StockLevel)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _moved_before(source: str) -> bool:
    return db.session.scalar(select(StockMovement.id).where(StockMovement.source == source)) is not None
