"""Count the rows of a stock-take, by phone or from a sheet: each count remembers what was on hand at its moment."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import Row, and_, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.stock import takes
from storefront.stock.models import StockLevel, StockMovement
from storefront.stock.take_models import StockCount, StockTake, StockTakeRow, TakeState

#: The largest number that is believed of one row.
MOST_PIECES = 100_000


def count(
    take: StockTake,
    counted: Mapping[int, int | None],
    *,
    person_id: int,
    key: str,
    counted_at: datetime.datetime | None = None,
) -> list[int]:
    """Write down what `person_id` counted, by position (None: takes back that it was counted); positions saved.

    `counted_at`: when, if not now (a sheet that is typed in later). What was saved before with the same `key` and
    number is not saved again; rows that are settled stay as they are. Raises TakeEnded, NotFound, Invalid.
    """
    takes.lock(take, shared=True)
    if take.state != TakeState.COUNTING.value:
        raise takes.TakeEnded()
    at = _moment(take, counted_at)
    rows = _locked_rows(take, counted)
    standing = _on_hand(take, [row.variant_id for row in rows], counted_at)
    before = _own_last(take, counted, person_id)
    saved = {
        row.position: counted[row.position]
        for row in rows
        if row.settled_at is None and _is_news(before.get(row.position), counted[row.position], key)
    }
    if saved:
        variants = {row.position: row.variant_id for row in rows}
        db.session.execute(
            insert(StockCount),
            [
                {
                    "stock_take_id": take.id,
                    "position": position,
                    "counted": number,
                    "expected": standing[variants[position]][0],
                    "after_move": standing[variants[position]][1],
                    "is_decision": False,
                    "request_key": key,
                    "person_id": person_id,
                    "counted_at": at,
                }
                for position, number in saved.items()
            ],
        )
        takes.told(take, "stock_take.counted", person_id, rows={str(k): v for k, v in saved.items()})
    return sorted(saved)


def decide(take: StockTake, position: int, count_id: int, *, person_id: int, key: str) -> int:
    """Of several counts of a row let this one hold; what was on hand at its moment goes with it. Returns its number.

    Raises TakeEnded, NotFound.
    """
    takes.lock(take, shared=True)
    if take.state != TakeState.COUNTING.value:
        raise takes.TakeEnded()
    (row,) = _locked_rows(take, {position: None})
    chosen = db.session.scalar(
        select(StockCount).where(
            StockCount.id == count_id,
            StockCount.stock_take_id == take.id,
            StockCount.position == position,
            StockCount.counted.is_not(None),
        )
    )
    if chosen is None:
        raise NotFound()
    if row.settled_at is not None:
        raise takes.TakeEnded()
    known = db.session.scalar(
        select(StockCount.id).where(
            StockCount.stock_take_id == take.id,
            StockCount.position == position,
            StockCount.is_decision,
            StockCount.request_key == key,
        )
    )
    if known is not None:
        return chosen.counted or 0
    db.session.execute(
        insert(StockCount).values(
            stock_take_id=take.id,
            position=position,
            counted=chosen.counted,
            expected=chosen.expected,
            after_move=chosen.after_move,
            is_decision=True,
            request_key=key,
            person_id=person_id,
            counted_at=chosen.counted_at,
        )
    )
    takes.told(take, "stock_take.decided", person_id, row=position, counted=chosen.counted)
    return chosen.counted or 0


def _moment(take: StockTake, counted_at: datetime.datetime | None) -> datetime.datetime:
    now = takes.moment()
    if counted_at is None:
        return now
    if not take.begun_at <= counted_at <= now:
        raise Invalid(
            {"counted_at": _("Tulis jam antara saat hitung stok dimulai dan sekarang, atau kosongkan.")}
        )
    return counted_at


def _locked_rows(take: StockTake, counted: Mapping[int, object]) -> list[StockTakeRow]:
    rows = db.session.scalars(
        select(StockTakeRow)
        .where(StockTakeRow.stock_take_id == take.id, StockTakeRow.position.in_(list(counted)))
        .order_by(StockTakeRow.position)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(counted):
        raise NotFound()
    return list(rows)


def _on_hand(
    take: StockTake, variant_ids: list[int], at: datetime.datetime | None
) -> dict[int, tuple[int, int]]:
    """What is or was on hand of each variant, and the last movement of it: one statement, so that both agree."""
    moved = and_(
        StockMovement.variant_id == StockLevel.variant_id, StockMovement.location_id == StockLevel.location_id
    )
    last = func.coalesce(func.max(StockMovement.id), 0)
    if at is None:
        statement = select(
            StockLevel.variant_id,
            StockLevel.on_hand,
            select(last).where(moved).correlate(StockLevel).scalar_subquery(),
        )
    else:
        then = and_(moved, StockMovement.moved_at <= at)
        statement = select(
            StockLevel.variant_id,
            select(func.coalesce(func.sum(StockMovement.quantity), 0))
            .where(then)
            .correlate(StockLevel)
            .scalar_subquery(),
            select(last).where(then).correlate(StockLevel).scalar_subquery(),
        )
    found = db.session.execute(
        statement.where(StockLevel.location_id == take.location_id, StockLevel.variant_id.in_(variant_ids))
    )
    return dict.fromkeys(variant_ids, (0, 0)) | {id_: (on_hand, move) for id_, on_hand, move in found}


Last = Row[int, int | None, str]


def _own_last(take: StockTake, counted: Mapping[int, object], person_id: int) -> dict[int, Last]:
    """The person's last count of each row."""
    rows = db.session.execute(
        select(StockCount.position, StockCount.counted, StockCount.request_key)
        .ext(distinct_on(StockCount.position))
        .where(
            StockCount.stock_take_id == take.id,
            StockCount.position.in_(list(counted)),
            StockCount.person_id == person_id,
        )
        .order_by(StockCount.position, StockCount.id.desc())
    )
    return {row.position: row for row in rows}


def _is_news(before: Last | None, number: int | None, key: str) -> bool:
    """Whether a count says anything that was not saved: nothing is taken back that was not there."""
    if before is None:
        return number is not None
    if number is None:
        return before.counted is not None
    return (before.counted, before.request_key) != (number, key)
