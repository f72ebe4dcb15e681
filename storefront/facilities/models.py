"""Correctional facilities and their workshops."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db


class Facility(db.Model):  # type: ignore[name-defined]
    """A correctional facility; the seller."""

    __tablename__ = "facilities"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Short and stable, in URLs and exports: `PKL`.
    code: Mapped[str]
    slug: Mapped[str]
    name: Mapped[str]
    #: `lapas`, `rutan`, `lpka` (children) or `lpp` (women).
    kind: Mapped[str]
    class_: Mapped[str] = mapped_column("class")
    #: Regional office (kanwil).
    regional_office: Mapped[str]
    province_id: Mapped[int] = mapped_column(ForeignKey("provinces.id"))
    city: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="")
    #: When goods may be collected; shown with pickup.
    gallery_hours: Mapped[str] = mapped_column(default="")
    #: WIB, WITA or WIT, as an IANA name.
    time_zone: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    about_en: Mapped[str] = mapped_column(default="")
    #: `active` or `suspended`.
    status: Mapped[str] = mapped_column(default="active")
    #: An LPKA sells only with a legal basis and two different people who let it in.
    legal_basis: Mapped[str | None]
    admitted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    source: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())

    workshops: Mapped[list[Workshop]] = relationship(back_populates="facility", order_by="Workshop.name")


class Workshop(db.Model):  # type: ignore[name-defined]
    """A production unit within a facility: wood, sewing, bakery …"""

    __tablename__ = "workshops"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    name: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    about_en: Mapped[str] = mapped_column(default="")

    facility: Mapped[Facility] = relationship(back_populates="workshops")
