"""How pieces of a variant came and went, and where they lie: the history with its filters."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Date, cast, column, func, select, table
from sqlalchemy.orm import aliased

from storefront.extensions import db
from storefront.pages import Paged
from storefront.people.models import Person
from storefront.stock.models import MovementReason, StockLevel, StockLocation, StockMovement
from storefront.stock.undo import by_hand

PAGE = 25
#: Stands are told by their fair's name; the fairs themselves are a room above this one.
FAIRS = table("exhibitions", column("id"), column("slug"), column("name"), column("ends_on"))
#: In a filter by person: nobody, the shop itself.
NOBODY = "0"
STORE = "store"


@dataclass(frozen=True)
class HistoryFilter:
    """What of the history is wanted; what is None or empty does not narrow it. Days are the facility's own."""

    reason: str = ""
    person: str = ""
    place: str = ""
    first: datetime.date | None = None
    last: datetime.date | None = None


@dataclass(frozen=True)
class Movement:
    """A movement, with what was on hand at its place after it."""

    id: int
    moved_at: datetime.datetime
    quantity: int
    reason: str
    note: str
    on_hand: int
    person_name: str | None
    source: str | None
    #: Name of the fair at whose stand it was; None: the store.
    fair: str | None
    may_be_undone: bool
    #: The movement that this one takes back, and when that was.
    undoes: int | None
    undone_at: datetime.datetime | None
    #: Whether another one has taken this one back.
    is_undone: bool


class HistoryPage(Paged[Movement]):
    size = PAGE


@dataclass(frozen=True)
class Place:
    """Pieces of a variant at one place."""

    #: Slug and name of the fair; None: the facility's own store.
    slug: str | None
    fair: str | None
    on_hand: int
    reserved: int


def places(variant_id: int) -> list[Place]:
    """Where pieces of a variant lie or have lain: the store first, then stands, the latest fair first."""
    rows = db.session.execute(
        select(FAIRS.c.slug, FAIRS.c.name, StockLevel.on_hand, StockLevel.reserved)
        .select_from(StockLevel)
        .join(StockLocation, StockLocation.id == StockLevel.location_id)
        .outerjoin(FAIRS, FAIRS.c.id == StockLocation.exhibition_id)
        .where(StockLevel.variant_id == variant_id)
        .order_by(FAIRS.c.ends_on.desc().nulls_first(), FAIRS.c.name)
    )
    return [Place(*row) for row in rows]


def keepers(variant_id: int) -> list[tuple[int, str]]:
    """Who has moved pieces of a variant by hand: id and name."""
    rows = db.session.execute(
        select(Person.id, Person.name)
        .where(Person.id.in_(select(StockMovement.person_id).where(StockMovement.variant_id == variant_id)))
        .order_by(Person.name, Person.id)
    )
    return [(id_, name) for id_, name in rows]


def is_of(movement_id: int, variant_id: int) -> bool:
    """Whether a movement moved pieces of this variant."""
    return (
        db.session.scalar(
            select(StockMovement.id).where(
                StockMovement.id == movement_id, StockMovement.variant_id == variant_id
            )
        )
        is not None
    )


def history(
    variant_id: int, time_zone: str, wanted: HistoryFilter | None = None, page: int = 1
) -> HistoryPage:
    """Movements of a variant in its store and at stands, the latest first; `on_hand` counts all of a place's."""
    where = [StockMovement.variant_id == variant_id, *_narrowed(wanted or HistoryFilter(), time_zone)]
    place = (
        select(StockMovement.id)
        .join(StockLocation, StockLocation.id == StockMovement.location_id)
        .outerjoin(FAIRS, FAIRS.c.id == StockLocation.exhibition_id)
        .where(*where)
    )
    total = db.session.scalar(select(func.count()).select_from(place.subquery())) or 0
    after = func.sum(StockMovement.quantity).over(
        partition_by=StockMovement.location_id, order_by=StockMovement.id
    )
    running = (
        select(StockMovement.id, after.label("on_hand"))
        .where(StockMovement.variant_id == variant_id)
        .subquery()
    )
    first, back = aliased(StockMovement), aliased(StockMovement)
    rows = db.session.execute(
        select(
            StockMovement,
            running.c.on_hand,
            Person.name.label("person"),
            FAIRS.c.name.label("fair"),
            by_hand().label("by_hand"),
            first.moved_at.label("undone_at"),
            back.id.label("back"),
        )
        .join(running, running.c.id == StockMovement.id)
        .join(StockLocation, StockLocation.id == StockMovement.location_id)
        .outerjoin(FAIRS, FAIRS.c.id == StockLocation.exhibition_id)
        .outerjoin(Person, Person.id == StockMovement.person_id)
        .outerjoin(first, first.id == StockMovement.undoes)
        .outerjoin(back, back.undoes == StockMovement.id)
        .where(*where)
        .order_by(StockMovement.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    found = [
        Movement(
            id=row.StockMovement.id,
            moved_at=row.StockMovement.moved_at,
            quantity=row.StockMovement.quantity,
            reason=row.StockMovement.reason,
            note=row.StockMovement.note,
            on_hand=row.on_hand,
            person_name=row.person,
            source=row.StockMovement.source,
            fair=row.fair,
            may_be_undone=bool(row.by_hand) and row.back is None and row.fair is None,
            undoes=row.StockMovement.undoes,
            undone_at=row.undone_at,
            is_undone=row.back is not None,
        )
        for row in rows
    ]
    return HistoryPage(found, total, page)


def _narrowed(wanted: HistoryFilter, time_zone: str) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    day = cast(func.timezone(time_zone, StockMovement.moved_at), Date)
    if wanted.reason in set(MovementReason):
        where.append(StockMovement.reason == wanted.reason)
    if wanted.person == NOBODY:
        where.append(StockMovement.person_id.is_(None))
    elif wanted.person.isdecimal() and len(wanted.person) < 18:
        where.append(StockMovement.person_id == int(wanted.person))
    if wanted.place == STORE:
        where.append(FAIRS.c.id.is_(None))
    elif wanted.place:
        where.append(FAIRS.c.slug == wanted.place)
    if wanted.first:
        where.append(day >= wanted.first)
    if wanted.last:
        where.append(day <= wanted.last)
    return where
