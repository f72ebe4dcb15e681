"""Which session a sale belongs to, and which moment counts, when all that is known is what a phone's clock said.

A phone is believed when its clock names a moment that is not to come, on a day of the fair, after the till was first
opened: then the sale is of the session that was open at that moment, or that was closed last before it. Otherwise the
clock is wrong: the sale is of the open session, or of the last one, and counts when it arrived, or when that session
was closed, whichever is earlier. What is late stays on its own session's list; nothing opens a new one.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront.counter.models import TillSession
from storefront.counter.tills import hold_open
from storefront.days import accounting_day, begins
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db

#: How far two good clocks may be apart.
SLACK = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Moment:
    """A sale's session (held as it is until the transaction ends), the moment that counts, and now."""

    session: TillSession
    at: datetime.datetime
    now: datetime.datetime


def in_time(
    exhibition: Exhibition,
    sessions: Sequence[TillSession],
    phone_at: datetime.datetime | None,
    now: datetime.datetime | None = None,
) -> Moment:
    """The session among `sessions` (the latest first, at least one) that a sale is of, and when it was made.

    `now` is for history that is written down later.
    """
    # This very moment, not the transaction's: it may have waited for another sale.
    now = now or db.session.execute(select(func.clock_timestamp())).scalar_one()
    if phone_at is not None and phone_at <= now + SLACK:
        in_fair = exhibition.starts_on <= accounting_day(phone_at) <= exhibition.ends_on
        first = sessions[-1]
        then = next((one for one in sessions if one.opened_at <= phone_at), first)
        if in_fair and then.opened_at - SLACK <= phone_at:
            return Moment(hold_open(then.id), min(phone_at, now), now)
    session = hold_open(sessions[0].id)
    at = now
    if phone_at is not None:
        after = begins(exhibition.ends_on + datetime.timedelta(days=1)) - datetime.timedelta(seconds=1)
        at = min(now, max(session.opened_at, min(session.closed_at or now, after)))
    return Moment(session, at, now)
