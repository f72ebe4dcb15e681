"""Parcels that lie ready at a gallery and that nobody collects: their buyer is reminded once, before they are given up.

A week after a parcel was made ready its buyer is reminded; two weeks after that day, and a week after the reminder, it
may be given up (`refunds/parcel_returns.py`). At a fair's stand the fair decides: its buyer is reminded before its last
day, and it may be given up when the fair is over.
"""

from __future__ import annotations

import datetime

import structlog
from sqlalchemy import func, select

from storefront.days import accounting_day, today
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.orders.models import Parcel, ParcelState
from storefront.orders.packing import FAIRS
from storefront.shipping.stands import known

log = structlog.get_logger("storefront.orders")
#: Days from the day on which it was made ready.
REMIND_AFTER, GIVE_UP_AFTER = datetime.timedelta(days=7), datetime.timedelta(days=14)
#: So long a buyer has after the reminder, however late that went out.
AFTER_REMINDER = datetime.timedelta(days=7)
KIND = "pickup_waiting"
#: That it lies ready was told a moment ago: at the end of a fair no second letter follows so soon.
NEWS = datetime.timedelta(hours=12)
#: Parcels looked at in one run.
MOST = 500


class TooEarly(DomainError):
    """Its buyer may still come."""

    code, status = "too_early", 409


def given_up_from(parcel: Parcel) -> datetime.date:
    """The first day on which a parcel that lies ready may be given up."""
    if parcel.exhibition_id is not None:
        return known([parcel.exhibition_id])[parcel.exhibition_id].ends_on + datetime.timedelta(days=1)
    assert parcel.shipped_at is not None
    reminded_at = _reminded_at(parcel.id)
    told = accounting_day(reminded_at) if reminded_at else today()
    return max(accounting_day(parcel.shipped_at) + GIVE_UP_AFTER, told + AFTER_REMINDER)


def last_day(parcel: Parcel) -> datetime.date:
    """The last day that its buyer is told to come by."""
    return given_up_from(parcel) - datetime.timedelta(days=1)


def remind_waiting(now: datetime.datetime | None = None) -> int:
    """Owe the reminder of what has lain ready for a week, or to the end of its fair; how many. Commits each."""
    now = now or db.session.execute(select(func.now())).scalar_one()
    day = accounting_day(now)
    last_days = select(FAIRS.c.id).where(FAIRS.c.ends_on.between(day, day + datetime.timedelta(days=1)))
    at_gallery = Parcel.exhibition_id.is_(None) & (Parcel.shipped_at < now - REMIND_AFTER)
    at_stand = Parcel.exhibition_id.in_(last_days) & (Parcel.shipped_at < now - NEWS)
    reminded = select(Message.id).where(Message.kind == KIND, Message.parcel_id == Parcel.id)
    found = db.session.scalars(
        select(Parcel.id)
        .where(Parcel.state == ParcelState.READY.value, at_gallery | at_stand, ~reminded.exists())
        .order_by(Parcel.shipped_at, Parcel.id)
        .limit(MOST)
    ).all()
    done = 0
    for parcel_id in found:
        parcel = db.session.get_one(Parcel, parcel_id, with_for_update={"key_share": True}, populate_existing=True)
        if parcel.state == ParcelState.READY:
            done += owe(KIND, parcel.order_id, parcel_id=parcel.id)
        db.session.commit()
    if done:
        log.info("buyers reminded of what lies ready", parcels=done)
    return done


def _reminded_at(parcel_id: int) -> datetime.datetime | None:
    return db.session.scalar(
        select(func.min(Message.created_at)).where(Message.kind == KIND, Message.parcel_id == parcel_id)
    )
