"""When goods arrive that are ordered today: said before anything is bought, promised when it is paid."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from storefront.shipping.quote import Option

#: Days in which a facility packs what lies in its store.
DAYS_TO_PACK = 2


def days_until_ready(lead_times: Iterable[int | None]) -> int:
    """Days from payment until a parcel is ready: the longest lead time, or what packing takes."""
    return max((days or DAYS_TO_PACK for days in lead_times), default=DAYS_TO_PACK)


def arrival(option: Option, lead_times: Iterable[int | None], ordered_on: datetime.date) -> datetime.date:
    """The day by which goods ordered and paid on that day should be there, or ready at the gallery."""
    return ordered_on + datetime.timedelta(days=days_until_ready(lead_times) + option.days_max)
