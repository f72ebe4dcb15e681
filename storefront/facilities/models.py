"""Correctional facilities and their workshops."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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
    #: When goods may be collected, in words: of a facility that has not said it day by day yet.
    gallery_hours: Mapped[str] = mapped_column(default="")
    #: The same by weekday, 1 Monday to 7 Sunday: `{"1": ["09:00", "15:00"]}` (`gallery_hours.words`).
    gallery_week: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict)
    #: Weekdays on which it packs, 1 Monday to 7 Sunday.
    packing_days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=FetchedValue())
    #: How to reach it in writing, for the public.
    contact: Mapped[str] = mapped_column(default="")
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
    #: Until this day it may sell without a fair-work declaration: it sold before they were asked for.
    sells_undeclared_until: Mapped[datetime.date | None]

    facility: Mapped[Facility] = relationship(back_populates="workshops")


class Declaration(db.Model):  # type: ignore[name-defined]
    """A workshop's fair-work declaration: at most a year, proposed by the facility, approved by the office."""

    __tablename__ = "workshop_declarations"

    id: Mapped[int] = mapped_column(primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"))
    valid_from: Mapped[datetime.date]
    #: The last day.
    valid_until: Mapped[datetime.date]
    #: Work is voluntary and may be stopped without penalty.
    is_voluntary: Mapped[bool]
    hours_per_day: Mapped[int] = mapped_column(SmallInteger)
    days_per_week: Mapped[int] = mapped_column(SmallInteger)
    safety_gear: Mapped[str]
    safety_gear_en: Mapped[str] = mapped_column(default="")
    accident_cover: Mapped[str]
    accident_cover_en: Mapped[str] = mapped_column(default="")
    #: How it is reckoned.
    premium: Mapped[str]
    premium_en: Mapped[str] = mapped_column(default="")
    #: How makers complain.
    complaints: Mapped[str]
    complaints_en: Mapped[str] = mapped_column(default="")
    #: Empty: none.
    private_partner: Mapped[str] = mapped_column(default="")
    private_partner_en: Mapped[str] = mapped_column(default="")
    #: The signed paper, a private file.
    document_key: Mapped[str | None]
    #: `proposed`, `approved`, `rejected` or `ended`.
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime.datetime | None]
    rejected_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    rejected_at: Mapped[datetime.datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime.datetime | None]
    #: Why it was sent back or ended.
    reason: Mapped[str] = mapped_column(default="")

    workshop: Mapped[Workshop] = relationship()


class DeclarationReminder(db.Model):  # type: ignore[name-defined]
    """A facility was reminded that a workshop may soon sell no more."""

    __tablename__ = "declaration_reminders"

    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"), primary_key=True)
    #: The last day on which it may sell.
    ends_on: Mapped[datetime.date] = mapped_column(primary_key=True)
    queued_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    sent_at: Mapped[datetime.datetime | None]


class Holiday(db.Model):  # type: ignore[name-defined]
    """A day on which nothing is packed, beside Saturdays and Sundays."""

    __tablename__ = "holidays"

    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str]
    #: Cuti bersama.
    is_joint_leave: Mapped[bool] = mapped_column(default=False)
    #: The decree.
    source: Mapped[str]


class DayOff(db.Model):  # type: ignore[name-defined]
    """Days on which one facility packs nothing, beside the holidays of all."""

    __tablename__ = "days_off"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    first_day: Mapped[datetime.date]
    last_day: Mapped[datetime.date]
    #: For its own office alone.
    note: Mapped[str] = mapped_column(default="")
    written_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    removed_at: Mapped[datetime.datetime | None]


class Pause(db.Model):  # type: ignore[name-defined]
    """A facility rests from the first day to the last: nothing can be ordered, nothing is packed."""

    __tablename__ = "pauses"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    first_day: Mapped[datetime.date]
    last_day: Mapped[datetime.date]
    #: Why, as the public reads it.
    reason: Mapped[str]
    reason_en: Mapped[str]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    cancelled_at: Mapped[datetime.datetime | None]


class Suspension(db.Model):  # type: ignore[name-defined]
    """The office has stopped a facility: nothing of it can be ordered until it is taken back (`admission.suspend`)."""

    __tablename__ = "facility_suspensions"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: For the office and the facility's own people alone.
    reason: Mapped[str]
    #: None: before that was written down.
    suspended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    suspended_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    lifted_at: Mapped[datetime.datetime | None]
    lifted_why: Mapped[str] = mapped_column(default="")
