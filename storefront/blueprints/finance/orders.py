"""One order as finance sees it: lines and shares, shipping, payments, entries, refunds; nothing of the buyer."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach, steps
from storefront.errors import NotFound
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import refund_list
from storefront.reports.order_sheet import order_sheet


@bp.get("/orders/<number>")
@access.rule(Action.REVENUE_READ)
def order(number: str) -> ResponseReturnValue:
    """The order, or the part of it that belongs to the reader's facilities."""
    sheet = order_sheet(number, reach())
    if sheet is None:
        raise NotFound()
    sees_refunds = steps.may_somewhere(Action.REFUNDS_READ)
    return render_template(
        "finance/order.html",
        order=sheet,
        refunds=refund_list.of_order(sheet.id, steps.within(Action.REFUNDS_READ)) if sees_refunds else [],
        sees_refunds=sees_refunds,
        may_refund=any(steps.may(Action.REFUNDS_WRITE, line.facility_id) for line in sheet.lines),
    )
