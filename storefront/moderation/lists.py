"""What curators look through: the queue, oldest first, and what was decided."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import func, select, tuple_

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.mail.models import Message
from storefront.moderation.kinds import KINDS, Shown
from storefront.moderation.models import ItemState, ModerationItem
from storefront.people.models import Person

PAGE = 20
#: Kinds whose letter goes out when they are shown, and what `messages` calls them.
LETTERS = {"answer": "enquiry_message"}
#: Lists of the page, and the states in each.
LISTS: dict[str, tuple[ItemState, ...]] = {
    "waiting": (ItemState.WAITING,),
    "held": (ItemState.HELD,),
    "passed": (ItemState.PASSED,),
    "decided": (ItemState.APPROVED, ItemState.REFUSED),
}
OLDEST = Order(
    (("moderation_items.submitted_at", "timestamptz"), ("moderation_items.id", "bigint")), descending=False
)  # fmt: skip
LATEST = Order(
    (
        ("COALESCE(moderation_items.decided_at, moderation_items.submitted_at)", "timestamptz"),
        ("moderation_items.id", "bigint"),
    )
)


@dataclass(frozen=True)
class Row:
    """An item with what it is about; `shown` is None when that is gone."""

    item: ModerationItem
    facility_name: str
    decided_by: str | None
    shown: Shown | None
    #: When the letter about the decision went out: undoing does not call it back.
    told_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Step:
    """One decision in an item's history."""

    at: datetime.datetime
    person: str | None
    action: str
    note: str


class Told(NamedTuple):
    """What its writer reads of it."""

    #: `shown`, `waiting` or `refused`.
    state: str
    #: Why it was refused.
    note: str


def counts() -> dict[str, int]:
    """How many things stand in each list."""
    by_state = {
        row.state: row.number
        for row in db.session.execute(
            select(ModerationItem.state, func.count().label("number")).group_by(ModerationItem.state)
        )
    }
    return {name: sum(by_state.get(state.value, 0) for state in states) for name, states in LISTS.items()}


def oldest_waiting() -> datetime.datetime | None:
    """Since when the first in the queue waits."""
    return db.session.scalar(
        select(func.min(ModerationItem.submitted_at)).where(ModerationItem.state == ItemState.WAITING.value)
    )


def items(name: str, turn: Turn = FIRST) -> Keyed[Row]:
    """One page of a list: what waits, the oldest first; what is done, the latest first."""
    query = _select().where(ModerationItem.state.in_([state.value for state in LISTS[name]]))
    found = select_page(query, OLDEST if name in ("waiting", "held") else LATEST, turn, size=PAGE)
    return found.of(_shown(found.rows))


def item(item_id: int) -> Row | None:
    """One item, whatever its state."""
    return next(iter(_rows(_select().where(ModerationItem.id == item_id))), None)


def undoable(person_id: int, limit: int = 3) -> list[Row]:
    """The person's own last decisions that can be taken back, with the letter that has left meanwhile."""
    rows = _rows(
        _select()
        .where(ModerationItem.decided_by == person_id, ModerationItem.previous_state.is_not(None))
        .order_by(ModerationItem.decided_at.desc())
        .limit(limit)
    )
    return [replace(row, told_at=told_at(row.item)) for row in rows]


def told_at(item: ModerationItem) -> datetime.datetime | None:
    """When a letter told of what was decided on; None: none has left since, or there is none."""
    if item.kind not in LETTERS or item.decided_at is None:
        return None
    about = (Message.subject_kind == LETTERS[item.kind], Message.subject_id == item.subject_id)
    return db.session.scalar(select(func.max(Message.sent_at)).where(*about, Message.sent_at >= item.decided_at))


def following(name: str, item_id: int) -> Row | None:
    """The next of a list that waits, after one that was passed over; None at its end."""
    at = select(ModerationItem.submitted_at, ModerationItem.id).where(ModerationItem.id == item_id)
    here = db.session.execute(at).one_or_none()
    if here is None:
        return None
    later = tuple_(ModerationItem.submitted_at, ModerationItem.id) > tuple_(*here)
    query = _select().where(ModerationItem.state.in_([state.value for state in LISTS[name]]), later)
    return next(iter(_rows(query.order_by(ModerationItem.submitted_at, ModerationItem.id).limit(1))), None)


def history(row: ModerationItem) -> list[Step]:
    """Every decision on an item, the latest first."""
    found = db.session.execute(
        select(AuditEvent.at, Person.name, AuditEvent.action, AuditEvent.details)
        .outerjoin(Person, Person.id == AuditEvent.person_id)
        .where(
            AuditEvent.subject_kind == row.kind,
            AuditEvent.subject_id == str(row.subject_id),
            AuditEvent.action.like("moderation.%"),
        )
        .order_by(AuditEvent.id.desc())
    )
    return [
        Step(at, name, action.partition(".")[2], (details.get("after") or {}).get("note", ""))
        for at, name, action, details in found
    ]


def states_of(kind: str, subject_ids: Iterable[int]) -> dict[int, ModerationItem]:
    """The items of some things, for pages of who wrote them."""
    ids = list(subject_ids)
    if not ids:
        return {}
    found = select(ModerationItem).where(ModerationItem.kind == kind, ModerationItem.subject_id.in_(ids))
    return {row.subject_id: row for row in db.session.scalars(found)}


def told(is_shown: bool, item: ModerationItem | None) -> Told:
    """What became of something that is `is_shown` or not, for who wrote it."""
    if is_shown:
        return Told("shown", "")
    if item is not None and item.state == ItemState.REFUSED:
        return Told("refused", item.note)
    return Told("waiting", "")


def _select() -> Any:
    return (
        select(ModerationItem, Facility.name, Person.name)
        .join(Facility, Facility.id == ModerationItem.facility_id)
        .outerjoin(Person, Person.id == ModerationItem.decided_by)
    )


def _rows(query: Any) -> list[Row]:
    return _shown([tuple(row) for row in db.session.execute(query)])


def _shown(found: Sequence[tuple[Any, ...]]) -> list[Row]:
    ids: dict[str, list[int]] = {}
    for row, _facility, _person in found:
        ids.setdefault(row.kind, []).append(row.subject_id)
    shown = {kind: KINDS[kind].show(subjects) for kind, subjects in ids.items() if kind in KINDS}
    return [
        Row(row, facility, person, shown.get(row.kind, {}).get(row.subject_id))
        for row, facility, person in found
    ]
