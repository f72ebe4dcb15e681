"""What each person wants to be told of a facility, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.extensions import db
from storefront.notices.models import NoticeChoice
from storefront.people.models import Role
from storefront.people.policy import GRANTS, Action

#: Each kind with who is told: whoever may do this in the facility.
KINDS: Mapping[str, Action] = {
    "parcel": Action.PARCELS_WRITE,
    "question": Action.ENQUIRIES_WRITE,
    "quote": Action.ENQUIRIES_WRITE,
    "sent_back": Action.LISTINGS_WRITE,
    "problem": Action.REFUNDS_ASK,
    "stand": Action.EXHIBITIONS_BRING,
    "training": Action.TRAINING_READ,
    "digest": Action.PARCELS_READ,
}


@dataclass(frozen=True)
class Ways:
    """Whether a kind comes by letter, and by web push."""

    by_email: bool
    by_push: bool


#: Until somebody chooses. Web push reaches nobody who has not asked for it on a device.
DEFAULTS: Mapping[str, Ways] = {
    "parcel": Ways(by_email=True, by_push=True),
    "question": Ways(by_email=True, by_push=True),
    "quote": Ways(by_email=True, by_push=True),
    "sent_back": Ways(by_email=True, by_push=True),
    "problem": Ways(by_email=True, by_push=True),
    "stand": Ways(by_email=True, by_push=True),
    "training": Ways(by_email=True, by_push=True),
    "digest": Ways(by_email=True, by_push=False),
}


def kinds_for(roles: frozenset[Role]) -> list[str]:
    """The kinds that concern somebody with these roles in a facility."""
    return [kind for kind, action in KINDS.items() if roles & GRANTS[action]]


def choices(person_id: int, facility_id: int) -> dict[str, Ways]:
    """What somebody wants to be told of a facility, by kind."""
    query = select(NoticeChoice).where(
        NoticeChoice.person_id == person_id, NoticeChoice.facility_id == facility_id
    )
    said = {row.kind: Ways(row.by_email, row.by_push) for row in db.session.scalars(query)}
    return {kind: said.get(kind, DEFAULTS[kind]) for kind in KINDS}


def choose(person_id: int, facility_id: int, wanted: Mapping[str, Ways]) -> None:
    """Keep what somebody wants. Never commits. Kinds that are not known are left alone."""
    for kind, ways in wanted.items():
        if kind not in KINDS:
            continue
        values = {"by_email": ways.by_email, "by_push": ways.by_push}
        statement = insert(NoticeChoice).values(
            person_id=person_id, facility_id=facility_id, kind=kind, **values
        )
        db.session.execute(
            statement.on_conflict_do_update(
                index_elements=["person_id", "facility_id", "kind"],
                set_={**values, "changed_at": func.now()},
            )
        )
