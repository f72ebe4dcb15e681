"""Facilities, their workshops and stores, and the exhibitions."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import select

from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.shipping.models import Province
from storefront.stock.models import StockLocation

#: The exhibition that runs while somebody tries the shop.
RUNNING = "pameran-karya-binaan"
#: The campaign in which every facility sold at its own gate.
CAMPAIGN = "one-day-one-prison-product-2023"


@dataclass(frozen=True)
class Places:
    """Everything that has an address, by its short name."""

    facilities: dict[str, Facility]
    #: By (facility code, workshop name).
    workshops: dict[tuple[str, str], Workshop]
    #: Stock location ids of the facilities' stores, by facility code.
    stores: dict[str, int]
    exhibitions: dict[str, Exhibition]
    #: Stock location id of the running exhibition's stand.
    stand: int


def add(today: datetime.date) -> Places:
    """Add facilities, workshops, exhibitions and their stock locations."""
    facilities = _facilities(today)
    workshops = _workshops(facilities)
    exhibitions = _exhibitions(today)
    stores = {code: _location(facility_id=facility.id) for code, facility in facilities.items()}
    stand = _location(exhibition_id=exhibitions[RUNNING].id)
    return Places(facilities, workshops, stores, exhibitions, stand)


def _facilities(today: datetime.date) -> dict[str, Facility]:
    provinces = {row.name: row.id for row in db.session.execute(select(Province.name, Province.id))}
    words = files.toml("facilities.toml")
    found = {}
    for row in files.rows("facilities.csv"):
        more = words[row["code"]]
        facility = Facility(
            code=row["code"],
            slug=files.slug_of(row["name"]),
            name=row["name"],
            kind=row["kind"],
            class_=row["class"],
            regional_office=row["regional_office"],
            province_id=provinces[row["province"]],
            city=row["city"],
            address=more["address"],
            postal_code=more["postal_code"],
            gallery_hours=more["hours"],
            gallery_week=_week(more["hours"], more["about"]),
            contact=f"Seksi Kegiatan Kerja, {more['address']}, {row['city']} {more['postal_code']}",
            time_zone=files.time_zone_of(row["province"]),
            about=more["about"],
            about_en=more["about_en"],
            source=row["source"],
            created_at=at(today - days(880), 10),
        )
        db.session.add(facility)
        db.session.flush()
        found[facility.code] = facility
    return found


def _week(hours: str, about: str) -> dict[str, list[str]]:
    """`08.30–15.00 WIB` on the days that the text about the facility names."""
    times = [time.replace(".", ":") for time in hours.split()[0].split("–")]
    return {str(day): times for day in range(1, 7 if "sampai Sabtu" in about else 6)}


def _workshops(facilities: dict[str, Facility]) -> dict[tuple[str, str], Workshop]:
    texts = files.toml("texts.toml")["workshop"]
    found: dict[tuple[str, str], Workshop] = {}
    for row in files.rows("products.csv"):
        key = (row["facility"], row["workshop"])
        if key in found:
            continue
        about, about_en = texts[files.workshop_word(row["workshop"])]
        found[key] = Workshop(
            facility_id=facilities[row["facility"]].id, name=row["workshop"], about=about, about_en=about_en
        )
        db.session.add(found[key])
        db.session.flush()
    return found


def _exhibitions(today: datetime.date) -> dict[str, Exhibition]:
    history = [
        Exhibition(
            slug=row["slug"],
            name=row["name"],
            venue=row["venue"],
            city=row["city"],
            starts_on=datetime.date.fromisoformat(row["starts_on"]),
            ends_on=datetime.date.fromisoformat(row["ends_on"]),
            participants=int(row["participants"]) if row["participants"] else None,
            regional_divisions=int(row["regional_divisions"]) if row["regional_divisions"] else None,
            note=row["note"],
            source=row["source"],
        )
        for row in files.rows("exhibitions.csv")
    ]
    running = Exhibition(
        slug=RUNNING,
        name="Pameran Karya Binaan",
        venue="Plasa Pameran Industri Kemenperin",
        city="Jakarta",
        starts_on=today - days(1),
        ends_on=today + days(30),
    )
    words = files.toml("exhibitions.toml")
    for exhibition in (*history, running):
        said = words[exhibition.slug]
        for name, text in said.items():
            setattr(exhibition, name, text.strip())
        exhibition.kind = "campaign" if exhibition.slug == CAMPAIGN else "hall"
        exhibition.changed_at = at(min(exhibition.starts_on, today) - days(40), 10)
        db.session.add(exhibition)
        db.session.flush()
    return {exhibition.slug: exhibition for exhibition in (*history, running)}


def _location(*, facility_id: int | None = None, exhibition_id: int | None = None) -> int:
    location = StockLocation(facility_id=facility_id, exhibition_id=exhibition_id)
    db.session.add(location)
    db.session.flush()
    return location.id
