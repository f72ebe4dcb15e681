"""When people buy, and what: Ramadan and Lebaran, December, rain, weekdays and paydays."""

from __future__ import annotations

import datetime

from storefront.demo import files

#: First day of Ramadan and of Idul Fitri (Lebaran) as announced or expected in Indonesia.
RAMADAN = [
    (datetime.date(2024, 3, 12), datetime.date(2024, 4, 10)),
    (datetime.date(2025, 3, 1), datetime.date(2025, 3, 31)),
    (datetime.date(2026, 2, 18), datetime.date(2026, 3, 20)),
    (datetime.date(2027, 2, 8), datetime.date(2027, 3, 10)),
    (datetime.date(2028, 1, 28), datetime.date(2028, 2, 27)),
    (datetime.date(2029, 1, 16), datetime.date(2029, 2, 15)),
    (datetime.date(2030, 1, 6), datetime.date(2030, 2, 5)),
    (datetime.date(2030, 12, 26), datetime.date(2031, 1, 25)),
]
#: Monday to Sunday.
WEEKDAYS = (1.1, 1.0, 1.0, 1.05, 1.1, 0.95, 0.8)


def busyness(day: datetime.date) -> float:
    """How many orders a day draws, 1 being ordinary."""
    weight = WEEKDAYS[day.weekday()]
    if day.day >= 25:
        weight *= 1.2  # wages are paid
    for first, lebaran in RAMADAN:
        if first <= day < lebaran - datetime.timedelta(days=4):
            # Busier towards the end: parcels must arrive before people travel home.
            weight *= 1.6 + 2.0 * (day - first).days / (lebaran - first).days
        elif lebaran - datetime.timedelta(days=4) <= day < lebaran + datetime.timedelta(days=6):
            weight *= 0.3
    if day.month == 12 and day.day <= 23:
        weight *= 1.7
    return weight


def seasons_on(day: datetime.date) -> list[str]:
    """Names of the seasons (of seasons.toml) that a day belongs to."""
    found = []
    if any(first - datetime.timedelta(days=7) <= day < lebaran for first, lebaran in RAMADAN):
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
