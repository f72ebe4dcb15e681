"""Zones, provinces, methods and rates."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer
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


class ShippingMethod(db.Model):  # type: ignore[name-defined]
    """A way to the buyer: a delivery, or pickup at the facility's gallery."""

    __tablename__ = "shipping_methods"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    #: `delivery` or `pickup`.
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    #: Heavier parcels are refused; None: no limit.
    max_weight_g: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer, default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


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
