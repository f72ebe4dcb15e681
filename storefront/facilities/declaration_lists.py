"""Declarations as staff read them: a facility's workshops, and what waits for the central office."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, text

from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Declaration, Facility, Workshop
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page

PAGE = 25
STATES = ("proposed", "approved", "rejected", "ended")
WAITS = "(workshop_declarations.state = 'proposed')"
PLACE = Order(
    (
        (WAITS, "boolean"),
        (f"CASE WHEN {WAITS} THEN -workshop_declarations.id ELSE workshop_declarations.id END", "bigint"),
    )
)
#: From so many days before its end on a workshop's right to sell is called short, and its facility is reminded.
SOON = 30

#: Until when each workshop of a facility may sell without a gap, and what of it waits. `ends_on` null: not at all.
WORKSHOPS = """
SELECT w.id, w.name, may.ends_on, d.id AS in_force, d.valid_until, p.id AS proposed, r.id AS rejected, r.reason,
       w.sells_undeclared_until
  FROM workshops w
  LEFT JOIN workshop_declarations d ON d.workshop_id = w.id AND d.state = 'approved'
        AND :today BETWEEN d.valid_from AND d.valid_until
  LEFT JOIN workshop_declarations p ON p.workshop_id = w.id AND p.state = 'proposed'
  LEFT JOIN LATERAL (SELECT x.id, x.reason FROM workshop_declarations x
        WHERE x.workshop_id = w.id AND x.state IN ('rejected', 'ended') AND x.id > COALESCE(d.id, 0)
        ORDER BY x.id DESC LIMIT 1) r ON p.id IS NULL
 CROSS JOIN LATERAL (SELECT selling_ends_on(w.id, :today) AS ends_on) may
 WHERE w.facility_id = :facility ORDER BY w.name"""


@dataclass(frozen=True)
class WorkshopRow:
    """A workshop with what it has declared. Ids are of declarations."""

    id: int
    name: str
    #: The last day on which it may sell; None: it may not sell now.
    ends_on: datetime.date | None
    in_force: int | None
    valid_until: datetime.date | None
    proposed: int | None
    #: Sent back or ended since, with why; None while a proposal waits.
    rejected: int | None
    reason: str | None
    sells_undeclared_until: datetime.date | None

    @property
    def ends_soon(self) -> bool:
        return self.ends_on is None or (self.ends_on - today()).days <= SOON


def workshops(facility_id: int) -> list[WorkshopRow]:
    """The facility's workshops by name."""
    known = {"facility": facility_id, "today": today()}
    return [WorkshopRow(**row) for row in db.session.execute(text(WORKSHOPS), known).mappings()]


def declarations(state: str = "", turn: Turn = FIRST) -> Keyed[tuple[Declaration, str, Facility]]:
    """Declarations of all facilities with the workshop's name and the facility.

    Those that wait first, the oldest of them on top; then the latest decided.
    """
    query = _joined()
    found = select_page(query.where(Declaration.state == state) if state in STATES else query, PLACE, turn, size=PAGE)
    return found.of([(row[0], row[1], row[2]) for row in found.rows])


def of_workshop(workshop_id: int) -> list[Declaration]:
    """All that a workshop has declared, the latest first."""
    return list(
        db.session.scalars(
            select(Declaration).where(Declaration.workshop_id == workshop_id).order_by(Declaration.id.desc())
        )
    )


def find(declaration_id: int) -> Row[Declaration, str, Facility] | None:
    """A declaration with the name of its workshop and its facility."""
    return db.session.execute(_joined().where(Declaration.id == declaration_id)).one_or_none()


def count_waiting() -> int:
    """How many wait for the office."""
    return db.session.scalar(select(func.count()).where(Declaration.state == "proposed")) or 0


def _joined() -> Any:
    return (
        select(Declaration, Workshop.name, Facility)
        .join(Workshop, Workshop.id == Declaration.workshop_id)
        .join(Facility, Facility.id == Workshop.facility_id)
    )
