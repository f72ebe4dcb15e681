"""What a coordinator did with the shelf lately: a slip undone, low-stock marks, one stock-take finished and one begun.

Everything goes through the shop's own rules. All of it is invented.
"""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.audit.record import dated
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.stock import adjust, counting, low_marks, settle_take, shelf, take_rows, takes, undo
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason, StockMovement
from storefront.stock.shelf import ShelfFilter
from storefront.stock.take_models import StockTake

#: The workshop whose pieces were counted, and the one whose are being counted.
COUNTED, COUNTING = "Jahit", "Batik"


def add(facility_id: int, keeper: int, helper: int, today: datetime.date) -> None:
    """Write it for the facility that people look at first: `keeper` is its coordinator, `helper` counts a row again."""
    yesterday = today - days(1)
    workshops = {name: id_ for id_, name in shelf.workshops(facility_id)}
    if not {COUNTED, COUNTING} <= workshops.keys():
        return
    with dated(at(yesterday, 13)):
        finished = _begin(facility_id, workshops[COUNTED], keeper)
        rows = take_rows.rows(finished)
        counted: dict[int, int | None] = {row.position: row.piece.on_hand for row in rows}
        # One piece is missing of the size of which most lie there.
        most = max(rows, key=lambda row: row.piece.available)
        if most.piece.available > 1:
            counted[most.position] = most.piece.on_hand - 1
        counting.count(finished, counted, person_id=keeper, key=_key(finished, "lembar"))
    with dated(at(yesterday, 14)):
        settle_take.finish(finished, person_id=keeper)
    with dated(at(yesterday, 15)):
        _slip(facility_id, keeper)
        begun = _begin(facility_id, workshops[COUNTING], keeper)
        rows = take_rows.rows(begun)
        first: dict[int, int | None] = {row.position: max(0, row.piece.on_hand - 2) for row in rows[:1]}
        second: dict[int, int | None] = {row.position: row.piece.on_hand for row in rows[1:2]}
        counting.count(begun, first | second, person_id=keeper, key=_key(begun, "ponsel"))
        again: dict[int, int | None] = {row.position: row.piece.on_hand + 1 for row in rows[1:2]}
        if again:
            counting.count(begun, again, person_id=helper, key=_key(begun, "bantuan"))
    marked = [row.variant_id for row in shelf.countable(facility_id, ShelfFilter(workshop=workshops[COUNTED]))]
    with dated(at(yesterday, 16)):
        low_marks.set_marks(facility_id, marked, 8, person_id=keeper)


def _begin(facility_id: int, workshop_id: int, keeper: int) -> StockTake:
    return takes.begin(
        facility_id,
        workshop_id=workshop_id,
        category_id=None,
        person_id=keeper,
        key=f"demo-stock-take-{facility_id}-{workshop_id}",
    )


def _key(take: StockTake, word: str) -> str:
    return f"demo-stock-count-{take.id}-{word}"


def _slip(facility_id: int, keeper: int) -> None:
    """Thirty written instead of three, seen at once."""
    piece = shelf.countable(facility_id)[0]
    location = store_location_id(facility_id)
    moment = takes.moment()
    adjust.move(
        piece.variant_id, location, 30, MovementReason.MADE, person_id=keeper, note="Sif pagi",
        source=f"demo:slip:{piece.variant_id}", moved_at=moment,
    )  # fmt: skip
    slip = db.session.scalars(
        select(StockMovement.id).where(StockMovement.source == f"demo:slip:{piece.variant_id}")
    ).one()
    undo.undo(facility_id, [slip], person_id=keeper)
    adjust.move(
        piece.variant_id, location, 3, MovementReason.MADE, person_id=keeper, note="Sif pagi",
        source=f"demo:made:{piece.variant_id}", moved_at=moment,
    )  # fmt: skip
