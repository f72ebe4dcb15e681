"""Background jobs of the catalogue."""

from __future__ import annotations

import datetime

from procrastinate import RetryStrategy

from storefront.catalogue import lost_searches, search_words, selling_ends, shown_state, stock_alerts
from storefront.extensions import db, jobs

#: For letters, while a mail server is away.
AGAIN = RetryStrategy(max_attempts=30, wait=5, linear_wait=60)


@jobs.task(name="catalogue.refresh_shown_state")
def refresh_shown_state(variant_ids: list[int]) -> None:
    """Bring what cached pages say of these variants' stock up to date, and tell those who wait for them."""
    shown_state.refresh_shown_state(variant_ids)
    stock_alerts.queue_letters(variant_ids)
    db.session.commit()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="catalogue.refresh_all_shown_states", queueing_lock="catalogue.refresh_all_shown_states")
def refresh_all_shown_states(timestamp: int) -> None:
    """The same for all variants: should a job ever be lost, pages are wrong for minutes, not for days."""
    shown_state.refresh_shown_state(None)
    selling_ends.refresh_listings()
    selling_ends.refresh_paused()
    stock_alerts.queue_letters(None)
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


@jobs.periodic(cron="0 0,17 * * *")
@jobs.task(name="catalogue.begin_day", queueing_lock="catalogue.begin_day")
def begin_day(timestamp: int) -> None:
    """Midnight of the accounting zone (17.00 UTC): what workshops may sell today, and who is reminded."""
    selling_ends.refresh_listings()
    selling_ends.refresh_paused()
    selling_ends.queue_reminders()
    stock_alerts.forget_old()
    db.session.commit()


@jobs.task(name="catalogue.remind_of_declaration", retry=AGAIN)
def remind_of_declaration(workshop_id: int, ends_on: str) -> None:
    """Tell a facility that a workshop soon sells no more."""
    selling_ends.remind(workshop_id, datetime.date.fromisoformat(ends_on))


@jobs.task(name="catalogue.ask_for_word", retry=AGAIN)
def ask_for_word(alert_id: int) -> None:
    """Ask whether somebody wants to be told."""
    stock_alerts.ask_for_word(alert_id)


@jobs.task(name="catalogue.tell_back", retry=AGAIN)
def tell_back(alert_id: int) -> None:
    """Tell somebody that it is back."""
    stock_alerts.tell_back(alert_id)
