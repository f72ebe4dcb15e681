"""Training programmes as staff pages list them: filtered, sorted, paged; with what was counted later."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, text

from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.people.models import Person
from storefront.training.models import Kind, TrainingProgramme

STATES = ("recorded", "rejected", "checked", "withdrawn")
KINDS = tuple(kind.value for kind in Kind)
_ENDED = (("t.ended_on", "date"), ("t.id", "bigint"))
#: By the name of a sort; '': what waits for the office first.
ORDERS = {
    "": Order((("(t.state = 'recorded')", "boolean"), *_ENDED)),
    "ended": Order(_ENDED, descending=False),
    "newest": Order(_ENDED),
    "participants": Order((("t.participants", "bigint"), ("t.id", "bigint"))),
    "certified": Order((("COALESCE(t.certified, -1)", "bigint"), ("t.id", "bigint"))),
    "skill": Order((("lower(t.skill)", "text"), ("t.id", "bigint")), descending=False),
    "facility": Order(
        (("f.name", "text"), ("(DATE '9999-12-31' - t.ended_on)", "bigint"), ("t.id", "bigint")), descending=False
    ),
}
LISTING = """
SELECT t.id, t.facility_id, f.code AS facility_code, f.name AS facility_name, w.name AS workshop, t.kind, t.skill,
       t.skill_en, t.partner, t.started_on, t.ended_on, t.hours, t.participants, t.women, t.passed, t.certified,
       t.state, t.recorded_by, t.recorded_at, l.own_business, l.employed,
       EXISTS (SELECT FROM training_followups u WHERE u.programme_id = t.id AND u.state = 'recorded') AS has_waiting,
       {keys}
  FROM training_programmes t
  JOIN facilities f ON f.id = t.facility_id
  JOIN workshops w ON w.id = t.workshop_id
  LEFT JOIN LATERAL (SELECT o.own_business, o.employed FROM training_outcomes o
                      WHERE o.programme_id = t.id ORDER BY o.checked_at DESC, o.id DESC LIMIT 1) l ON true"""
TOTALS = """
SELECT count(*), sum(t.participants)::bigint FROM training_programmes t JOIN facilities f ON f.id = t.facility_id"""
FILTERS = {
    "ids": "t.facility_id = ANY (CAST(:ids AS bigint[]))",
    "facility": "f.code = :facility",
    "state": "t.state = :state",
    "later": "EXISTS (SELECT FROM training_followups u WHERE u.programme_id = t.id AND u.state = 'recorded') = :later",
    "kind": "t.kind = :kind",
    "workshop": "t.workshop_id = :workshop",
    "year": "extract(year FROM t.ended_on) = :year",
    "like": "concat_ws(' ', t.skill, t.skill_en, t.partner, t.scheme, t.batch) ILIKE :like",
}


@dataclass(frozen=True)
class ProgrammeRow:
    """A programme in a list; counts are people."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    workshop: str
    kind: str
    skill: str
    skill_en: str
    partner: str
    started_on: datetime.date
    ended_on: datetime.date
    hours: int
    participants: int
    women: int
    passed: int | None
    certified: int | None
    state: str
    recorded_by: int
    recorded_at: datetime.datetime
    #: By the last later count; None: none yet.
    own_business: int | None
    employed: int | None
    #: Whether a later count waits for the office.
    has_waiting: bool


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; empty and 0 do not narrow."""

    state: str = ""
    kind: str = ""
    workshop: int = 0
    year: int = 0
    q: str = ""
    facility: str = ""
    sort: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Wanted:
        """What an address asks for; what is not understood does not narrow."""

        def one_of(name: str, known: Iterable[str]) -> str:
            return query.get(name, "") if query.get(name, "") in known else ""

        def whole(name: str) -> int:
            written = query.get(name, "")
            return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0

        return cls(
            one_of("state", (*STATES, "followups")), one_of("kind", KINDS), whole("workshop"), whole("year"),
            query.get("q", "").strip()[:80].replace("\0", ""), query.get("facility", "")[:20].replace("\0", ""),
            one_of("sort", ORDERS),
        )  # fmt: skip

    @property
    def kept(self) -> dict[str, str]:
        """As it stands in an address, without what is empty."""
        return {name: str(value) for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Hands:
    """Who did what to a programme; names of officials, never of a participant."""

    recorded_by: str
    checked_by: str | None
    rejected_by: str | None
    withdrawn_by: str | None


PROGRAMMES = Paged(ProgrammeRow, LISTING, TOTALS, ORDERS, FILTERS)


def programmes(facility_ids: Iterable[int] | None, wanted: Wanted, turn: Turn = FIRST) -> Keyed[ProgrammeRow]:
    """A page of programmes of these facilities, or (None) of all; `amount` is the sum of participants."""
    like = "%" + wanted.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    later = wanted.state == "followups"
    asked = {
        "ids": as_list(facility_ids), "facility": wanted.facility or None, "kind": wanted.kind or None,
        "state": None if later else wanted.state or None, "later": later or None,
        "workshop": wanted.workshop or None, "year": wanted.year or None, "like": like if wanted.q else None,
    }  # fmt: skip
    return PROGRAMMES.page(asked, turn, sort=wanted.sort)


def find(programme_id: int, facility_ids: Iterable[int] | None) -> TrainingProgramme | None:
    """One programme; None when it does not exist or is none of these facilities'."""
    row = db.session.get(TrainingProgramme, programme_id)
    if row is None or (facility_ids is not None and row.facility_id not in set(facility_ids)):
        return None
    return row


def hands(row: TrainingProgramme) -> Hands:
    """The officials behind a programme."""
    ids = [row.recorded_by, row.checked_by, row.rejected_by, row.withdrawn_by]
    query = select(Person.id, Person.name).where(Person.id.in_([id_ for id_ in ids if id_]))
    names = {row.id: row.name for row in db.session.execute(query)}
    return Hands(names.get(row.recorded_by, ""), *(names.get(id_) if id_ else None for id_ in ids[1:]))


def years(facility_ids: Iterable[int] | None) -> list[int]:
    """Years in which programmes ended, the newest first."""
    year = func.extract("year", TrainingProgramme.ended_on)
    query = select(year).distinct().order_by(year.desc())
    if facility_ids is not None:
        query = query.where(TrainingProgramme.facility_id.in_(list(facility_ids)))
    return [int(found) for found in db.session.scalars(query)]


def facilities(facility_ids: Iterable[int] | None) -> list[tuple[str, str]]:
    """Code and name of the facilities that have recorded something."""
    query = (
        select(Facility.code, Facility.name)
        .where(Facility.id.in_(select(TrainingProgramme.facility_id)))
        .order_by(Facility.name, Facility.code)
    )
    if facility_ids is not None:
        query = query.where(Facility.id.in_(list(facility_ids)))
    return [(row.code, row.name) for row in db.session.execute(query)]


def count_waiting() -> tuple[int, datetime.datetime | None]:
    """How many programmes the office may check now, and since when the first has waited for it."""
    query = text(
        """SELECT count(*), min(recorded_at) FROM training_programmes
            WHERE state = 'recorded' AND passed IS NOT NULL AND certified IS NOT NULL
              AND ended_on <= (now() AT TIME ZONE 'Asia/Jakarta')::date"""
    )
    count, since = db.session.execute(query).one()
    return count, since


def counts(facility_id: int) -> dict[str, int]:
    """Programmes of a facility by state."""
    query = (
        select(TrainingProgramme.state, func.count())
        .where(TrainingProgramme.facility_id == facility_id)
        .group_by(TrainingProgramme.state)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
