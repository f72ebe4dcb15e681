"""Stock-takes begin, are called off and taken up again; counting and settling have modules of their own.

Locks are taken in one order: the stock-take, its rows by position, then levels in (variant, location) order.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import aliased

from storefront.audit.record import dated_at, record
from storefront.catalogue.models import Category
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.languages import locale
from storefront.pages import Paged
from storefront.people.models import Person
from storefront.stock import shelf
from storefront.stock.levels import store_location_id
from storefront.stock.models import StockLocation
from storefront.stock.shelf import ShelfFilter
from storefront.stock.take_models import ROW_COUNTS, StockTake, StockTakeRow, TakeState

PAGE = 25
#: Longest list that people can count as one.
MOST_ROWS = 2000


class TakeEnded(DomainError):
    code, status = "stock_take_ended", 409
    message = _l("Hitung stok ini sudah selesai atau dibatalkan, jadi tidak dapat diubah lagi.")


class AlreadyCounting(DomainError):
    """Another one over the same goods is open; `extra["number"]` says which."""

    code, status = "already_counting", 409

    def __init__(self, number: int) -> None:
        super().__init__(
            _(
                "Hitung stok nomor %(number)d untuk bagian ini belum selesai. Lanjutkan atau batalkan dahulu.",
                number=number,
            ),
            extra={"number": number},
        )


@dataclass(frozen=True)
class TakeShown:
    """A stock-take in a list or on top of its pages."""

    id: int
    number: int
    state: str
    workshop: str | None
    category: str | None
    begun_at: datetime.datetime
    begun_by: str
    ended_at: datetime.datetime | None
    ended_by: str | None
    rows: int
    #: Rows that somebody has counted or that are settled.
    done: int
    #: Rows that are settled.
    settled: int


class TakePage(Paged[TakeShown]):
    size = PAGE


def begin(
    facility_id: int, *, workshop_id: int | None, category_id: int | None, person_id: int, key: str
) -> StockTake:
    """Freeze the list of what may lie in the store (all, a workshop's, a category's) and number its rows.

    `key` is the form's: sent twice, it begins one. Raises Invalid, AlreadyCounting.
    """
    location = store_location_id(facility_id)
    # One begins at a time in a store, so that numbers follow each other.
    db.session.execute(
        select(StockLocation.id).where(StockLocation.id == location).with_for_update(key_share=True)
    )
    begun: StockTake | None = db.session.scalar(
        select(StockTake).where(StockTake.request_key == key, StockTake.facility_id == facility_id)
    )
    if begun is not None:
        return begun
    _refuse_second(facility_id, workshop_id, category_id)
    found = shelf.countable(
        facility_id, ShelfFilter(workshop=workshop_id, category=category_id), limit=MOST_ROWS + 1
    )
    if not found:
        raise Invalid({"workshop": _("Tidak ada karya berstok di bagian ini. Pilih bagian lain.")})
    if len(found) > MOST_ROWS:
        raise Invalid(
            {
                "workshop": _(
                    "Lebih dari %(most)d baris. Mulai untuk satu bengkel atau satu kategori.", most=MOST_ROWS
                )
            }
        )
    last = db.session.scalar(select(func.max(StockTake.number)).where(StockTake.facility_id == facility_id))
    take = StockTake(
        facility_id=facility_id,
        location_id=location,
        number=(last or 0) + 1,
        workshop_id=workshop_id,
        category_id=category_id,
        request_key=key,
        begun_by=person_id,
        begun_at=moment(),
    )
    db.session.add(take)
    db.session.flush()
    db.session.execute(
        insert(StockTakeRow),
        [
            {"stock_take_id": take.id, "position": position, "variant_id": row.variant_id}
            for position, row in enumerate(found, start=1)
        ],
    )
    told(take, "stock_take.begun", person_id, rows=len(found))
    return take


def call_off(take: StockTake, *, person_id: int) -> None:
    """End a stock-take without moving anything (more). Raises TakeEnded once it is finished or has moved pieces."""
    lock(take)
    if take.state == TakeState.CALLED_OFF.value:
        return
    settled = db.session.scalar(
        select(func.count()).where(
            StockTakeRow.stock_take_id == take.id, StockTakeRow.settled_at.is_not(None)
        )
    )
    if take.state != TakeState.COUNTING.value or settled:
        raise TakeEnded(
            _("Sebagian hasilnya sudah dicatat. Selesaikan tanpa baris yang tersisa.") if settled else None
        )
    end(take, TakeState.CALLED_OFF, person_id)


def take_up(take: StockTake, *, person_id: int) -> None:
    """Go on with one that was called off. Raises TakeEnded, AlreadyCounting."""
    lock(take)
    if take.state == TakeState.COUNTING.value:
        return
    if take.state != TakeState.CALLED_OFF.value:
        raise TakeEnded()
    _refuse_second(take.facility_id, take.workshop_id, take.category_id)
    take.state, take.ended_by, take.ended_at = TakeState.COUNTING.value, None, None
    told(take, "stock_take.taken_up", person_id)


def end(take: StockTake, state: TakeState, person_id: int) -> None:
    """Write down who ended it and how; the caller holds it locked."""
    take.state, take.ended_by, take.ended_at = state.value, person_id, moment()
    db.session.flush()
    told(take, f"stock_take.{state.value}", person_id)


def lock(take: StockTake, *, shared: bool = False) -> None:
    """Lock a stock-take and read it fresh: `shared` while counting, alone to end it."""
    db.session.refresh(take, with_for_update={"read": shared})


def own(facility_id: int, number: int) -> StockTake:
    """The facility's own stock-take by its number. Raises NotFound."""
    take: StockTake | None = db.session.scalar(
        select(StockTake).where(StockTake.facility_id == facility_id, StockTake.number == number)
    )
    if take is None:
        raise NotFound()
    return take


def numbers(facility_id: int, sources: Iterable[str | None]) -> dict[str, tuple[int, int]]:
    """Of movements by a stock-take: its number and the row, by the movement's source."""
    rows = {
        source: (int(parts[1]), int(parts[2]))
        for source in sources
        if source and len(parts := source.split(":")) == 3 and parts[0] == "stock_take"
    }
    found = db.session.execute(
        select(StockTake.id, StockTake.number).where(
            StockTake.facility_id == facility_id, StockTake.id.in_({id_ for id_, _row in rows.values()})
        )
    ).all()
    known = {id_: number for id_, number in found}  # noqa: C416
    return {source: (known[id_], row) for source, (id_, row) in rows.items() if id_ in known}


def shown(take: StockTake) -> TakeShown:
    """The same as in the list."""
    return _listed([StockTake.id == take.id], 1, 1)[0]


def listed(facility_id: int, state: str = "", page: int = 1) -> TakePage:
    """The facility's stock-takes, the latest first; with `state` only those."""
    where = [StockTake.facility_id == facility_id]
    if state in set(TakeState):
        where.append(StockTake.state == state)
    total = db.session.scalar(select(func.count()).select_from(StockTake).where(*where)) or 0
    return TakePage(_listed(where, page, PAGE), total, page)


def moment() -> datetime.datetime:
    """Now, or the moment that is being written down later."""
    return dated_at() or db.session.execute(select(func.now())).scalar_one()


def told(take: StockTake, action: str, person_id: int, **details: object) -> None:
    """Add an act on a stock-take to the trail."""
    record(
        action,
        "stock_take",
        take.id,
        person_id=person_id,
        facility_id=take.facility_id,
        details={"number": take.number, **details},
    )


def _refuse_second(facility_id: int, workshop_id: int | None, category_id: int | None) -> None:
    open_one = db.session.scalar(
        select(StockTake.number).where(
            StockTake.facility_id == facility_id,
            StockTake.state == TakeState.COUNTING.value,
            StockTake.workshop_id.is_not_distinct_from(workshop_id),
            StockTake.category_id.is_not_distinct_from(category_id),
        )
    )
    if open_one is not None:
        raise AlreadyCounting(open_one)


def _listed(where: Sequence[ColumnElement[bool]], page: int, limit: int) -> list[TakeShown]:
    beginner, ender = aliased(Person), aliased(Person)
    row = aliased(StockTakeRow)
    of_take = (
        select(func.count()).select_from(row).where(row.stock_take_id == StockTake.id).correlate(StockTake)
    )
    settled = of_take.where(row.settled_at.is_not(None))
    counted = of_take.where(row.settled_at.is_(None)).join(
        ROW_COUNTS,
        (ROW_COUNTS.c.stock_take_id == row.stock_take_id) & (ROW_COUNTS.c.position == row.position),
    )
    name = Category.name_en if locale() == "en" else Category.name
    found = db.session.execute(
        select(
            StockTake,
            Workshop.name.label("workshop"),
            name.label("category"),
            beginner.name.label("begun_by"),
            ender.name.label("ended_by"),
            of_take.scalar_subquery().label("rows"),
            counted.scalar_subquery().label("counted"),
            settled.scalar_subquery().label("settled"),
        )
        .join(beginner, beginner.id == StockTake.begun_by)
        .outerjoin(ender, ender.id == StockTake.ended_by)
        .outerjoin(Workshop, Workshop.id == StockTake.workshop_id)
        .outerjoin(Category, Category.id == StockTake.category_id)
        .where(*where)
        .order_by(StockTake.id.desc())
        .offset((page - 1) * limit)
        .limit(limit)
    )
    return [
        TakeShown(
            id=found_row.StockTake.id,
            number=found_row.StockTake.number,
            state=found_row.StockTake.state,
            workshop=found_row.workshop,
            category=found_row.category,
            begun_at=found_row.StockTake.begun_at,
            begun_by=found_row.begun_by,
            ended_at=found_row.StockTake.ended_at,
            ended_by=found_row.ended_by,
            rows=found_row.rows,
            done=found_row.counted + found_row.settled,
            settled=found_row.settled,
        )
        for found_row in found
    ]
