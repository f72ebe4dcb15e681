"""Notices, whom they went to, the devices that take web push, and what somebody wants to be told."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Notice(db.Model):  # type: ignore[name-defined]
    """Something that a facility should know, once for each fact; no buyer in it."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: One of `choices.KINDS`.
    kind: Mapped[str]
    #: Business key: told once, whatever is retried.
    key: Mapped[str]
    #: A parcel's code or a work's title, at most.
    about: Mapped[str] = mapped_column(default="")
    #: The page that it leads to.
    path: Mapped[str]
    #: False: a letter of the room's own tells it, and devices alone are told here.
    by_letter: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class PushDevice(db.Model):  # type: ignore[name-defined]
    """A browser of somebody's that takes web push."""

    __tablename__ = "push_devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: Where the browser's maker takes messages for it.
    endpoint: Mapped[str]
    p256dh: Mapped[str]
    auth: Mapped[str]
    user_agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class NoticeDelivery(db.Model):  # type: ignore[name-defined]
    """To whom a notice went: one row for the letter, one for each device."""

    __tablename__ = "notice_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: None: by letter.
    device_id: Mapped[int | None] = mapped_column(ForeignKey("push_devices.id"))


class NoticeChoice(db.Model):  # type: ignore[name-defined]
    """What somebody wants to be told of a facility, and how. Without a row: as `choices.DEFAULTS` says."""

    __tablename__ = "notice_choices"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    by_email: Mapped[bool]
    by_push: Mapped[bool]
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class SavedView(db.Model):  # type: ignore[name-defined]
    """A list as somebody likes to see it (`notices.saved_views`)."""

    __tablename__ = "saved_views"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: Endpoint of the list.
    list: Mapped[str]
    name: Mapped[str]
    #: The query string of the list's address.
    query: Mapped[str]
    #: Shown when the list is opened without a query.
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Kept for a while, so that it can be undone.
    deleted_at: Mapped[datetime.datetime | None]
