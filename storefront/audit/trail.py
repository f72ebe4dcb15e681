"""Read the audit trail: who did what, when, from where, before and after."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db

#: Acts on one page.
PAGE = 50
#: Acts on people and their sessions, on what was reported, and what auditors looked at: not for everybody who sees
#: the books.
ABOUT_PEOPLE = ("person", "membership", "session", "invitation", "handover", "page", "case")

#: The same conditions for page, count and export. Names in psycopg's and SQLAlchemy's way differ, so `{}`.
CONDITIONS = """
       ({ids} IS NULL OR e.facility_id = ANY ({ids}))
   AND ({with_people} OR e.subject_kind <> ALL ({about_people}))
   AND ({who} IS NULL OR strpos(lower(p.name || ' ' || p.email), lower({who})) > 0)
   AND ({action} IS NULL OR e.action = {action} OR split_part(e.action, '.', 1) = {action})
   AND ({subject} IS NULL OR e.subject_kind || ':' || e.subject_id = {subject} OR e.subject_id = {subject})
   AND ({facility} IS NULL OR f.code = {facility})
   AND ({first} IS NULL OR e.at >= CAST({first} AS timestamp) AT TIME ZONE 'Asia/Jakarta')
   AND ({last} IS NULL OR e.at < (CAST({last} AS timestamp) + interval '1 day') AT TIME ZONE 'Asia/Jakarta')"""
TYPES = {
    "ids": "bigint[]",
    "with_people": "boolean",
    "about_people": "text[]",
    "who": "text",
    "action": "text",
    "subject": "text",
    "facility": "text",
    "first": "date",
    "last": "date",
}
FROM = """
  FROM audit_events e
  LEFT JOIN people p ON p.id = e.person_id
  LEFT JOIN facilities f ON f.id = e.facility_id"""


def conditions(placeholder: str) -> str:
    """The conditions with parameters written as `placeholder`, such as `:%s`."""
    return CONDITIONS.format(
        **{name: f"CAST({placeholder % name} AS {kind})" for name, kind in TYPES.items()}
    )


EVENTS = text(
    f"""
    SELECT e.id, e.at, p.name AS person, e.action, e.subject_kind, e.subject_id, f.code AS facility_code,
           e.details, e.request_id, host(e.network) AS network {FROM}
     WHERE (CAST(:before AS bigint) IS NULL OR e.id < CAST(:before AS bigint)) AND {conditions(":%s")}
     ORDER BY e.id DESC LIMIT :limit"""
)
ACTIONS = text(
    """
    WITH RECURSIVE known AS (
        (SELECT action, subject_kind FROM audit_events ORDER BY action LIMIT 1)
        UNION ALL
        (SELECT n.action, n.subject_kind FROM known k CROSS JOIN LATERAL (
            SELECT action, subject_kind FROM audit_events WHERE action > k.action ORDER BY action LIMIT 1) n))
    SELECT action FROM known WHERE :with_people OR subject_kind <> ALL (CAST(:about_people AS text[]))"""
)


@dataclass(frozen=True)
class Asked:
    """Which acts to show; None or empty: all."""

    #: Part of a name or e-mail address.
    who: str | None = None
    #: `noun.verb`, or the noun alone.
    action: str | None = None
    #: A subject's id, or `kind:id`.
    subject: str | None = None
    #: A facility's code.
    facility: str | None = None
    #: Accounting days, both included.
    first: datetime.date | None = None
    last: datetime.date | None = None

    def values(self, facility_ids: Iterable[int] | None, *, with_people: bool) -> dict[str, Any]:
        """The parameters of `conditions`, within the reader's reach."""
        return {
            "ids": None if facility_ids is None else list(facility_ids),
            "with_people": with_people,
            "about_people": list(ABOUT_PEOPLE),
            "who": self.who or None,
            "action": self.action or None,
            "subject": self.subject or None,
            "facility": self.facility or None,
            "first": self.first,
            "last": self.last,
        }


@dataclass(frozen=True)
class Change:
    """One thing that an act says: its name, and what it was before and after, or only is."""

    name: str
    after: str
    before: str | None = None


@dataclass(frozen=True)
class Act:
    """One row of the trail."""

    id: int
    at: datetime.datetime
    #: None: the system, or somebody not signed in.
    person: str | None
    action: str
    subject_kind: str
    subject_id: str
    facility_code: str | None
    details: dict[str, Any]
    request_id: str | None
    network: str | None

    @property
    def changes(self) -> list[Change]:
        """The details as lines: what has a before and an after stands together."""
        before, after = self.details.get("before"), self.details.get("after")
        found = []
        if isinstance(before, dict) or isinstance(after, dict):
            old = before if isinstance(before, dict) else {}
            new = after if isinstance(after, dict) else {}
            found = [
                Change(name, plain(new.get(name)), plain(old[name]) if name in old else None)
                for name in dict.fromkeys([*old, *new])
            ]
        others = {name: value for name, value in self.details.items() if name not in ("before", "after")}
        if not found:
            others = dict(self.details)
        return found + [Change(name, plain(value)) for name, value in others.items()]


def plain(value: Any) -> str:
    """A detail as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(plain(part) for part in value)
    return str(value)


def acts(
    asked: Asked, facility_ids: Iterable[int] | None, *, with_people: bool, before: int | None = None
) -> tuple[Sequence[Act], int | None]:
    """A page of acts, the latest first, and the key of the page that follows.

    Of some facilities, or (None) of all; `with_people` also those on people and what auditors looked at.
    """
    values = asked.values(facility_ids, with_people=with_people)
    rows = [
        Act(**row)
        for row in db.session.execute(EVENTS, {**values, "before": before, "limit": PAGE + 1}).mappings()
    ]
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def known_actions(*, with_people: bool) -> list[str]:
    """Every action that the trail has seen, to filter by."""
    values = {"with_people": with_people, "about_people": list(ABOUT_PEOPLE)}
    return list(db.session.scalars(ACTIONS, values))
