"""What the facility has sold and earned, month by month, line by line."""

from __future__ import annotations

import datetime

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from storefront import days
from storefront.blueprints.seller import bp
from storefront.ledger import earnings
from storefront.ledger.bars import bars
from storefront.orders import sold
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/<code>/sales")
@access.rule(Action.REVENUE_READ)
def sales(code: str) -> ResponseReturnValue:
    """One month's lines with their shares, beside the twelve months up to it."""
    month = chosen_month(request.args.get("month", ""))
    last = earnings.after_month(month) - datetime.timedelta(days=1)
    months = earnings.months(g.facility.id, month)
    return render_template(
        "seller/sales.html",
        month=months[-1],
        last=last,
        months=months,
        bars=bars(months),
        found=sold.sold(g.facility.id, month, last, page_number()),
        choices=choices(g.facility.id),
    )


def chosen_month(text: str) -> datetime.date:
    """The month written as `2026-11`, by its first day; anything else, or a month to come, means this one."""
    this = days.today().replace(day=1)
    try:
        first = datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        return this
    return first if datetime.date(2000, 1, 1) <= first <= this else this


def choices(facility_id: int) -> list[datetime.date]:
    """The months from the facility's first sale to this one, the latest first."""
    this = days.today().replace(day=1)
    first = earnings.first_month(facility_id) or this
    count = (this.year - first.year) * 12 + this.month - first.month + 1
    return list(reversed(earnings.last_months(this, max(1, count))))
