"""Read the audit trail: who did what, when, from where, before and after."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.keyset import FIRST, Order, Turn, fetch

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
   AND ({words} IS NULL OR strpos(lower(e.details::text), lower({words})) > 0)
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
    "words": "text",
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


#: What `narrow` asks only when it is wanted, each so that an index answers it.
WANTED = {
    "ids": "e.facility_id = ANY (:ids)",
    "about_people": "e.subject_kind <> ALL (:about_people)",
    "who": "e.person_id = ANY (:who)",
    "action": "e.action = ANY (:action)",
    "kinds": "e.subject_kind = ANY (:kinds)",
    "subject": "e.subject_id = :subject",
    "facility": "e.facility_id = :facility",
    "words": "strpos(lower(e.details::text), lower(:words)) > 0",
    "first": "e.at >= CAST(CAST(:first AS date) AS timestamp) AT TIME ZONE 'Asia/Jakarta'",
    "last": "e.at < (CAST(CAST(:last AS date) AS timestamp) + interval '1 day') AT TIME ZONE 'Asia/Jakarta'",
}
COLUMNS = f"""
    SELECT e.id, e.at, p.name AS person, e.action, e.subject_kind, e.subject_id, f.code AS facility_code,
           e.details, e.request_id, host(e.network) AS network, {{keys}} {FROM}"""
LATEST = Order((("e.id", "bigint"),))
PEOPLE = text("SELECT id FROM people WHERE strpos(lower(name || ' ' || email), lower(:who)) > 0 LIMIT 1000")
KINDS = text(
    """
    WITH RECURSIVE known AS (
        (SELECT subject_kind FROM audit_events ORDER BY subject_kind LIMIT 1)
        UNION ALL
        (SELECT n.subject_kind FROM known k CROSS JOIN LATERAL (
            SELECT subject_kind FROM audit_events WHERE subject_kind > k.subject_kind ORDER BY subject_kind LIMIT 1) n))
    SELECT subject_kind FROM known"""
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
    #: Part of what the details say.
    words: str | None = None
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
            "words": self.words or None,
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


@dataclass(frozen=True)
class Acts:
    """One page of the trail. How many acts there are in all is not counted: that would read the whole trail."""

    rows: Sequence[Act]
    #: Keys of the neighbouring pages; None where there is none.
    older: str | None
    newer: str | None


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
    asked: Asked, facility_ids: Iterable[int] | None, *, with_people: bool, turn: Turn = FIRST
) -> Acts:
    """A page of acts, the latest first.

    Of some facilities, or (None) of all; `with_people` also those on people and what auditors looked at.
    """
    selection, values = narrow(asked, facility_ids, with_people=with_people)
    rows, older, newer = fetch(COLUMNS, selection, values, LATEST, turn)
    return Acts([Act(**row) for row in rows], older, newer)


def narrow(asked: Asked, facility_ids: Iterable[int] | None, *, with_people: bool) -> tuple[str, dict[str, Any]]:
    """Those of `WANTED` that are asked for, as one condition, and its parameters.

    Names are looked up first (who, which acts of a noun, which facility), so that the trail is asked by its indexes.
    """
    values: dict[str, Any] = {
        "ids": None if facility_ids is None else list(facility_ids),
        "about_people": None if with_people else list(ABOUT_PEOPLE),
        "words": asked.words or None,
        "first": asked.first,
        "last": asked.last,
    }
    if asked.who:
        values["who"] = list(db.session.scalars(PEOPLE, {"who": asked.who}))
    if asked.action:
        known = known_actions(with_people=with_people)
        values["action"] = [one for one in known if asked.action in (one, one.partition(".")[0])]
    if asked.subject:
        kind, colon, subject_id = asked.subject.partition(":")
        known_kinds = set(db.session.scalars(KINDS))
        is_whole = bool(colon) and kind in known_kinds
        values["subject"] = subject_id if is_whole else asked.subject
        values["kinds"] = [kind] if is_whole else sorted(known_kinds)
    if asked.facility:
        found = db.session.scalar(text("SELECT id FROM facilities WHERE code = :code"), {"code": asked.facility})
        values["facility"] = found or 0
    values = {name: value for name, value in values.items() if value is not None}
    return " AND ".join(WANTED[name] for name in values) or "true", values


def known_actions(*, with_people: bool) -> list[str]:
    """Every action that the trail has seen, to filter by."""
    values = {"with_people": with_people, "about_people": list(ABOUT_PEOPLE)}
    return list(db.session.scalars(ACTIONS, values))
