"""Zones, places, methods, rates, and what each facility offers of them."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ShippingZone(db.Model):  # type: ignore[name-defined]
    __tablename__ = "shipping_zones"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]


class Province(db.Model):  # type: ignore[name-defined]
    __tablename__ = "provinces"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id"))


class City(db.Model):  # type: ignore[name-defined]
    """A city or regency of the Ministry of Home Affairs' list."""

    __tablename__ = "cities"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `33.74`
    code: Mapped[str]
    province_id: Mapped[int] = mapped_column(ForeignKey("provinces.id"))
    #: `kota` or `kabupaten`.
    kind: Mapped[str]
    #: With its kind: Kota Bogor.
    name: Mapped[str]
    #: `places.municipality_key` of the name.
    key: Mapped[str]
    #: What a courier counts as one city.
    town: Mapped[str]


class District(db.Model):  # type: ignore[name-defined]
    """A district (kecamatan) of a city."""

    __tablename__ = "districts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `33.74.11`
    code: Mapped[str]
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"))
    name: Mapped[str]
    #: `places.district_key` of the name.
    key: Mapped[str]


class PostalCode(db.Model):  # type: ignore[name-defined]
    """A postal code that is used in a district; some are used in several."""

    __tablename__ = "postal_codes"

    code: Mapped[str] = mapped_column(primary_key=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("districts.id"), primary_key=True)


class PlaceVersion(db.Model):  # type: ignore[name-defined]
    """Which version of the data the places are."""

    __tablename__ = "place_versions"

    version: Mapped[str] = mapped_column(primary_key=True)


class ShippingMethod(db.Model):  # type: ignore[name-defined]
    """A way to the buyer: a delivery, or pickup at the facility's gallery."""

    __tablename__ = "shipping_methods"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    #: `delivery`, `pickup`, or `stand` for a fair's.
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    #: Heavier parcels are refused; None: no limit.
    max_weight_g: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer, default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    #: Whether a facility that has named no courier of its own offers it.
    is_default: Mapped[bool] = mapped_column(default=True)

    def named(self, locale: str, *, is_free: bool = False) -> str:
        """Its name; says so where the facility bears the cost."""
        if locale == "en":
            return f"{self.name_en} (free shipping)" if is_free else self.name_en
        return f"{self.name} (gratis ongkir)" if is_free else self.name


class ShippingRate(db.Model):  # type: ignore[name-defined]
    """Rupiah for a parcel between two zones, by whole kilograms."""

    __tablename__ = "shipping_rates"

    id: Mapped[int] = mapped_column(primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("shipping_methods.id"))
    origin_zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id"))
    destination_zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id"))
    #: `same_city`, `province` or `nationwide`: the narrowest that fits counts.
    reach: Mapped[str]
    #: For `minimum_kg` or less.
    first_kg: Mapped[int]
    #: For each further kilogram begun.
    next_kg: Mapped[int]
    minimum_kg: Mapped[int] = mapped_column(Integer)
    days_min: Mapped[int] = mapped_column(Integer)
    days_max: Mapped[int] = mapped_column(Integer)
    #: Above so many kilograms each further one costs `bulk_kg`; both or neither.
    bulk_above_kg: Mapped[int | None] = mapped_column(Integer)
    bulk_kg: Mapped[int | None]


class FacilityCourier(db.Model):  # type: ignore[name-defined]
    """A delivery that a facility offers, and who carries it. A facility without any offers every default one."""

    __tablename__ = "facility_couriers"

    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("shipping_methods.id"), primary_key=True)
    #: Shown to buyers; may be empty.
    courier: Mapped[str] = mapped_column(default="")


class FreeShipping(db.Model):  # type: ignore[name-defined]
    """From `minimum` rupiah of its goods on, a facility bears its cheapest delivery as far as `reach`."""

    __tablename__ = "free_shipping"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: `same_city`, `province` or `nationwide`.
    reach: Mapped[str]
    minimum: Mapped[int]
    valid_from: Mapped[datetime.date]
    #: The last day; None: until somebody ends it.
    valid_to: Mapped[datetime.date | None]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
