"""A workshop's fair-work declaration as the public reads it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db

#: Texts that have an English form beside the Indonesian one.
TEXTS = ("safety_gear", "accident_cover", "premium", "complaints", "private_partner")

#: The declaration in force of each workshop on the day :today; to be joined on `workshop_id`.
IN_FORCE = """
    SELECT d.* FROM workshop_declarations d
     WHERE d.state = 'approved' AND :today BETWEEN d.valid_from AND d.valid_until"""

#: Each workshop of a facility with its declaration, and until when it may sell without one.
OF_FACILITY = f"""
SELECT w.name, w.sells_undeclared_until >= :today AS is_awaited, to_jsonb(d) AS declared
  FROM workshops w
  LEFT JOIN ({IN_FORCE}) d ON d.workshop_id = w.id
 WHERE w.facility_id = :facility ORDER BY w.name"""  # noqa: S608 - both pieces are this file's own


@dataclass(frozen=True)
class DeclarationView:
    """What a workshop declares of its work. Whether it is voluntary is no question: it always is."""

    workshop: str
    valid_from: datetime.date
    valid_until: datetime.date
    hours_per_day: int
    days_per_week: int
    safety_gear: str
    accident_cover: str
    premium: str
    complaints: str
    #: Empty: none.
    private_partner: str

    @classmethod
    def of(cls, workshop: str, row: Mapping[str, Any], locale: str) -> DeclarationView:
        """From a row of `workshop_declarations` (or its JSON), in `locale` where it is written in it."""
        english = locale == "en"
        return cls(
            workshop=workshop,
            valid_from=_day(row["valid_from"]),
            valid_until=_day(row["valid_until"]),
            hours_per_day=row["hours_per_day"],
            days_per_week=row["days_per_week"],
            **{name: (row[f"{name}_en"] if english else "") or row[name] for name in TEXTS},
        )


@dataclass(frozen=True)
class WorkshopDeclared:
    """A workshop, and its declaration in force; None while it has none."""

    workshop: str
    declaration: DeclarationView | None
    #: It sold before declarations were asked for, and may go on for a while.
    is_awaited: bool


def workshops_of(facility_id: int, today: datetime.date, locale: str) -> list[WorkshopDeclared]:
    """All workshops of a facility by name, each with what it declares on the day `today`. One query."""
    rows = db.session.execute(text(OF_FACILITY), {"facility": facility_id, "today": today}).mappings()
    return [
        WorkshopDeclared(
            row["name"],
            DeclarationView.of(row["name"], row["declared"], locale) if row["declared"] else None,
            bool(row["is_awaited"]),
        )
        for row in rows
    ]


def _day(value: datetime.date | str) -> datetime.date:
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value
