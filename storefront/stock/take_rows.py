"""The rows of a stock-take as its pages show them: what was counted by whom, and what it differs."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.people.models import Person
from storefront.stock import shelf
from storefront.stock.settle_take import cannot_move, last_counted
from storefront.stock.shelf import ShelfRow
from storefront.stock.take_models import ROW_COUNTS, StockCount, StockTake, StockTakeRow

#: Rows of a page of the list.
PAGE = 50


@dataclass(frozen=True)
class CountShown:
    """One person's count."""

    id: int
    counted: int
    person_id: int
    person_name: str
    counted_at: datetime.datetime
    is_decision: bool


@dataclass(frozen=True)
class TakeRow:
    """A row of the list. Amounts are whole rupiah."""

    position: int
    piece: ShelfRow
    #: What holds: None when nobody counted.
    counted: int | None
    #: On hand at the moment of that count.
    expected: int | None
    counted_at: datetime.datetime | None
    #: Everybody's last count, since somebody chose among them.
    counts: Sequence[CountShown]
    price: int
    material_cost: int | None
    is_settled: bool
    #: Why it cannot be settled now; None when it can.
    problem: str | None

    @property
    def difference(self) -> int | None:
        if self.counted is None or self.expected is None:
            return None
        return self.counted - self.expected

    @property
    def differ(self) -> bool:
        """Whether several people counted, and not the same."""
        return len({one.counted for one in self.counts}) > 1

    @property
    def moved_since(self) -> int:
        """Pieces that came or went after the count, of a row that is not settled."""
        return 0 if self.expected is None or self.is_settled else self.piece.on_hand - self.expected


def rows(
    take: StockTake, *, positions: Sequence[int] | None = None, first: int = 1, limit: int | None = None
) -> list[TakeRow]:
    """Rows in the order of the sheet: those at `positions`, or `limit` from the position `first` on."""
    where = [StockTakeRow.stock_take_id == take.id, StockTakeRow.position >= first]
    if positions is not None:
        where.append(StockTakeRow.position.in_(positions))
    found = db.session.execute(
        select(
            StockTakeRow,
            StockCount,
            ROW_COUNTS.c.differ,
            Variant.price,
            Variant.material_cost,
        )
        .join(Variant, Variant.id == StockTakeRow.variant_id)
        .outerjoin(
            ROW_COUNTS,
            (ROW_COUNTS.c.stock_take_id == StockTakeRow.stock_take_id)
            & (ROW_COUNTS.c.position == StockTakeRow.position),
        )
        .outerjoin(StockCount, StockCount.id == func.coalesce(StockTakeRow.count_id, ROW_COUNTS.c.count_id))
        .where(*where)
        .order_by(StockTakeRow.position)
        .limit(limit)
    ).all()
    ids = [row.StockTakeRow.variant_id for row in found]
    pieces, counts = shelf.by_id(ids), _counts(take, [row.StockTakeRow.position for row in found])
    later = last_counted(take, ids)
    made = []
    for row in found:
        kept, count = row.StockTakeRow, row.StockCount
        piece, settled = pieces[kept.variant_id], kept.settled_at is not None
        problem = None
        if count is not None and not settled:
            problem = cannot_move(
                bool(row.differ),
                later.get(kept.variant_id, 0) > count.after_move,
                count.counted - count.expected,
                piece.on_hand,
                piece.reserved,
            )
        made.append(
            TakeRow(
                position=kept.position,
                piece=piece,
                counted=count.counted if count else None,
                expected=count.expected if count else None,
                counted_at=count.counted_at if count else None,
                counts=counts.get(kept.position, ()),
                price=kept.price if settled else row.price,
                material_cost=kept.material_cost if settled else row.material_cost,
                is_settled=settled,
                problem=problem,
            )
        )
    return made


def next_uncounted(take: StockTake, after: int = 0) -> int | None:
    """The first row after a position that nobody has counted, beginning anew at the top; None: all are."""
    open_ones = list(
        db.session.scalars(
            select(StockTakeRow.position)
            .outerjoin(
                ROW_COUNTS,
                (ROW_COUNTS.c.stock_take_id == StockTakeRow.stock_take_id)
                & (ROW_COUNTS.c.position == StockTakeRow.position),
            )
            .where(
                StockTakeRow.stock_take_id == take.id,
                StockTakeRow.settled_at.is_(None),
                ROW_COUNTS.c.count_id.is_(None),
            )
            .order_by(StockTakeRow.position)
        )
    )
    return next((position for position in open_ones if position > after), open_ones[0] if open_ones else None)


@dataclass(frozen=True)
class Sums:
    """What a stock-take differs in all, of the rows that were counted."""

    counted: int
    expected: int
    price: int
    material_cost: int
    #: Rows that differ and whose material cost nobody has written down.
    without_cost: int


def sums(found: Sequence[TakeRow]) -> Sums:
    """Pieces, and the value of the differences at price and at material cost."""
    known = [row for row in found if row.difference is not None]
    return Sums(
        counted=sum(row.counted or 0 for row in known),
        expected=sum(row.expected or 0 for row in known),
        price=sum((row.difference or 0) * row.price for row in known),
        material_cost=sum((row.difference or 0) * (row.material_cost or 0) for row in known),
        without_cost=sum(1 for row in known if row.difference and row.material_cost is None),
    )


def _counts(take: StockTake, positions: Sequence[int]) -> dict[int, list[CountShown]]:
    decided = (
        select(StockCount.position, func.max(StockCount.id).label("id"))
        .where(StockCount.stock_take_id == take.id, StockCount.is_decision)
        .group_by(StockCount.position)
        .subquery()
    )
    found = db.session.execute(
        select(StockCount, Person.name)
        .join(Person, Person.id == StockCount.person_id)
        .outerjoin(decided, decided.c.position == StockCount.position)
        .ext(distinct_on(StockCount.position, StockCount.person_id))
        .where(
            StockCount.stock_take_id == take.id,
            StockCount.position.in_(positions),
            or_(decided.c.id.is_(None), StockCount.id >= decided.c.id),
        )
        .order_by(StockCount.position, StockCount.person_id, StockCount.id.desc())
    )
    counts: dict[int, list[CountShown]] = defaultdict(list)
    for count, name in found:
        if count.counted is not None:
            counts[count.position].append(
                CountShown(
                    count.id, count.counted, count.person_id, name, count.counted_at, count.is_decision
                )
            )
    for shown in counts.values():
        shown.sort(key=lambda one: one.id)
    return counts
