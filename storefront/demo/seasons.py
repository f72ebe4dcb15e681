"""When people buy, and what: Ramadan and Lebaran, December, rain, weekdays and paydays."""

from __future__ import annotations

import datetime
from functools import cache

from storefront.catalogue.seasons import RAMADAN, hijri_month
from storefront.demo import files
from storefront.demo.moments import days

#: Monday to Sunday.
WEEKDAYS = (1.1, 1.0, 1.0, 1.05, 1.1, 0.95, 0.8)
#: Days of Ramadan before the last ones, when parcels would no longer arrive in time.
SHOPPING, TRAVELLING, AT_HOME = 29, 4, 6


@cache
def next_lebaran(day: datetime.date) -> datetime.date:
    """The first day of the Idul Fitri that falls on `day` or follows it."""
    while not (hijri_month(day) == RAMADAN + 1 and hijri_month(day - days(1)) == RAMADAN):
        day += days(1)
    return day


def busyness(day: datetime.date) -> float:
    """How many orders a day draws, 1 being ordinary."""
    weight = WEEKDAYS[day.weekday()]
    if day.day >= 25:
        weight *= 1.2  # wages are paid
    left = (next_lebaran(day - days(AT_HOME)) - day).days
    if TRAVELLING < left <= SHOPPING:
        weight *= 1.6 + 2.0 * (SHOPPING - left) / SHOPPING
    elif left <= TRAVELLING:
        weight *= 0.3
    if day.month == 12 and day.day <= 23:
        weight *= 1.7
    return weight


def seasons_on(day: datetime.date) -> list[str]:
    """Names of the seasons (of seasons.toml) that a day belongs to."""
    found = []
    if 0 < (next_lebaran(day) - day).days <= SHOPPING + 7:
        found.append("ramadan")
    if day.month == 12 and day.day <= 24:
        found.append("december")
    if day.month in (11, 12, 1, 2):
        found.append("rain")
    if day.month == 4 and day.day <= 21:
        found.append("kartini")
    return found


def demand(sku: str, seasons: list[str]) -> float:
    """How much oftener the product `sku` is bought in these seasons than otherwise."""
    factor = 1.0
    for season in seasons:
        table: dict[str, float] = files.toml("seasons.toml")[season]
        factor *= table.get(sku, table["other"])
    return factor
