"""The one seam through which a facility hears of its listings: a letter to each of its coordinators, once for a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.extensions import db
from storefront.listings.review_models import ListingNews
from storefront.mail.owe import owe_about
from storefront.people.models import Membership, Person, Role

SUBJECT = "listing_news"


def tell(kind: str, facility_id: int, key: str, about: Mapping[str, Any]) -> int:
    """Owe the letter `kind` to each coordinator of a facility; returns to how many it was new. Never commits.

    `about`: what the letter speaks of, plain values; `path` in it is the page that it leads to. `key` is the business
    key of what happened.
    """
    told = 0
    for person_id in coordinators(facility_id):
        made = db.session.execute(
            upsert(ListingNews)
            .values(
                key=f"{key}:{person_id}", kind=kind, facility_id=facility_id, person_id=person_id, about=dict(about)
            )
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(ListingNews.id)
        ).scalar()
        if made is not None:
            owe_about(kind, SUBJECT, made)
            told += 1
    return told


def coordinators(facility_id: int) -> list[int]:
    """Ids of who keeps a facility's shop now."""
    living = (Membership.valid_from <= func.now()) & (
        Membership.valid_until.is_(None) | (Membership.valid_until > func.now())
    )
    found = (
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.facility_id == facility_id, Membership.role == Role.COORDINATOR.value, living)
        .where(Person.is_active)
    )
    return list(db.session.scalars(found.distinct().order_by(Person.id)))
