"""Parcels that nobody confirmed: after the longest time on the road and some days more they count as received.

Only those on the road. What lies ready at a gallery waits until somebody takes it.
"""

from __future__ import annotations

import datetime

import structlog
from sqlalchemy import func, select

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.orders.models import Parcel, ParcelState
from storefront.orders.report_window import Windows
from storefront.orders.ship import WrongParcelState, mark_received

log = structlog.get_logger("storefront.orders")
#: Parcels looked at in one run.
MOST = 500


def receive_silent(now: datetime.datetime | None = None) -> int:
    """Mark as received what must have arrived long ago; how many. Commits each."""
    now = now or db.session.execute(select(func.now())).scalar_one()
    today, windows = accounting_day(now), Windows.load()
    least = min((row.received_after for row in windows.rows), default=0)
    found = db.session.execute(
        select(Parcel.id, Parcel.shipped_at, Parcel.days_max)
        .where(
            Parcel.state == ParcelState.SHIPPED.value,
            Parcel.shipped_at < now - datetime.timedelta(days=least),
        )
        .order_by(Parcel.shipped_at, Parcel.id)
        .limit(MOST)
    ).all()
    due = [
        row.id
        for row in found
        if row.shipped_at and windows.counts_as_received_on(row.shipped_at, row.days_max) <= today
    ]
    done = 0
    for parcel_id in due:
        try:
            mark_received(parcel_id, None, by_itself=True)
        except WrongParcelState:  # somebody was faster
            db.session.rollback()
            continue
        db.session.commit()
        done += 1
    if done:
        log.info("parcels counted as received", parcels=done)
    return done
