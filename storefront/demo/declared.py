"""Fair-work declarations of all workshops, year by year since before the demo's first sale."""

from __future__ import annotations

import datetime
import random
from typing import Any

from sqlalchemy import text

from storefront.demo import files
from storefront.demo.bulk import insert_rows
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.extensions import db
from storefront.facilities.declarations import last_day
from storefront.facilities.models import Declaration

#: Years that each workshop has declared, so that whatever the demo has sold was declared.
YEARS = 4
#: A workshop whose year ends soon, with the next one waiting for the office.
ENDING = ("PKL", "Jahit")
#: A workshop that works for a private firm.
WITH_PARTNER = ("TSM", "Rotan sintetis")
APPROVE = text(
    """UPDATE workshop_declarations SET state = 'approved', approved_by = :curator,
              approved_at = proposed_at + interval '4 days' WHERE state = 'proposed'"""
)


def add(
    places: Places, proposers: dict[str, int], administrator: int, curator: int, today: datetime.date, seed: str
) -> None:
    """Declare every workshop. `proposers`: coordinators' ids by facility code; elsewhere the administrator proposes."""
    rng = random.Random(f"{seed}:declared")
    years: dict[int, list[dict[str, Any]]] = {}
    waiting = []
    for key, workshop in places.workshops.items():
        first = _common(today - days(365 - 26 if key == ENDING else rng.randrange(20, 200)))
        person = proposers.get(key[0], administrator)
        if key == ENDING:
            waiting.append(_declaration(key, workshop.id, last_day(first) + days(1), person, at(today - days(1), 9)))
        for ago in range(YEARS):
            begun = first.replace(year=first.year - ago)
            years.setdefault(ago, []).append(_declaration(key, workshop.id, begun, person, at(begun - days(12), 9)))
    # One of a workshop's is decided on before the next is proposed.
    for ago in sorted(years, reverse=True):
        insert_rows(Declaration, years[ago])
        db.session.execute(APPROVE, {"curator": curator})
    insert_rows(Declaration, waiting)


def _common(first: datetime.date) -> datetime.date:
    """A day that every year has."""
    return first - days(1) if (first.month, first.day) == (2, 29) else first


def _declaration(
    key: tuple[str, str], workshop_id: int, first: datetime.date, person: int, proposed_at: datetime.datetime
) -> dict[str, Any]:
    words = files.toml("facts.toml")
    texts = {
        "safety_gear": words["gear"][files.workshop_word(key[1])],
        "accident_cover": words["declared"]["accident_cover"],
        "premium": words["declared"]["premium"],
        "complaints": words["declared"]["complaints"],
        "private_partner": words["declared"]["partner"] if key == WITH_PARTNER else ("", ""),
    }
    return {
        "workshop_id": workshop_id,
        "valid_from": first,
        "valid_until": last_day(first),
        "is_voluntary": True,
        "hours_per_day": 6 if files.workshop_word(key[1]) in ("Roti", "Boga") else 7,
        "days_per_week": 5,
        "proposed_by": person,
        "proposed_at": proposed_at,
        **{name: text_[0] for name, text_ in texts.items()},
        **{f"{name}_en": text_[1] for name, text_ in texts.items()},
    }
