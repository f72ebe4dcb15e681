"""What curators look through: listings that wait, the oldest first, and what was decided."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column, select, text, true
from sqlalchemy.orm import aliased

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import FIRST, Keyed, Order, Turn, bound, select_page
from storefront.listings.models import DraftState, ListingDraft
from storefront.people.models import Person

PAGE = 20
#: Lists of the page, and the state of the drafts in each.
LISTS = {"waiting": DraftState.IN_REVIEW, "scheduled": DraftState.APPROVED, "sent_back": DraftState.SENT_BACK}
ORDERS = {
    name: Order(((expression, "timestamptz"), ("listing_drafts.id", "bigint")), descending=name == "sent_back")
    for name, expression in {
        "waiting": "listing_drafts.submitted_at",
        "scheduled": "COALESCE(listing_drafts.publish_at, listing_drafts.decided_at)",
        "sent_back": "listing_drafts.decided_at",
    }.items()
}
#: Why something waits.
WHYS = ("new", "proposal", "faces", "unseen", "words")


@dataclass(frozen=True)
class Wanted:
    """What of the queue is looked at; what is empty does not narrow it."""

    list: str = "waiting"
    why: str = ""
    #: A facility's code.
    facility: str = ""


@dataclass(frozen=True)
class Row:
    draft: ListingDraft
    facility_code: str
    facility_name: str
    #: The facility's time zone.
    zone: str
    submitted_by: str
    decided_by: str | None

    @property
    def title(self) -> str:
        return str(self.draft.content.get("title", ""))


def counts() -> dict[str, int]:
    """How many drafts stand in each list."""
    rows = db.session.execute(select(ListingDraft.state, func.count()).group_by(ListingDraft.state)).all()
    found = {state: number for state, number in rows}  # noqa: C416
    return {name: found.get(state.value, 0) for name, state in LISTS.items()}


def oldest_waiting() -> datetime.datetime | None:
    """Since when the first in the queue waits."""
    waiting = ListingDraft.state == DraftState.IN_REVIEW.value
    return db.session.scalar(select(func.min(ListingDraft.submitted_at)).where(waiting))


def rows(wanted: Wanted, turn: Turn = FIRST) -> Keyed[Row]:
    """One page of a list: what waits by how long it does, what was decided the latest first."""
    found = select_page(_narrowed(wanted), _order(wanted), turn, size=PAGE)
    return found.of([Row(*row) for row in found.rows])


def row(draft_id: int) -> Row | None:
    """One draft that was ever handed over; what is still being written is nobody's business here."""
    found = db.session.execute(
        _select().where(ListingDraft.id == draft_id, ListingDraft.state != DraftState.EDITING.value)
    ).one_or_none()
    return Row(*found) if found else None


def beside(wanted: Wanted, draft_id: int) -> tuple[int | None, int | None]:
    """The drafts before and after one in a list, on whichever page; of one that is not in it, None and the first."""
    order, narrowed = _order(wanted), _narrowed(wanted).with_only_columns(ListingDraft.id, maintain_column_froms=True)
    place: list[Any] = [literal_column(expression) for expression, _type in order.by]
    here = db.session.execute(narrowed.where(ListingDraft.id == draft_id).add_columns(*place)).one_or_none()

    def nearest(condition: Any, *, backwards: bool = False) -> int | None:
        query = narrowed.where(condition).order_by(text(order.sql(backwards=backwards))).limit(1)
        found: int | None = db.session.scalar(query)
        return found

    if here is None:
        return None, nearest(true())
    key = {f"key_{n}": value for n, value in enumerate(here[1:])}
    before, after = (bound(order.beyond(backwards=backwards), key) for backwards in (True, False))
    return nearest(before, backwards=True), nearest(after)


def facilities() -> list[tuple[str, str]]:
    """Code and name of the facilities that have something in the lists."""
    found = db.session.execute(
        select(Facility.code, Facility.name)
        .join(ListingDraft, ListingDraft.facility_id == Facility.id)
        .where(ListingDraft.state != DraftState.EDITING.value)
        .distinct()
        .order_by(Facility.name)
    )
    return [(code, name) for code, name in found]


def _order(wanted: Wanted) -> Order:
    return ORDERS.get(wanted.list, ORDERS["waiting"])


def _narrowed(wanted: Wanted) -> Any:
    statement = _select().where(ListingDraft.state == LISTS.get(wanted.list, DraftState.IN_REVIEW).value)
    if wanted.why in WHYS:
        statement = statement.where(ListingDraft.waits_for.contains([wanted.why]))
    if wanted.facility:
        statement = statement.where(Facility.code == wanted.facility)
    return statement


def _select() -> Any:
    asker, decider = aliased(Person), aliased(Person)
    return (
        select(ListingDraft, Facility.code, Facility.name, Facility.time_zone, asker.name, decider.name)
        .join(Facility, Facility.id == ListingDraft.facility_id)
        .outerjoin(asker, asker.id == ListingDraft.submitted_by)
        .outerjoin(decider, decider.id == ListingDraft.decided_by)
    )
