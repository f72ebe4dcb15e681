"""The first page of finance: what waits, then this month beside the others, then the plots of twelve months."""

from __future__ import annotations

import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from storefront import days
from storefront.blueprints.finance import bp, reach
from storefront.blueprints.finance.plots import drawn
from storefront.blueprints.finance.waiting import QUEUES
from storefront.books.span import EARLIEST
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import compared as months

#: What the tables can be sorted by, with the direction that each has.
SORTS = {"name": "ascending", **dict.fromkeys(months.WHEN, "descending")}


@bp.get("/")
@access.rule(Action.REVENUE_READ)
def overview() -> ResponseReturnValue:
    """What waits, and a month beside the one before and the one a year before; every figure leads to its lines."""
    this = days.today().replace(day=1)
    first = _month(request.args.get("month", ""), this)
    sort = request.args.get("sort", "")
    sort = sort if sort in SORTS else "now"
    found = months.compared(months.stretches(first, days.today()), reach(), sort=sort)
    ids = reach()
    return render_template(
        "finance/overview.html",
        queues=[queue for queue in QUEUES.found() if queue.count],
        found=found,
        month=first,
        this_month=this,
        earlier=(first - datetime.timedelta(days=1)).replace(day=1) if first > EARLIEST else None,
        later=(first + datetime.timedelta(days=31)).replace(day=1) if first < this else None,
        sort=sort,
        sorts=SORTS,
        drawn=drawn(None if ids is None else list(ids), first),
    )


def _month(text: str, this: datetime.date) -> datetime.date:
    """The month written as `2026-11`, by its first day; anything else, or a month to come, means this one."""
    try:
        first = datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        return this
    return first if EARLIEST <= first <= this else this
