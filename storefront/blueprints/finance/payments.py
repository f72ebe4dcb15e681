"""Money at the gateways: balances, what is held, what goes back to shoppers, events that could not be handled."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach, steps
from storefront.books import attention
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import held_payments
from storefront.written import Written


@bp.get("/payments")
@access.rule(Action.BOOKS_READ)
def payments() -> ResponseReturnValue:
    """For those who see all facilities: a payment may pay several of them at once."""
    if reach() is not None:
        raise NotFound()
    return page(Written())


def page(form: Written, open_form: str = "") -> str:
    """The page, with a form as it was refused; `open_form` names the one that was sent."""
    return render_template(
        "finance/payments.html",
        gateways=attention.gateway_balances(),
        refunds=attention.refunds(asked_turn()),
        refund_totals=attention.refund_totals(),
        troubled=attention.troubled_events(),
        held=held_payments.held(),
        may_write=steps.may(Action.BOOKS_WRITE),
        form=form,
        open_form=open_form,
    )
