"""Facilities as the office lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from storefront.admission.admit import CHILDREN
from storefront.extensions import db
from storefront.facilities.models import Facility, Suspension
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.shipping.models import Province

PAGE = 40
BY_NAME = Order((("lower(facilities.name)", "text"), ("facilities.id", "bigint")), descending=False)
#: `closed`: a facility for children that nobody asks to admit.
STATES = ("active", "suspended", "waiting", "closed")


@dataclass(frozen=True)
class Line:
    """A facility in the list."""

    code: str
    name: str
    kind: str
    class_: str
    regional_office: str
    province: str
    city: str
    #: One of `STATES`.
    state: str


def state_column() -> ColumnElement[str]:
    """Which of `STATES` a facility is in, as a column."""
    stopped = exists().where(Suspension.facility_id == Facility.id, Suspension.lifted_at.is_(None))
    return case(
        (Facility.status == "active", "active"),
        (and_(Facility.kind == CHILDREN, ~stopped, Facility.admitted_by.is_not(None)), "waiting"),
        (and_(Facility.kind == CHILDREN, ~stopped), "closed"),
        else_="suspended",
    )


def facilities(
    ids: Iterable[int] | None, words: str, region: str, kind: str, state: str, turn: Turn = FIRST
) -> Keyed[Line]:
    """A page of some facilities, or (None) of all, by name.

    `words`: in code, name or city; `region`: a kanwil.
    """
    wanted: list[ColumnElement[bool]] = [] if ids is None else [Facility.id.in_(list(ids))]
    if words:
        pattern = "%" + words.lower().replace("\\", "").replace("%", "").replace("_", " ") + "%"
        said = (Facility.code, Facility.name, Facility.city)
        wanted.append(or_(*(func.lower(column).like(pattern) for column in said)))
    if region:
        wanted.append(Facility.regional_office == region)
    if kind:
        wanted.append(Facility.kind == kind)
    if state in STATES:
        wanted.append(state_column() == state)
    found = select_page(
        select(
            Facility.code, Facility.name, Facility.kind, Facility.class_, Facility.regional_office, Province.name,
            Facility.city, state_column(),
        )
        .join(Province, Province.id == Facility.province_id)
        .where(*wanted),
        BY_NAME, turn, size=PAGE,
    )  # fmt: skip
    return found.of([Line(*row) for row in found.rows])


def regions() -> list[str]:
    """Regional offices that have a facility."""
    query = select(Facility.regional_office).distinct().order_by(Facility.regional_office)
    return list(db.session.scalars(query))


def provinces() -> list[tuple[int, str]]:
    """Every province with its id."""
    return [(id_, name) for id_, name in db.session.execute(select(Province.id, Province.name).order_by(Province.name))]


def state_of(facility_id: int) -> str:
    """Which of `STATES` the facility is in."""
    return db.session.execute(select(state_column()).where(Facility.id == facility_id)).scalar_one()


def count_waiting() -> int:
    """How many facilities for children wait for their second person."""
    query = select(func.count()).select_from(Facility).where(state_column() == "waiting")
    return int(db.session.scalar(query) or 0)
