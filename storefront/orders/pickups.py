"""Parcels that lie ready at a gallery and that nobody collects: their buyer is reminded once, before they are given up.

A week after a parcel was made ready its buyer is reminded; two weeks after that day, and a week after the reminder, it
may be given up (`refunds/parcel_returns.py`).
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

log = structlog.get_logger("storefront.orders")
#: Days from the day on which it was made ready.
REMIND_AFTER, GIVE_UP_AFTER = datetime.timedelta(days=7), datetime.timedelta(days=14)
#: So long a buyer has after the reminder, however late that went out.
AFTER_REMINDER = datetime.timedelta(days=7)
KIND = "pickup_waiting"
#: Parcels looked at in one run.
MOST = 500


class TooEarly(DomainError):
    """Its buyer may still come."""

    code, status = "too_early", 409


def given_up_from(parcel: Parcel) -> datetime.date:
    """The first day on which a parcel that lies ready may be given up."""
    assert parcel.shipped_at is not None
    reminded_at = _reminded_at(parcel.id)
    told = accounting_day(reminded_at) if reminded_at else today()
    return max(accounting_day(parcel.shipped_at) + GIVE_UP_AFTER, told + AFTER_REMINDER)


def last_day(parcel: Parcel) -> datetime.date:
    """The last day that its buyer is told to come by."""
    return given_up_from(parcel) - datetime.timedelta(days=1)


def remind_waiting(now: datetime.datetime | None = None) -> int:
    """Owe the reminder of each parcel that has lain ready for a week; how many. Commits each."""
    now = now or db.session.execute(select(func.now())).scalar_one()
    reminded = select(Message.id).where(Message.kind == KIND, Message.parcel_id == Parcel.id)
    found = db.session.scalars(
        select(Parcel.id)
        .where(Parcel.state == ParcelState.READY.value, Parcel.shipped_at < now - REMIND_AFTER, ~reminded.exists())
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
