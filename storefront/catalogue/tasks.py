"""Background jobs of the catalogue."""

from __future__ import annotations

from storefront.catalogue import lost_searches, search_words, shown_state
from storefront.extensions import db, jobs


@jobs.task(name="catalogue.refresh_shown_state")
def refresh_shown_state(variant_ids: list[int]) -> None:
    """Bring what cached pages say of these variants' stock up to date."""
    shown_state.refresh_shown_state(variant_ids)
    db.session.commit()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="catalogue.refresh_all_shown_states", queueing_lock="catalogue.refresh_all_shown_states")
def refresh_all_shown_states(timestamp: int) -> None:
    """The same for all variants: should a job ever be lost, pages are wrong for minutes, not for days."""
    shown_state.refresh_shown_state(None)
    db.session.commit()


@jobs.periodic(cron="23 * * * *")
@jobs.task(
    name="catalogue.refresh_search_words_hourly", queueing_lock="catalogue.refresh_search_words_hourly"
)
def refresh_search_words_hourly(timestamp: int) -> None:
    """Count words anew; new ones are known since they were written, by a trigger on products."""
    search_words.refresh_search_words()
    db.session.commit()


@jobs.periodic(cron="41 3 * * *")
@jobs.task(name="catalogue.forget_lost_searches", queueing_lock="catalogue.forget_lost_searches")
def forget_lost_searches(timestamp: int) -> None:
    """Words that found nothing half a year ago."""
    lost_searches.forget_old()
    db.session.commit()
