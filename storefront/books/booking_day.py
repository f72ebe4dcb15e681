"""The day that a person says something happened on: not to come, not before its cause, in an open month."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _

from storefront import days
from storefront.display import format_date
from storefront.errors import Invalid
from storefront.ledger.closed import require_open


def require_booking_day(day: datetime.date, *, field: str, since: datetime.date | None = None) -> None:
    """Return only if something may be booked on `day`; its month stays open until the transaction ends.

    `since` is the earliest day possible. Raises Invalid for `field`, PeriodClosed.
    """
    if day > days.today():
        raise Invalid({field: _("Tanggal ini belum tiba.")})
    if since is not None and day < since:
        raise Invalid({field: _("Paling awal %(day)s.", day=format_date(since))})
    require_open(day, field)
