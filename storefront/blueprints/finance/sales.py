"""What was sold: a year by facility and month, and the lines behind every sum."""

from __future__ import annotations

import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach
from storefront.blueprints.finance.period import chosen, chosen_year, facilities
from storefront.display import short_month
from storefront.exports.lines import lines_page
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import sums


@bp.get("/year")
@access.rule(Action.REVENUE_READ)
def year() -> ResponseReturnValue:
    """A year's sales by facility and month; every figure leads to its lines."""
    known = sums.years()
    chosen_one = chosen_year(request.args.get("year", ""), known)
    return render_template(
        "finance/year.html",
        years=known,
        sales=sums.year_of_sales(chosen_one, reach()),
        months=[(month, short_month(datetime.date(chosen_one, month, 1))) for month in range(1, 13)],
    )


@bp.get("/sales")
@access.rule(Action.REVENUE_READ)
def sales() -> ResponseReturnValue:
    """The sold lines of some days and facilities, with the sums of all of them."""
    choice = chosen(request.args)
    found = None
    if choice.selection is not None:
        found = lines_page(choice.selection, older=request.args.get("older"), newer=request.args.get("newer"))
    page = render_template("finance/sales.html", choice=choice, found=found, facilities=facilities())
    return page, 422 if choice.errors else 200
