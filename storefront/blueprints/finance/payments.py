"""Money at the gateways: balances, what goes back to shoppers, events that could not be handled."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach
from storefront.books import attention
from storefront.errors import NotFound
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/payments")
@access.rule(Action.BOOKS_READ)
def payments() -> ResponseReturnValue:
    """For those who see all facilities: a payment may pay several of them at once."""
    if reach() is not None:
        raise NotFound()
    refunds, next_key = attention.refunds(request.args.get("before", type=int))
    return render_template(
        "finance/payments.html",
        gateways=attention.gateway_balances(),
        refunds=refunds,
        refund_totals=attention.refund_totals(),
        next_key=next_key,
        failed=attention.failed_events(),
    )
