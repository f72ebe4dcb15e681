"""How long an unpaid order holds its pieces: the setting in force, else what the gateway and the environment say."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import select

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.orders.models import OrderHold
from storefront.payments.gateway import Gateway

#: The gateway whose money people carry to a bank themselves.
BY_BANK = "transfer"


@dataclass(frozen=True)
class HoldingTimes:
    """What holds on a day; None: nobody has set anything."""

    page_minutes: int | None = None
    transfer_days: int | None = None

    def of(self, gateway: Gateway) -> datetime.timedelta:
        """How long this gateway's orders hold their pieces."""
        if gateway.name == BY_BANK:
            return gateway.hold if self.transfer_days is None else datetime.timedelta(days=self.transfer_days)
        return gateway.hold if self.page_minutes is None else datetime.timedelta(minutes=self.page_minutes)


def holding_times(at: datetime.datetime | None = None) -> HoldingTimes:
    """Those of the day of `at`, by default of now."""
    day = accounting_day(at or datetime.datetime.now(datetime.UTC))
    query = select(OrderHold.page_minutes, OrderHold.transfer_days).where(OrderHold.valid_from <= day)
    row = db.session.execute(query.order_by(OrderHold.valid_from.desc()).limit(1)).one_or_none()
    return HoldingTimes(*row) if row else HoldingTimes()
