"""What was sold: a year by facility and month, and the lines behind every sum."""

from __future__ import annotations

import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach, steps
from storefront.blueprints.finance.period import chosen, chosen_year, facilities
from storefront.books import attention, deposits, held_payments, refund_list, sums
from storefront.display import short_month
from storefront.exports.lines import lines_page
from storefront.people import access
from storefront.people.policy import Action
from storefront.reconciliation.lists import open_differences


@bp.get("/")
@access.rule(Action.REVENUE_READ)
def overview() -> ResponseReturnValue:
    """A year's sales by facility and month; every figure leads to its lines."""
    years = sums.years()
    year = chosen_year(request.args.get("year", ""), years)
    return render_template(
        "finance/overview.html",
        years=years,
        sales=sums.year_of_sales(year, reach()),
        months=[(month, short_month(datetime.date(year, month, 1))) for month in range(1, 13)],
        troubled=attention.events_for_a_person() if reach() is None else 0,
        held=len(held_payments.held()) if reach() is None else 0,
        differences=open_differences() if reach() is None else 0,
        late_deposits=deposits.late(reach()),
        waiting_refunds=refund_list.waiting(steps.within(Action.REFUNDS_READ)),
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
