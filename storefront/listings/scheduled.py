"""What waits for its day becomes public then, or goes back with the reason."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from flask_babel import force_locale, gettext
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.days import today
from storefront.extensions import db
from storefront.listings.models import DraftState, ListingDraft
from storefront.listings.review import (
    NotAllowedNow,
    kept_reasons,
    list_it,
    may_be_public,
    tell_sent_back,
    title_of,
)


def moment_in(zone: str, day: datetime.date, time: datetime.time) -> datetime.datetime:
    """A day and time on the clock of a facility."""
    return datetime.datetime.combine(day, time, ZoneInfo(zone))


def publish_due() -> tuple[int, int]:
    """List each draft whose moment has come; commits after each. How many became public, how many went back.

    Two workers at once never take the same one; killed between two, the rest are taken the next time.
    """
    published = returned = 0
    while (draft := _next()) is not None:
        assert draft.decided_by is not None
        try:
            with force_locale("id"):
                listing = may_be_public(draft, today())
            list_it(draft, listing, decided_by=draft.decided_by)
            published += 1
        except NotAllowedNow as refusal:
            _return(draft, refusal.extra["reasons"])
            returned += 1
        db.session.commit()
    return published, returned


def _next() -> ListingDraft | None:
    return db.session.scalar(
        select(ListingDraft)
        .where(ListingDraft.state == DraftState.APPROVED.value, ListingDraft.publish_at <= func.now())
        .order_by(ListingDraft.publish_at, ListingDraft.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _return(draft: ListingDraft, reasons: dict[str, str]) -> None:
    """Back to the facility: it is not allowed any more what was allowed when it was let through."""
    with force_locale("id"):
        draft.note = gettext("Pada waktunya karya ini tidak boleh tayang lagi. Perbaiki, lalu minta tinjauan lagi.")
    draft.reasons = kept_reasons(reasons)
    draft.state = DraftState.SENT_BACK.value
    draft.version += 1
    db.session.flush()
    record(
        "listing_draft.sent_back",
        "listing_draft",
        draft.id,
        facility_id=draft.facility_id,
        details={"before": "approved", "after": "sent_back", "title": title_of(draft), "reasons": draft.reasons},
    )
    tell_sent_back(draft, f"listing:{draft.id}:{draft.version}:late")
