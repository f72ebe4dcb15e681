"""Listings that a curator sent back."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from storefront.display import format_day
from storefront.extensions import db
from storefront.listings.models import DraftState, ListingDraft
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action


@source(Action.REVIEW_ASK)
def sent_back(asked: Asked) -> Iterable[Waits]:
    """How many wait to be put right, and since when the first does; one alone is opened at once."""
    row = db.session.execute(
        select(func.count(), func.min(ListingDraft.decided_at), func.min(ListingDraft.id)).where(
            ListingDraft.facility_id == asked.facility_id, ListingDraft.state == DraftState.SENT_BACK.value
        )
    ).one()
    count, since, first = row
    if not count or since is None:
        return
    day = asked.day_of(since)
    label = ngettext("karya dikembalikan kurator", "karya dikembalikan kurator", count)
    note = _("alasannya di samping isiannya; sejak %(day)s", day=format_day(day))
    page = f"listings/{first}" if count == 1 else "listings?state=sent_back"
    yield Waits("sent_back", Urgency.SOON, count, label, note, _("Perbaiki"), page, "flag", on=day)
