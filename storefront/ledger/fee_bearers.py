"""Who bears the provider's fees on a day: the operator, or a fund (a dated setting that two people make)."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, column, func, select, table

from storefront.extensions import db
from storefront.ledger.models import Fund

#: What stands for the operator where a fund's code would stand.
OPERATOR = "operator"

_bearers = table("fee_bearers", column("fund_id"), column("valid_from"), column("approved_at"))


def borne_by(on: datetime.date | ColumnElement[Any]) -> ColumnElement[str]:
    """SQL for the code of the fund that bears the fees `on` a day, or `operator`; part of a larger query."""
    day = cast(on, Date)
    bearer = (
        select(func.coalesce(Fund.code, OPERATOR))
        .select_from(_bearers.outerjoin(Fund, Fund.id == _bearers.c.fund_id))
        .where(_bearers.c.approved_at.is_not(None), _bearers.c.valid_from <= day)
        .order_by(_bearers.c.valid_from.desc())
        .limit(1)
        .correlate_except(_bearers, Fund)
        .scalar_subquery()
    )
    return func.coalesce(bearer, OPERATOR)


def bearer_on(day: datetime.date) -> str:
    """The code of the fund that bears the fees on `day`, or `operator`."""
    return str(db.session.scalar(select(borne_by(day))))
