"""Cases as the office reads them, and as whoever reported does."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from storefront.cases.models import Case, CaseFile, CaseMessage
from storefront.days import today
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.media import documents
from storefront.media.storage import private_files
from storefront.people.models import Person

PAGE = 30
STATES = ("new", "looked_at", "answered", "closed")
#: Nobody has answered what was written last.
WAITING = ("new", "looked_at")
#: What waits first, by its deadline; then the latest.
PLACE = Order(
    (
        ("(cases.state IN ('new', 'looked_at'))", "boolean"),
        ("date '2200-01-01' - cases.answer_by", "bigint"),
        ("cases.id", "bigint"),
    )
)


@dataclass(frozen=True)
class Readers:
    """Whose eyes a list is for."""

    #: Facilities that an auditor is bound to; None: all.
    within: frozenset[int] | None
    #: Facilities whose people the reader belongs to: cases about those do not exist for them.
    own: frozenset[int]


@dataclass(frozen=True)
class CaseLine:
    """A case in the list."""

    id: int
    number: str
    kind: str
    state: str
    reported_at: datetime.datetime
    answer_by: datetime.date
    taken_by_name: str | None

    @property
    def is_late(self) -> bool:
        """Whether the answer is overdue."""
        return self.state in WAITING and self.answer_by < today()


@dataclass
class ThreadMessage:
    """One message with its files."""

    id: int
    #: Of the office; None: whoever reported.
    person_name: str | None
    is_office: bool
    body: str
    written_at: datetime.datetime
    files: list[CaseFile] = field(default_factory=list)


def cases(readers: Readers, state: str | None, kind: str | None, turn: Turn = FIRST) -> Keyed[CaseLine]:
    """A page of cases, those that wait first by their deadline."""
    query = _visible(
        select(
            Case.id, Case.number, Case.kind, Case.state, Case.reported_at, Case.answer_by, Person.name
        ).outerjoin(Person, Person.id == Case.taken_by),
        readers,
    )  # fmt: skip
    if state:
        query = query.where(Case.state == state)
    if kind:
        query = query.where(Case.kind == kind)
    found = select_page(query, PLACE, turn, size=PAGE)
    return found.of([CaseLine(*row) for row in found.rows])


def counts(readers: Readers) -> dict[str, int]:
    """How many cases there are in each state."""
    query = _visible(select(Case.state, func.count()), readers).group_by(Case.state)
    return {row[0]: row[1] for row in db.session.execute(query)}


def waiting(readers: Readers) -> tuple[int, datetime.date | None]:
    """How many cases wait for an answer, and the earliest day on which one is due."""
    query = _visible(select(func.count(), func.min(Case.answer_by)), readers).where(Case.state.in_(WAITING))
    count, due = db.session.execute(query).one()
    return count, due


def case(case_id: int, readers: Readers) -> Case:
    """One case. Raises NotFound, also where it is about a facility whose people the reader belongs to."""
    found = db.session.scalar(_visible(select(Case), readers).where(Case.id == case_id))
    if found is None:
        raise NotFound()
    return found


def facility_name(found: Case) -> str | None:
    """Of the page that it is about."""
    return db.session.scalar(select(Facility.name).where(Facility.id == found.facility_id))


def person_name(person_id: int | None) -> str | None:
    """Of somebody of the office."""
    return db.session.scalar(select(Person.name).where(Person.id == person_id))


def thread(case_id: int) -> list[ThreadMessage]:
    """Everything written in a case, in its order."""
    rows = db.session.execute(
        select(
            CaseMessage.id, Person.name, CaseMessage.person_id.is_not(None), CaseMessage.body, CaseMessage.written_at
        )
        .outerjoin(Person, Person.id == CaseMessage.person_id)
        .where(CaseMessage.case_id == case_id)
        .order_by(CaseMessage.id)
    )
    messages = {row[0]: ThreadMessage(*row) for row in rows}
    files: Sequence[Any] = db.session.scalars(
        select(CaseFile).where(CaseFile.message_id.in_(messages)).order_by(CaseFile.id)
    ).all()
    for one in files:
        messages[one.message_id].files.append(one)
    return list(messages.values())


def file(case_id: int, file_id: int) -> tuple[bytes, str, str]:
    """Content, media type and a file name of a paper of a case. Raises NotFound."""
    query = (
        select(CaseFile.key)
        .join(CaseMessage, CaseMessage.id == CaseFile.message_id)
        .where(CaseFile.id == file_id, CaseMessage.case_id == case_id)
    )
    key = db.session.scalar(query)
    if key is None:
        raise NotFound()
    extension = key.rpartition(".")[2]
    try:
        return private_files().read(key), documents.TYPES[extension], f"lampiran-{file_id}.{extension}"
    except FileNotFoundError as error:
        raise NotFound() from error


def _visible(query: Any, readers: Readers) -> Any:
    if readers.within is not None:
        query = query.where(Case.facility_id.in_(readers.within))
    if readers.own:
        query = query.where(Case.facility_id.is_(None) | Case.facility_id.not_in(readers.own))
    return query
